# With SIGPIPE's default restored, a pipe that nobody reads ends the script.
# lines: yes
import os
import signal

signal.signal(signal.SIGPIPE, signal.SIG_DFL)
reader, writer = os.pipe()
os.close(reader)
print("one")
os.write(writer, b"x")
