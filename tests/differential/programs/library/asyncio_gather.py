# asyncio: gather, tasks, queues, timeouts, cancellation.
import asyncio


async def worker(name, queue, out):
    while (item := await queue.get()) is not None:
        out.append((name, item))
        queue.task_done()


async def main():
    print(await asyncio.gather(*(asyncio.sleep(0.001 * n, n) for n in (3, 1, 2))))
    try:
        await asyncio.wait_for(asyncio.sleep(10), 0.01)
    except asyncio.TimeoutError as error:
        print(type(error).__name__)
    task = asyncio.create_task(asyncio.sleep(10))
    await asyncio.sleep(0)
    task.cancel()
    print(await asyncio.gather(task, return_exceptions=True))
    queue, out = asyncio.Queue(), []
    consumer = asyncio.create_task(worker("w", queue, out))
    for n in range(3):
        queue.put_nowait(n)
    await queue.join()
    await queue.put(None)
    await consumer
    print(out)


asyncio.run(main())
