# The Logger class that writes to a file and to the terminal, with its __del__ that closes.
import sys


class Logger:
    def __init__(self, path):
        self.terminal = sys.stdout
        self.file = open(path, "w")
        sys.stdout = self

    def __del__(self):
        self.close()

    def write(self, message):
        self.terminal.write(message)
        self.file.write(message)

    def flush(self):
        pass

    def close(self):
        if self.file is not None:
            self.file.close()
            self.file = None


logger = Logger("log.txt")
print("logged")
print("twice")
