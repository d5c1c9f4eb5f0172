# A pipe that nobody reads is BrokenPipeError in Python.
import os

reader, writer = os.pipe()
os.close(reader)
try:
    os.write(writer, b"x")
except BrokenPipeError as error:
    print(error)
