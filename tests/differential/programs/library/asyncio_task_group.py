# asyncio.TaskGroup and an exception in one of its tasks.
import asyncio


async def fail():
    raise ValueError("one failed")


async def main():
    async with asyncio.timeout(10):
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(10))
            group.create_task(fail())


try:
    asyncio.run(main())
except* ValueError as errors:
    print(errors.exceptions)
