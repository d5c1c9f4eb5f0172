import os
import platform

print("Hello from Python", platform.python_version(), "in the sandbox.")
print("I am process", os.getpid(), "and user", os.getuid())
print("on a host that is called", os.uname().nodename)
print("Around me:", *sorted(os.listdir("/")))
