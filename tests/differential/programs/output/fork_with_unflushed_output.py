# What print() had buffered before a fork is written by both.
# lines: yes
import os

print("once by lines, twice in a block")
pid = os.fork()
if pid:
    os.waitpid(pid, 0)
