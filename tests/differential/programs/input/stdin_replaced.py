# sys.stdin = StringIO, and input() of it.
import io
import sys

sys.stdin = io.StringIO("one\ntwo\n")
print(input("prompt "), input())
try:
    input()
except EOFError as error:
    print(error)
