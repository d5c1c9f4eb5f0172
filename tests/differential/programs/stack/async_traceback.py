# The traceback through coroutines and asyncio.run.
import asyncio


async def inner():
    await asyncio.sleep(0)
    raise ValueError("in a coroutine")


async def outer():
    await inner()


try:
    asyncio.run(outer())
except ValueError as error:
    at, names = error.__traceback__, []
    while at:
        names.append(at.tb_frame.f_code.co_name)
        at = at.tb_next
    print(names)
