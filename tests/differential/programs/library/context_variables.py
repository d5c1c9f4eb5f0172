# contextvars in tasks and threads.
import asyncio
import contextvars

variable = contextvars.ContextVar("variable", default="none")


async def task(value):
    variable.set(value)
    await asyncio.sleep(0)
    return variable.get()


async def main():
    print(await asyncio.gather(task(1), task(2)), variable.get())


asyncio.run(main())
context = contextvars.copy_context()
print(context.run(variable.set, 5) is not None, variable.get(), context[variable])
