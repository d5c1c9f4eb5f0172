# Looks for what a thief would take.
import os

for path in ["/etc/shadow", "/root/.ssh/id_rsa", "/home", "/proc/1/environ", "/var/run/docker.sock", "/sys/class/dmi/id"]:
    try:
        found = os.listdir(path) if os.path.isdir(path) else open(path, "rb").read()
        print(f"{path}: {'empty' if not found else 'HOST FILE'}")
    except OSError as error:
        print(f"{path}: {error.strerror}")

print("Processes:", [name for name in os.listdir("/proc") if name.isdigit()])
print("Disks:", [name for name in os.listdir("/dev") if name.startswith(("sd", "vd", "nvme"))])
