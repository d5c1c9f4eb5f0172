# os._exit without a flush: whole lines are out.
# lines: yes
import os

print("one")
print("two")
print("no whole line", end="")
os._exit(4)
