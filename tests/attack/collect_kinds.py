# attack: leave what is no file where files are collected: FIFOs, sockets, devices, directories, names that are not text
# expect: CONTAINED
# limits: --collect-glob ** --collect-glob /tmp/**
# bare: no, there is nobody who collects
import os
import socket
import stat

from hostile import contained, finish


def write(path):
    with open(path, "w") as file:
        file.write("CONTAINED\n")


for top in ("/work", "/tmp"):
    os.chdir(top)
    os.mkfifo("BREACH-fifo.csv")
    socket.socket(socket.AF_UNIX).bind("BREACH-socket")
    for kind in (stat.S_IFCHR, stat.S_IFBLK):
        try:
            os.mknod(f"BREACH-device-{kind}", kind | 0o666, os.makedev(1, 5))
        except OSError:
            pass  # as it should be
    os.mkdir("BREACH-directory.txt")
    os.symlink("loop", "loop")
    # Names that break lines, terminals, paths and JSON.
    for name in (b"new\nline", b'quote"\\', b"\x1b[2J", b"-rf", b"con", b"a:b", b"..x", b" "):
        write(name)
    for name in (b"BREACH\xff", b"BREACH\xed\xa0\x80", b"BREACH\xc0\xae"):
        write(name)
        os.mkdir(name + b".d")
        write(name + b".d/in")
    # Hard links: one file with many names, which are collected as many files.
    write("one")
    for i in range(50):
        os.link("one", f"hard{i}")
    try:
        os.chmod("one", 0o4777)
    except PermissionError:
        pass  # under systemd's RestrictSUIDSGID=
    for _ in range(100):
        os.mkdir("deep")
        os.chdir("deep")
    write("BREACH-too-deep")
os.chmod("/work", 0)
contained("all made; only text files with text names may come back")
finish()
