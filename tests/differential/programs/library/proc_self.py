# /proc/self: the executable, the name, the threads, the working directory.
import os
import sys
import threading

print(os.readlink("/proc/self/exe") == os.path.realpath(sys.executable), open("/proc/self/comm").read().strip(), os.readlink("/proc/self/cwd"))
print([line.split() for line in open("/proc/self/status") if line.startswith(("Threads", "Tgid", "Umask", "State"))][0], os.listdir("/proc/self/task") == [str(os.getpid())])
threading.Thread(target=lambda: print(len(os.listdir("/proc/self/task")))).start()
