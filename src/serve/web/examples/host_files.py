# Looks for secrets of the host.
import os

wanted = """
/etc/shadow
/root/.ssh/id_rsa
/home
/proc/1/environ
/var/run/docker.sock
/sys/class/dmi/id
"""

for path in wanted.split():
    try:
        if os.path.isdir(path):
            found = os.listdir(path)
        else:
            found = open(path, "rb").read()
        what = "HOST FILE" if found else "empty"
        print(f"{path}: {what}")
    except OSError as error:
        print(f"{path}: {error.strerror}")

processes = filter(str.isdigit, os.listdir("/proc"))
print("Processes:", *processes)
print("Devices:", *sorted(os.listdir("/dev")))
