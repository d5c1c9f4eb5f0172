"""The contestants of the benchmark: bare python, the floor, sandbox-run and its peers.

Every contestant runs the same program from the same root file system: python that prints 1, or true.
Peers get, as far as each can, what sandbox-run's default policy gives: all namespaces, a read-only
root, /proc, /dev, a tmpfs to write to, no capabilities, and where the column "enforces" says so a
cgroup with memory, CPU and pids limits and a system call filter. The options are those that a
careful user would find in the peer's manual; a better set of options is a fix to this file.
"""

import dataclasses
import json
import os
import pathlib
import shutil
import subprocess

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/work", "LANG": "C.UTF-8",
               "TMPDIR": "/tmp", "PYTHONDONTWRITEBYTECODE": "1"}
MEMORY_BYTES = 128 << 20
PIDS = 64
JOB_ID = 1000
HOST_ID = 300000
PYTHON, TRUE = "python", "true"  # the two programs
EXPECTED = {PYTHON: b"1\n", TRUE: b""}
FILE_FD = "9"  # where spawn_time hands over Contestant.file


@dataclasses.dataclass
class Contestant:
    name: str
    program: str
    argv: list
    enforces: str = ""
    chroot: str = ""
    mount_ns: str = ""
    file: str = ""
    port: str = ""  # of a service; argv is then the JSON of one request
    wrong: object = None  # (HTTP answer) -> what is wrong with it, or None; of a service's
    env: dict = dataclasses.field(default_factory=lambda: dict(ENVIRONMENT))
    ours: bool = False  # must work here; a peer may be absent


@dataclasses.dataclass
class Setting:
    """What the adapters need to know."""

    rootfs: str
    build: pathlib.Path
    work: pathlib.Path  # directory for bundles and the like; removed at the end
    floor: str
    commands: dict  # program -> argv inside the root file system
    quick: bool = False  # nothing is believed: don't wait long
    undo: list = dataclasses.field(default_factory=list)  # called at the end
    oci: tuple = ()  # mount namespace for the OCI runtimes, and the root file system in it

    @property
    def sandbox_run(self):
        return self.build / "sandbox-run"


class Absent(Exception):
    """This contestant can't take part; the text says why."""


def tool(name):
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None:
        raise Absent("not on PATH")
    return path


def rootfs_record(rootfs):
    with open(f"{rootfs}/usr/lib/sandbox-run/rootfs.json", encoding="utf-8") as file:
        return json.load(file)


def commands(rootfs):
    """The programs as they are called inside the root file system."""
    found = {PYTHON: [rootfs_record(rootfs)["python"], "-c", "print(1)"]}
    if os.access(f"{rootfs}/usr/bin/true", os.X_OK):
        found[TRUE] = ["/usr/bin/true"]
    return found


def sandbox_environment(setting):
    """sandbox-run's own environment; the job's is the policy's."""
    return {"PATH": os.defpath, "SANDBOX_ROOTFS": setting.rootfs,
            "SANDBOX_POLICIES": str(setting.build / "policies")}


# ── Ours ─────────────────────────────────────────────────────────────────────────────────────────

def bare(setting, program):
    return [Contestant("bare", program, setting.commands[program], "chroot only",
                       chroot=setting.rootfs, ours=True)]


def bare_isolated(setting, program):
    python, *rest = setting.commands[PYTHON]
    if program != PYTHON:
        return []
    return [Contestant("bare -I", program, [python, "-I", *rest], "chroot only",
                       chroot=setting.rootfs, ours=True)]


def floor(setting, program):
    return [Contestant("floor", program, [setting.floor, setting.rootfs, *setting.commands[program]],
                       "7 namespaces, mounts", ours=True)]


