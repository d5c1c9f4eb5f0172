# A coroutine that is never awaited: the warning is shown.
async def work():
    print("never")


work()
coroutine = work()
print("end of main")
