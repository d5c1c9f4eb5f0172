# attack: leave FIFOs, links and oddly named things where a supervisor might look or clean up
# expect: CONTAINED
# bare: no, there is nobody to be confused
import errno
import os
import socket
import sys

from hostile import contained, finish

for directory in (os.getcwd(), "/tmp", "/dev/shm"):
    if not os.access(directory, os.W_OK):
        contained(f"{directory} is read-only")
        continue
    os.chdir(directory)
    for name in (b"a\nb", b"\xff\xfe", b"-rf", b"\x1b[2J", b"'; reboot #", b"n" * 255, b"..."):
        os.mkdir(name)
    os.mkfifo("result.json")
    os.mkfifo("pipe")
    os.symlink("/dev/zero", "zero")
    os.symlink("loop", "loop")
    os.symlink("/proc/self/fd/0", "input")
    os.symlink("../../../../../../etc/passwd", "passwd")
    socket.socket(socket.AF_UNIX).bind("socket")
    with open("sparse", "wb") as file:
        try:
            file.truncate(1 << 40)
        except OSError as error:
            if error.errno != errno.EFBIG:
                raise
    os.mkdir("locked")
    os.close(os.open("locked/inside", os.O_CREAT))
    os.chmod("locked", 0)
    # Deeper than a path can name.
    for _ in range(300):
        os.mkdir("deep")
        os.chdir("deep")
    os.chdir(directory)

# The script itself becomes a FIFO, on which a careless reader waits for ever.
script = os.path.join("/work", os.path.basename(sys.argv[0]))
if os.access("/work", os.W_OK):
    os.unlink(script)
    os.mkfifo(script)
    os.chmod("/work", 0)
contained("all made; the verdict must come and nothing be left")
finish()
