# asyncio's subprocesses.
# lines: yes
import asyncio
import sys


async def main():
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "import sys; print(input()); sys.exit(3)",
                                                 stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    print(await child.communicate(b"hello\n"), child.returncode)
    shell = await asyncio.create_subprocess_shell("echo $((6 * 7))")
    print(await shell.wait())


asyncio.run(main())
