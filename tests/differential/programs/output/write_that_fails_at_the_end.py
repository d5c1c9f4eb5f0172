# A raw stream whose write fails when the script has ended: exit status 120.
import io
import sys


class Full(io.RawIOBase):
    def writable(self):
        return True

    def write(self, data):
        raise OSError(28, "No space left on device")


sys.stdout = io.TextIOWrapper(io.BufferedWriter(Full()))
print("lost")
