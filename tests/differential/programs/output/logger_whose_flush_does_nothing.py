# The Logger class that is found everywhere: write() passes on, flush() does nothing.
import sys


class Logger:
    def __init__(self):
        self.terminal = sys.stdout

    def write(self, message):
        self.terminal.write(message)

    def flush(self):
        pass


sys.stdout = Logger()
print("passed on")
for n in range(3):
    print(n, end=" ")
