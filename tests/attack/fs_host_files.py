# attack: read the host's files by their names: passwords, keys, homes, sockets, a canary
# expect: CONTAINED
# host: file socket
# bare: host
import glob
import os
import socket

from hostile import ABSENT, CANARY_FILE, CANARY_SOCKET, breach, contained, finish, refused

# What a root file system has of its own says nothing about the host.
SKELETON = {
    ".",
    "..",
    ".bashrc",
    ".profile",
    "alternatives.log",
    "bootstrap.log",
    "dpkg.log",
    "fontconfig.log",
}

if CANARY_FILE:
    refused("the canary file", ABSENT, open, CANARY_FILE)
    refused("the canary file, to write", ABSENT, open, CANARY_FILE, "r+")
    refused("the canary's directory", ABSENT, os.listdir, os.path.dirname(CANARY_FILE))
if CANARY_SOCKET:
    refused("the canary socket", ABSENT, socket.socket(socket.AF_UNIX).connect, CANARY_SOCKET)

# The root file system may have a shadow file of its own, but none with a password in it.
try:
    with open("/etc/shadow") as shadow:
        if any(line.split(":")[1].startswith("$") for line in shadow):
            breach("/etc/shadow with a password")
except (FileNotFoundError, PermissionError) as error:
    contained(f"/etc/shadow {error.strerror}")

for pattern in (
    "/boot/vmlinuz*",
    "/etc/ssh/ssh_host_*",
    "/home/*/*",
    "/home/*/.*",
    "/lib/modules/*",
    "/lost+found/*",
    "/mnt/*",
    "/root/.*",
    "/root/*",
    "/run/*.sock",
    "/run/*/bus",
    "/run/systemd/*",
    "/run/user/*",
    "/srv/*",
    "/var/log/*.log",
    "/var/log/journal/*",
    "/var/run/*.sock",
    "/var/spool/cron/*",
):
    found = [path for path in glob.glob(pattern) if os.path.basename(path) not in SKELETON]
    if found:
        breach(f"{pattern} has {found[0]}")
    else:
        contained(f"no {pattern}")
finish()
