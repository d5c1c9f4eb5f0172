# await outside of an async function.
import asyncio

await asyncio.sleep(0)
