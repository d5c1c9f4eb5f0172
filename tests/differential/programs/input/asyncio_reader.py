# asyncio reads standard input as a pipe.
# stdin: "one\ntwo\n"
import asyncio
import sys


async def main():
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while line := await reader.readline():
        print(line)


asyncio.run(main())
