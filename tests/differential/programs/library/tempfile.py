# tempfile: where and what.
import os
import tempfile

with tempfile.TemporaryDirectory() as directory, tempfile.NamedTemporaryFile("w+", dir=directory, suffix=".txt") as file:
    file.write("x")
    file.flush()
    print(os.path.dirname(directory), os.path.getsize(file.name), oct(os.stat(file.name).st_mode), tempfile.gettempdir())
    print([name.endswith(".txt") for name in os.listdir(directory)])
with tempfile.TemporaryFile() as file:
    print(file.write(b"abc"), file.seek(0), file.read())
