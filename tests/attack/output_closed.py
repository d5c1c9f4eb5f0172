# attack: close stdin, stdout and stderr, put other things in their place, make them non-blocking
# expect: CONTAINED
# bare: no, it is the reader at the other end that is attacked
import fcntl
import os
import signal

from hostile import contained, finish

kept = os.dup(1)
for descriptor in range(3):
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_NONBLOCK | os.O_ASYNC)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags)
# Read from the writing end of our output: what is taken away from the supervisor is our own.
try:
    again = os.open("/proc/self/fd/1", os.O_RDONLY | os.O_NONBLOCK)
    os.write(1, b"taken back\n")
    os.read(again, 16)
    os.close(again)
except OSError as error:
    contained(f"our output is not to be read: {error.strerror}")
for descriptor in range(3):
    os.close(descriptor)
    os.open("/dev/null", os.O_RDWR)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
if os.fork() == 0:
    os.closerange(0, 64)
    os._exit(0)
os.wait()
contained("the supervisor still reads the copy that was kept")
finish(os.fdopen(kept, "w"))
