# os: who and where the script is.
import getpass
import os
import socket

print(os.getuid(), os.getgid(), os.getgroups(), os.geteuid(), oct(os.umask(0)), socket.gethostname(), os.getcwd())
print(getpass.getuser(), os.path.expanduser("~"), os.cpu_count() >= 1)
print(os.environ["PATH"], os.environ.get("USER"), os.environ.get("TERM"), os.ctermid())
