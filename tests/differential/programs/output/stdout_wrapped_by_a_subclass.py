# A subclass of TextIOWrapper in place of stdout.
import io
import sys


class Upper(io.TextIOWrapper):
    def write(self, text):
        return super().write(text.upper())


sys.stdout = Upper(sys.stdout.buffer, encoding="utf-8")
print("shouted")
