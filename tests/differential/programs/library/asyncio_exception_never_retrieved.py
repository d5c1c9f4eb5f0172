# "Task exception was never retrieved", and the debug mode's coroutine.
import asyncio


async def fail():
    raise ValueError("never retrieved")


async def main():
    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    del task


asyncio.run(main())
print("end of main")
