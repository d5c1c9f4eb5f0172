# A stdout of the script's own whose flush() raises: exit status 120.
import sys


class Bad:
    def __init__(self, stream):
        self.stream = stream

    def write(self, text):
        self.stream.write(text)

    def flush(self):
        raise RuntimeError("cannot flush")


sys.stdout = Bad(sys.stdout)
print("written")
