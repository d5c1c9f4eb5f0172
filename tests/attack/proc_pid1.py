# attack: reach the supervisor's memory, files and root through /proc/1 and /proc/<parent>
# expect: CONTAINED
# bare: namespaces
import os

from hostile import ABSENT, breach, contained, finish, refused

# ENOENT: it is hidden; EACCES and EPERM: it is there, and protected.
for pid in {1, os.getppid()}:
    for link in ("root", "cwd", "exe", "ns/user", "ns/mnt", "ns/net"):
        refused(f"{pid}/{link}", ABSENT, os.readlink, f"/proc/{pid}/{link}")
    for directory in ("root", "cwd", "fd", "fdinfo", "map_files", "task/1/root"):
        refused(f"{pid}/{directory}/", ABSENT, os.listdir, f"/proc/{pid}/{directory}")
    for file in ("environ", "auxv", "syscall", "stack", "io", "personality"):
        refused(
            f"{pid}/{file}", ABSENT, lambda: open(f"/proc/{pid}/{file}", "rb").read() or "nothing"
        )
    # CVE-2019-5736: what runs as pid 1 is the sandbox's own program, on the host's disk.
    refused(f"{pid}/exe", ABSENT, open, f"/proc/{pid}/exe", "rb")
    refused(f"{pid}/mem", ABSENT, open, f"/proc/{pid}/mem", "r+b", 0)
    refused(f"{pid}/clear_refs", ABSENT, open, f"/proc/{pid}/clear_refs", "w")
    refused(f"{pid}/comm", ABSENT + (22,), lambda: open(f"/proc/{pid}/comm", "w").write("x"))

# The maps open for everybody, and read as empty; the command line would tell the host's paths.
for file in ("maps", "smaps", "pagemap", "cmdline"):
    try:
        with open(f"/proc/1/{file}", "rb") as opened:
            text = opened.read(4096)
    except OSError as error:
        contained(f"1/{file} {error.strerror}")
        continue
    if text.strip(b"\0") and (b"/" in text or b"--" in text or file != "cmdline"):
        breach(f"/proc/1/{file}: {text[:100]!r}")
    else:
        contained(f"1/{file} {text[:20]!r}")
finish()
