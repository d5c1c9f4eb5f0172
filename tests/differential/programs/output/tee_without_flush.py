# A tee class in place of stdout that has no flush method.
import sys


class Tee:
    def __init__(self, *streams):
        self.streams = streams

    def write(self, text):
        for stream in self.streams:
            stream.write(text)


class Log:
    def __init__(self):
        self.parts = []

    def write(self, text):
        self.parts.append(text)


log = Log()
sys.stdout = Tee(sys.stdout, log)
print("to both")
sys.__stdout__.write(f"log: {log.parts}\n")
