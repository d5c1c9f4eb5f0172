# A task that is pending when its loop is closed: asyncio tells of it when it goes.
import asyncio
import logging
import sys

logging.basicConfig(format="%(levelname)s %(name)s", stream=sys.stdout)


async def never():
    await asyncio.get_running_loop().create_future()


loop = asyncio.new_event_loop()
task = loop.create_task(never())
loop.run_until_complete(asyncio.sleep(0))
loop.close()
del task
print("end of main")
