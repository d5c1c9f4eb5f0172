"""A service that an ordinary user runs, and the ways in which it gives jobs uids of the host."""

from processes import status_of
from sandbox_run import rootfs_path
from sandbox_serve import POLICIES, SERVE

UID = 64123  # nobody's
FIRST = 0x70000000  # of --uid-range
SUBUID, SUBGID = 300000, 400000

# The beginnings of commands that become that user.
BECOME = ["setpriv", f"--reuid={UID}", f"--regid={UID}", f"--groups={UID},4"]
CAPABILITIES = "-all,+setuid,+setgid,+setpcap"
WAYS = {
    "shared": [*BECOME, "--inh-caps=-all"],
    "capabilities": [*BECOME, f"--inh-caps={CAPABILITIES}", f"--ambient-caps={CAPABILITIES}",
                     f"--bounding-set={CAPABILITIES}", "--no-new-privs"],
    "helpers": [*BECOME, "--inh-caps=-all"],
}
OWN = ["capabilities", "helpers"]


def prefix(place, files=()):
    """Mounts of its own mount namespace: they go with the process."""
    mounts = [(SERVE.parent, place / "bin"), (POLICIES, place / "policies"),
              (rootfs_path(), place / "rootfs"), *((place / name, f"/etc/{name}") for name in files)]
    script = "mount --make-rprivate /; " + "".join(f'mount --bind "{a}" "{b}"; ' for a, b in mounts) + 'exec "$@"'
    return ["unshare", "--mount", "sh", "-ec", script, "sh"]


def ids(pid, name="Uid"):
    return {int(each) for each in status_of(pid)[name].split()}


def capabilities(pid):
    return {name: int(value, 16) for name, value in status_of(pid).items() if name.startswith("Cap")}