def sandbox_run(setting, program):
    def contestant(name, *options):
        return Contestant(name, program, [str(setting.sandbox_run), *options],
                          "all: cgroup, filter, …", env=sandbox_environment(setting), ours=True)

    if program == TRUE:  # what there is without the interpreter: true ignores the runner's arguments
        return [contestant("sandbox-run", "--python", "/usr/bin/true", "-c", "")]
    script = setting.work / "print1.py"
    script.write_text("print(1)\n", encoding="utf-8")
    return [contestant("sandbox-run", "-c", "print(1)"),
            contestant("sandbox-run FILE", str(script))]


# ── Peers ────────────────────────────────────────────────────────────────────────────────────────

def bubblewrap(setting, program):
    argv = [tool("bwrap"), "--unshare-all", "--unshare-user", "--uid", str(JOB_ID), "--gid", str(JOB_ID),
            "--hostname", "sandbox", "--ro-bind", setting.rootfs, "/", "--proc", "/proc",
            "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/work", "--chdir", "/work",
            "--new-session", "--die-with-parent", "--cap-drop", "ALL"]
    filtered = filter_file(setting)
    return [Contestant("bubblewrap", program, [*argv, *setting.commands[program]], "namespaces, mounts"),
            Contestant("bubblewrap+filter", program,
                       [*argv, "--seccomp", FILE_FD, *setting.commands[program]],
                       "namespaces, mounts, filter", file=str(filtered))]


def filter_file(setting):
    """sandbox-run's own filter without the header of its cache file: the same program for the peers."""
    header_bytes = 32  # struct cache_header of src/seccomp/seccomp.c
    path = setting.work / "default.bpf"
    cached = setting.build / "policies" / "seccomp" / "default.bpf"
    try:
        path.write_bytes(cached.read_bytes()[header_bytes:])
    except OSError as error:
        raise Absent(f"no filter: {error}") from error
    return path


def oci_namespace(setting):
    """A mount namespace in which the OCI runtimes find what they insist on, made once: the root file system
    below directories that the container's root may enter, and a cgroup hierarchy that is not hybrid
    (crun refuses one that has controllers of both kinds). The host's own mounts stay as they are."""
    if not setting.oci:
        rootfs = setting.work / "rootfs"
        rootfs.mkdir()
        setting.work.chmod(0o755)
        script = """mount --bind "$1" "$2"
            if [ -e /sys/fs/cgroup/unified ]; then mount -t tmpfs none /sys/fs/cgroup/unified; fi
            echo ready
            exec cat >&2"""  # until the harness closes its end, or dies
        holder = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script, "sh",
             setting.rootfs, str(rootfs)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        setting.undo.append(lambda: (holder.stdin.close(), holder.stdout.close(), holder.wait()))
        if holder.stdout.readline() != b"ready\n":
            raise Absent("no mount namespace of its own")
        setting.oci = f"/proc/{holder.pid}/ns/mnt", str(rootfs)
    return setting.oci


