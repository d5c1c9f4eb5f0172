import os
import platform

print("Hello from Python", platform.python_version())
print("I am process", os.getpid(), "user", os.getuid())
print("My host is called", os.uname().nodename)
print("Around me:", *sorted(os.listdir("/")))
