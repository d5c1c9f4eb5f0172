# A coroutine that is never awaited and held by the module till the end.
async def work():
    pass


held = [work()]
print("end of main")