def oci_bundle(setting, name, argv, cgroup):
    """An OCI bundle as `crun spec` makes one, cut to what a job has."""
    def mount(target, kind, *options):
        return {"destination": target, "type": kind, "source": kind,
                "options": ["nosuid", "nodev", *options]}

    linux = {
        "namespaces": [{"type": kind} for kind in
                       ("pid", "network", "ipc", "uts", "mount", "cgroup", "user")],
        "uidMappings": [{"containerID": 0, "hostID": HOST_ID, "size": 65536}],
        "gidMappings": [{"containerID": 0, "hostID": HOST_ID, "size": 65536}],
        "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list"],
        "readonlyPaths": ["/proc/sys", "/proc/sysrq-trigger"],
    }
    if cgroup:  # its path is made of the container's id: several run side by side
        linux["resources"] = {"memory": {"limit": MEMORY_BYTES, "swap": MEMORY_BYTES},
                              "cpu": {"quota": 100000, "period": 100000}, "pids": {"limit": PIDS}}
    config = {
        "ociVersion": "1.0.2",
        "hostname": "sandbox",
        "root": {"path": setting.oci[1], "readonly": True},
        "process": {"user": {"uid": JOB_ID, "gid": JOB_ID}, "cwd": "/work", "args": argv,
                    "env": [f"{key}={value}" for key, value in ENVIRONMENT.items()],
                    "noNewPrivileges": True, "terminal": False,
                    "capabilities": {kind: [] for kind in
                                     ("bounding", "effective", "permitted", "inheritable", "ambient")},
                    "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 256, "hard": 256}]},
        "mounts": [mount("/proc", "proc", "noexec"), mount("/dev", "tmpfs", "mode=755", "size=64k"),
                   mount("/dev/shm", "tmpfs", "size=16m"),
                   mount("/tmp", "tmpfs", "size=64m"), mount("/work", "tmpfs", "size=64m")],
        "linux": linux,
    }
    bundle = setting.work / name
    bundle.mkdir(exist_ok=True)
    (bundle / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return str(bundle)


def oci_runtime(setting, program, runtime, options, cgroup):
    name = f"{runtime}{'' if cgroup else ' -cgroup'}"
    binary, (mount_ns, _) = tool(runtime), oci_namespace(setting)
    bundle = oci_bundle(setting, f"{runtime}-{program}-{int(cgroup)}", setting.commands[program], cgroup)
    argv = [binary, "--root", str(setting.work / f"{runtime}-state"), *options, "run",
            "--bundle", bundle, f"bench-{os.getpid()}-@N@"]
    return Contestant(name, program, argv, "namespaces, mounts" + (", cgroup" if cgroup else ""),
                      mount_ns=mount_ns, env={"PATH": os.defpath})


def crun(setting, program):
    return [oci_runtime(setting, program, "crun", ["--cgroup-manager=cgroupfs"], True),
            oci_runtime(setting, program, "crun", ["--cgroup-manager=disabled"], False)]


def runc(setting, program):
    return [oci_runtime(setting, program, "runc", [], True)]


def nsjail(setting, program):
    return [Contestant("nsjail", program, [
        tool("nsjail"), "-Mo", "--really_quiet", "--chroot", setting.rootfs, "--user", str(JOB_ID),
        "--group", str(JOB_ID), "--hostname", "sandbox", "--cwd", "/work", "--time_limit", "10",
        "--tmpfsmount", "/tmp", "--tmpfsmount", "/work", "--rlimit_as", "inf",
        "--cgroup_mem_max", str(MEMORY_BYTES), "--cgroup_pids_max", str(PIDS),
        "--cgroup_cpu_ms_per_sec", "1000", "--detect_cgroupv2",
        "--seccomp_string", "POLICY p { ERRNO(1) { ptrace, mount, bpf, keyctl } } USE p DEFAULT ALLOW",
        *(part for key, value in ENVIRONMENT.items() for part in ("--env", f"{key}={value}")),
        "--", *setting.commands[program]], "namespaces, mounts, cgroup, small filter")]


def isolate(setting, program):
    binary = tool("isolate")
    box = subprocess.run([binary, "--init"], capture_output=True, text=True, check=False)
    if box.returncode != 0:
        raise Absent(f"isolate --init: {box.stderr.strip()}")
    setting.undo.append(lambda: subprocess.run([binary, "--cleanup"], check=False))
    rootfs = setting.rootfs
    return [Contestant("isolate", program, [
        binary, "--run", "--silent", "--no-default-dirs", f"--dir=usr={rootfs}/usr",
        *(f"--dir={name}={rootfs}/{name}" for name in ("bin", "lib", "lib64")
          if os.path.isdir(f"{rootfs}/{name}")),
        "--dir=proc=proc:fs", "--dir=box=./box:rw", f"--processes={PIDS}",
        *(f"--env={key}={value}" for key, value in ENVIRONMENT.items()),
        "--", *setting.commands[program]], "namespaces, mounts")]


def minijail(setting, program):
    return [Contestant("minijail", program, [
        tool("minijail0"), "-p", "-v", "-r", "-N", "-l", "-e", "--uts=sandbox", "-n", "-c", "0",
        "-u", str(HOST_ID), "-g", str(HOST_ID), "-P", setting.rootfs, "-t",
        "-k", "tmpfs,/work,tmpfs,0xe,size=64m", "-d", "--", *setting.commands[program]],
        "namespaces but user, mounts")]


def firejail(setting, program):
    return [Contestant("firejail", program, [
        tool("firejail"), "--quiet", "--noprofile", f"--chroot={setting.rootfs}", "--net=none",
        "--caps.drop=all", "--seccomp", "--nonewprivs", "--private-dev", "--ipc-namespace",
        "--", *setting.commands[program]], "namespaces but user, filter")]


def docker(setting, program):
    binary, image = tool("docker"), f"sandbox-bench:{os.getpid()}"
    if subprocess.run([binary, "info"], capture_output=True, check=False).returncode != 0:
        raise Absent("its daemon does not answer")
    with subprocess.Popen(["tar", "-C", setting.rootfs, "-c", "."], stdout=subprocess.PIPE) as tar:
        imported = subprocess.run([binary, "import", "-", image], stdin=tar.stdout, capture_output=True,
                                  text=True, check=False)
    if imported.returncode != 0:
        raise Absent(f"docker import: {imported.stderr.strip()}")
    setting.undo.append(lambda: subprocess.run([binary, "rmi", "-f", image], capture_output=True,
                                               check=False))
    return [Contestant("docker", program, [
        binary, "run", "--rm", "--network=none", "--read-only", "--cap-drop=ALL",
        "--security-opt=no-new-privileges", f"--user={JOB_ID}:{JOB_ID}", "--tmpfs=/tmp",
        "--tmpfs=/work", "--workdir=/work", f"--memory={MEMORY_BYTES}", "--cpus=1",
        f"--pids-limit={PIDS}", image, *setting.commands[program]],
        "namespaces but user, cgroup, filter", env={"PATH": os.environ["PATH"], "HOME": "/root"})]


def podman(setting, program):
    return [Contestant("podman", program, [
        tool("podman"), "run", "--rm", "--network=none", "--read-only", "--cap-drop=ALL",
        "--security-opt=no-new-privileges", f"--user={JOB_ID}:{JOB_ID}", "--tmpfs=/tmp",
        "--tmpfs=/work", "--workdir=/work", f"--memory={MEMORY_BYTES}", "--cpus=1",
        # Its own defaults are more than a root without CAP_SYS_RESOURCE may give.
        f"--pids-limit={PIDS}", "--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024",
        # It makes places to mount on in its root file system, which is ours: an overlay takes them.
        "--rootfs", f"{setting.rootfs}:O", *setting.commands[program]],
        "namespaces, cgroup, filter", env={"PATH": os.environ["PATH"], "HOME": "/root"})]


# Name, adapter, and the option that makes the tool tell its version.
ADAPTERS = (
    ("bare", bare, None),
    ("bare -I", bare_isolated, None),
    ("floor", floor, None),
    ("sandbox-run", sandbox_run, None),
    ("bubblewrap", bubblewrap, "bwrap"),
    ("crun", crun, "crun"),
    ("runc", runc, "runc"),
    ("nsjail", nsjail, None),
    ("isolate", isolate, "isolate"),
    ("minijail", minijail, None),
    ("firejail", firejail, "firejail"),
    ("docker", docker, "docker"),
    ("podman", podman, "podman"),
)


def version(command):
    """What `COMMAND --version` says first, or None."""
    try:
        said = subprocess.run([tool(command), "--version"], capture_output=True, text=True, check=False)
    except Absent:
        return None
    return (said.stdout or said.stderr).strip().partition("\n")[0] or None
