# The finally of a coroutine that is suspended when the script ends.
import types


@types.coroutine
def pause():
    yield


async def work():
    try:
        await pause()
    finally:
        print("coroutine closed")


coroutine = work()
coroutine.send(None)
print("end of main")
