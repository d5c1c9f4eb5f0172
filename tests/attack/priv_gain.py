# attack: get privileges: setuid programs, other ids, capabilities, no_new_privs undone
# expect: CONTAINED
# bare: host
import ctypes
import errno
import os
import stat
import struct
import subprocess

from hostile import DENIED, READ_ONLY, breach, call, contained, finish, in_child, refused

PR_CAPBSET_READ, PR_SET_SECUREBITS = 23, 28
PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_SET_MM = 38, 39, 47, 35
PR_SET_MM_MAP_SIZE = 15
EINVAL = (errno.EINVAL,)

status = dict(line.rstrip("\n").split(":\t", 1) for line in open("/proc/self/status"))
for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
    if int(status[name], 16):
        breach(f"{name} {status[name]}")
for name, wanted in (("NoNewPrivs", "1"), ("Seccomp", "2"), ("Groups", "")):
    if status[name].strip() not in (wanted, "1000"):
        breach(f"{name} is {status[name]!r}")
if 0 in os.getresuid() + os.getresgid():
    breach(f"ids {os.getresuid()} {os.getresgid()}")
for capability in range(41):
    if call("prctl", PR_CAPBSET_READ, capability, 0, 0, 0) == 1:
        breach(f"capability {capability} in the bounding set")
contained("no capability in any set")

NOT_MAPPED = DENIED + EINVAL
refused("setresuid 0", NOT_MAPPED, in_child, os.setresuid, 0, 0, 0)
refused("setresgid 0", NOT_MAPPED, in_child, os.setresgid, 0, 0, 0)
refused("setuid 1001", NOT_MAPPED, in_child, os.setuid, 1001)
refused("setgroups", NOT_MAPPED, in_child, os.setgroups, [])
refused("setgroups 0", NOT_MAPPED, in_child, os.setgroups, [0])
header = ctypes.create_string_buffer(struct.pack("Ii", 0x20080522, 0), 8)
everything = ctypes.create_string_buffer(b"\xff" * 24, 24)
refused("capset", DENIED, in_child, call, "capset", header, everything)
refused("ambient", DENIED + EINVAL, in_child, call, "prctl", PR_CAP_AMBIENT, 2, 21, 0, 0)
refused("no_new_privs off", DENIED + EINVAL, call, "prctl", PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0)
if call("prctl", PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1:
    breach("no_new_privs is off")
refused("securebits", DENIED + EINVAL, in_child, call, "prctl", PR_SET_SECUREBITS, 0, 0, 0, 0)
size = ctypes.c_uint()
refused("PR_SET_MM", DENIED + EINVAL, call, "prctl", PR_SET_MM, PR_SET_MM_MAP_SIZE, size, 0, 0)

count = 0
for directory, _, names in os.walk("/"):
    if directory.startswith("/proc"):
        continue
    if count > 100_000:
        break  # no root file system for scripts is that large
    for name in names:
        path = os.path.join(directory, name)
        try:
            facts = os.lstat(path)
            if not stat.S_ISREG(facts.st_mode):
                continue
            count += 1
            if facts.st_mode & (stat.S_ISUID | stat.S_ISGID):
                breach(f"{path} is setuid")
            if "security.capability" in os.listxattr(path, follow_symlinks=False):
                breach(f"{path} has capabilities")
        except (FileNotFoundError, PermissionError):
            pass
contained(f"{count} files, none setuid")

# A program of our own, setuid to us: whose id it may take on is ours alone.
mine = os.path.join(os.getcwd(), f"attack-setuid-{os.getpid()}")
try:
    with open("/bin/sh", "rb") as shell, open(mine, "wb") as copy:
        copy.write(shell.read())
    os.chmod(mine, 0o6755)
    uid = subprocess.run([mine, "-p", "-c", "id -u"], capture_output=True, text=True).stdout.strip()
    os.unlink(mine)
    if uid == "0":
        breach("our setuid program runs as root")
    contained(f"our setuid program has uid {uid}")
except OSError as error:
    if error.errno not in READ_ONLY:
        raise
    contained("no place for a setuid program")
finish()
