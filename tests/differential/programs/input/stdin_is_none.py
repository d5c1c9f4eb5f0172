# sys.stdin = None: input() is a RuntimeError.
import sys

sys.stdin = None
input()
