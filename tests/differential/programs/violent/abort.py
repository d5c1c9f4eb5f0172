# os.abort() without a flush: whole lines are out.
# lines: yes
import os

print("one")
os.abort()
