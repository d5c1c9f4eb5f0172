# os.dup2 of a file over descriptor 1, and back: what was printed between is in the file.
# lines: yes
import os
import sys

print("shown")
sys.stdout.flush()
saved = os.dup(1)
file = os.open("caught.txt", os.O_RDWR | os.O_CREAT)
os.dup2(file, 1)
print("caught")
os.system("echo caught from a child")
sys.stdout.flush()
os.dup2(saved, 1)
print("file:", open("caught.txt").read().splitlines())
