# attack: spread memory over many processes, each far below the limit
# expect: memory
# limits: --memory 64M --timeout 60 --pids 32
# bare: host
import os
import signal

from hostile import armed, breach, finish

EACH, PROCESSES = 16 << 20, 12

armed("12 processes take 16 MiB each")
readable, writable = os.pipe()
children = []
for _ in range(PROCESSES):
    child = os.fork()
    if child == 0:
        kept = b"x" * EACH
        os.write(writable, b"x")
        signal.pause()
    children.append(child)
taken = 0
while taken < PROCESSES:
    taken += len(os.read(readable, PROCESSES))
for child in children:
    os.kill(child, signal.SIGKILL)
breach(f"{PROCESSES} processes hold {PROCESSES * EACH >> 20} MiB of 64")
finish()
