# Asynchronous generators, context managers and comprehensions; one that is never finished.
import asyncio
import contextlib


async def numbers():
    try:
        for n in range(3):
            yield n
            await asyncio.sleep(0)
    finally:
        print("numbers closed")


@contextlib.asynccontextmanager
async def section():
    print("enter")
    yield
    print("leave")


async def main():
    async with section():
        print([n async for n in numbers()])
        async for n in numbers():
            break
    print("end of main")


asyncio.run(main())
