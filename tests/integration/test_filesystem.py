"""Which files, mounts and devices a job sees, and which of them it can change."""

import os
import pathlib
import shutil
import subprocess

import pytest

from mountinfo import parse_mount, reachable
from sandbox_run import rootfs_path

pytestmark = pytest.mark.vm("delegated")


def test_a_warm_job_has_the_mounts_of_a_cold_one(run):
    def mounts(start):
        lines = run("--start", start, code="print(open('/proc/self/mountinfo').read().strip())").stdout.splitlines()
        return sorted((root, point, sorted(options), kind) for root, point, options, kind, _ in
                      map(parse_mount, reachable(lines)))
    assert mounts("warm") == mounts("cold") != []


def test_every_mount_is_read_only_or_a_tmpfs(inside):
    for line in inside["mountinfo"]:
        _, point, options, kind, _ = parse_mount(line)
        assert "ro" in options or kind == "tmpfs" or is_node(point), line


def is_node(point):
    return point in {f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom")}


def test_every_mount_is_nosuid_and_nodev(inside):
    for line in inside["mountinfo"]:
        _, point, options, _, _ = parse_mount(line)
        assert "nosuid" in options, line
        assert "nodev" in options or is_node(point), line


def test_writable_mounts_are_tmp_work_and_shm_alone(inside):
    writable = {point for _, point, options, _, _ in map(parse_mount, inside["mountinfo"])
                if "rw" in options and not is_node(point)}
    assert writable == {"/tmp", "/work", "/dev/shm"}


def test_mountinfo_tells_nothing_of_the_host_that_could_be_avoided(inside, run):
    checkout = str(pathlib.Path(__file__).resolve().parents[2])
    for line in inside["mountinfo"]:
        root, point, _, _, source = parse_mount(line)
        if point != "/":  # the root's own line names its directory: the kernel writes it
            assert checkout not in line and str(rootfs_path()) not in line
            assert root == "/" or is_node(point) or not os.path.isabs(source), line
        assert "/cgroup" not in line and "sandbox-run-" not in line.split(" ", 4)[4], line


def test_the_old_root_is_gone(inside):
    points = [parse_mount(line)[1] for line in reachable(inside["mountinfo"])]
    assert points.count("/") == 1
    assert set(points) <= {"/", "/proc", "/dev", "/tmp", "/work", "/dev/shm", "/dev/null",
                           "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}


def test_cgroups_of_the_host_are_not_told(inside):
    for line in inside["cgroup"].splitlines():
        assert line.endswith(":/"), line


def test_proc_shows_processes_and_nothing_else(inside):
    assert [name for name in inside["proc"] if not name.isdigit()] == ["self", "thread-self"]


OF_LIBRARIES = ["cpuinfo", "meminfo", "stat", "uptime", "loadavg", "version"]
OF_THE_HOST = [
    "kcore", "keys", "key-users", "kmsg", "kallsyms", "sysrq-trigger", "timer_list", "sched_debug",
    "latency_stats", "interrupts", "cmdline", "config.gz", "mounts/../1/environ", "partitions",
    "vmallocinfo", "slabinfo", "kpagecount", "modules", "iomem", "ioports", "diskstats"]
DIRECTORIES = ["acpi", "scsi", "bus", "fs", "irq", "driver", "tty", "sysvipc", "asound", "dynamic_debug",
               "pressure"]
READ_MASKED = f"""
    import json, os
    def size(path):
        try:
            return len(open(f"/proc/{{path}}", "rb").read(100))
        except OSError:
            return 0
    def writable(top):
        for directory, names, files in os.walk(f"/proc/{{top}}"):
            for name in files:
                try:
                    open(os.path.join(directory, name), "r+b")
                    yield os.path.join(directory, name)
                except OSError:
                    pass
    print(json.dumps([{{path: size(path) for path in {OF_LIBRARIES + OF_THE_HOST}}},
                      {{top: list(writable(top)) for top in {DIRECTORIES}}}]))
    """


@pytest.fixture
def masked(told, policy):
    """The bytes that can be read of files in a masked /proc, and what can be written in its directories."""
    return told(READ_MASKED, "--policy", policy(proc="masked"))


@pytest.mark.parametrize("path", OF_LIBRARIES)
def test_masked_proc_has_what_libraries_read(masked, path):
    assert masked[0][path] > 0


@pytest.mark.parametrize("path", OF_THE_HOST)
def test_masked_proc_hides_what_tells_of_the_host(masked, path):
    assert masked[0][path] == 0


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_directories_of_a_masked_proc_are_empty_or_cannot_be_changed(masked, directory):
    assert masked[1][directory] == []


def test_what_masks_files_of_proc_is_not_the_hosts_to_touch(run, policy):
    before = os.stat("/dev/null")
    ran = run("--policy", policy(proc="masked"), code=f"""
        import os
        paths = [os.path.join("/proc", name) for name in {OF_THE_HOST}]
        masked = [path for path in paths if os.path.exists(path) and not os.path.isdir(path)]
        for path in masked:
            for attempt in (lambda: os.utime(path), lambda: os.utime(path, (0, 0)), lambda: os.chmod(path, 0o666)):
                try:
                    attempt()
                    print("changed", path)
                except OSError:
                    pass
        print(len(masked) > 5)
        """)
    assert (ran.status, ran.stdout) == (0, "True\n")
    after = os.stat("/dev/null")
    assert (before.st_atime_ns, before.st_mtime_ns) == (after.st_atime_ns, after.st_mtime_ns)


def test_masked_proc_lets_nothing_be_written_in_sys(run, policy):
    ran = run("--policy", policy(proc="masked"), code="""
        import os
        for directory, names, files in os.walk("/proc/sys"):
            for name in files:
                try:
                    os.open(os.path.join(directory, name), os.O_WRONLY)
                    print("could write", directory, name)
                except OSError:
                    pass
        """)
    assert (ran.status, ran.stdout) == (0, "")


def test_sys_is_not_there(inside):
    assert inside["sys"] == []


def test_dev_has_five_nodes_and_shm(inside):
    nodes = {"full", "null", "random", "shm", "urandom", "zero"}
    assert nodes <= set(inside["dev"])
    # Links to /proc/self/fd are no devices.
    assert set(inside["dev"]) - nodes <= {"fd", "stdin", "stdout", "stderr"}


def test_the_devices_are_what_they_are_called(run):
    ran = run(code="""
        import os, stat
        assert open("/dev/zero", "rb").read(4) == bytes(4)
        assert open("/dev/null", "rb").read() == b""
        assert open("/dev/null", "wb").write(b"x") == 1
        assert open("/dev/urandom", "rb").read(16) != open("/dev/random", "rb").read(16)
        try:
            os.write(os.open("/dev/full", os.O_WRONLY), b"x")
        except OSError as error:
            print(error.errno)
        print([oct(stat.S_IMODE(os.stat(d).st_mode)) for d in ("/dev/shm", "/tmp")])
        """)
    assert ran.status == 0, ran
    assert ran.stdout == "28\n['0o1777', '0o1777']\n"


def test_no_device_can_be_made(run):
    ran = run(code="""
        import os, stat
        for kind in (stat.S_IFCHR, stat.S_IFBLK):
            try:
                os.mknod("/tmp/node", kind | 0o666, os.makedev(1, 3))
                print("made")
            except OSError as error:
                print(error.errno)
        """)
    assert ran.stdout == "1\n1\n"


def test_the_root_file_system_cannot_be_changed(run):
    ran = run(code="""
        import os
        for top, names, files in os.walk("/"):
            if top in ("/tmp", "/work", "/dev/shm", "/proc"):
                names[:] = []
                continue
            try:
                open(os.path.join(top, "made"), "x")
                print("made in", top)
            except OSError:
                pass
            for name in files[:5]:
                path = os.path.join(top, name)
                for attempt in (lambda: open(path, "ab"), lambda: os.unlink(path),
                                lambda: os.chmod(path, 0o777), lambda: os.rename(path, path + "x"),
                                lambda: os.utime(path, (0, 0))):
                    if path.startswith("/dev/"):
                        continue
                    try:
                        attempt()
                        print("changed", path)
                    except OSError:
                        pass
        """)
    assert (ran.status, ran.stdout) == (0, ""), ran


def test_tmp_and_work_are_empty_and_writable(run):
    ran = run(code="""
        import os, tempfile
        print(os.listdir("/tmp"), os.listdir("/work"), os.listdir("/dev/shm"))
        for directory in ("/tmp", "/work", "/dev/shm"):
            open(directory + "/x", "w").write("x")
        with tempfile.TemporaryDirectory() as directory:
            print(directory.startswith("/tmp/"))
        """)
    assert ran.stdout == "[] [] []\nTrue\n"


def test_nothing_is_writable_where_the_policy_says_so(run, policy):
    ran = run("--policy", policy(writable=False), code="""
        for path in ("/tmp/test", "/work/test", "/dev/shm/test", "test", "/test"):
            try:
                open(path, "w")
                print("made", path)
            except OSError as error:
                print(type(error).__name__, error.errno)
        """)
    assert ran.status == 0, ran
    assert len(ran.stdout.splitlines()) == 5 and "made" not in ran.stdout
    assert set(ran.stdout.splitlines()) <= {"OSError 30", "PermissionError 13"}, ran.stdout


def test_the_read_only_job_still_reads_its_script_and_files(run, policy, tmp_path):
    (tmp_path / "data.txt").write_text("data")
    script = run.script("print(open('data.txt').read())\n1/0")
    ran = run("--policy", policy(writable=False), "--files", tmp_path / "data.txt", script)
    assert ran.stdout == "data\n"
    assert "    1/0" in ran.stderr


def test_one_job_sees_no_file_of_another(run):
    write = "open('/tmp/left', 'w'); open('/work/left', 'w'); open('/dev/shm/left', 'w')"
    assert run(code=write).status == 0
    ran = run(code="import os; print(os.listdir('/tmp'), os.listdir('.'), os.listdir('/dev/shm'))")
    assert ran.stdout == "[] [] []\n"


def test_no_file_of_the_host_can_be_opened_by_its_path(run, tmp_path):
    (tmp_path / "secret").write_text("of the host")
    ran = run(code=f"""
        import os
        for path in ({str(tmp_path / "secret")!r}, "/root", "/home", "/etc/shadow", "/boot",
                     "/var/run/docker.sock", "/run/systemd", {str(rootfs_path())!r},
                     "/proc/1/root/etc", "/proc/self/../1/cwd/etc"):
            try:
                found = os.listdir(path) if os.path.isdir(path) else open(path).read()
                if found:
                    print(path, found)
            except OSError:
                pass
        """)
    assert ran.status == 0
    assert "of the host" not in ran.stdout
    assert ran.stdout == "", ran.stdout


def test_a_mount_of_the_policy_is_read_only_nosuid_and_nodev(run, policy, tmp_path, host):
    source = tmp_path / "data"
    source.mkdir()
    (source / "file").write_text("shared")
    (source / "file").chmod(0o666)
    for directory in (source, *source.parents):
        if directory.stat().st_uid == os.geteuid() and len(directory.parts) > 2:
            directory.chmod(directory.stat().st_mode | 0o055)
    # /opt is in every root file system of Debian, as a target.
    path = policy(mounts=[{"source": str(source), "target": "/opt"}])
    ran = run("--policy", path, code="""
        print(open("/opt/file").read())
        print(*[line for line in open("/proc/self/mountinfo") if " /opt " in line], end="")
        try:
            open("/opt/file", "a")
            print("could write")
        except OSError as error:
            print(error.errno)
        """)
    lines = ran.stdout.splitlines()
    assert lines[0] == "shared", ran
    assert {"ro", "nosuid", "nodev"} <= parse_mount(lines[1])[2]
    assert lines[2] == "30"


def test_a_root_file_system_in_an_image_of_its_own_tells_no_path_of_the_host(run, host, tmp_path):
    """sandbox-rootfs(1) says how. Otherwise field 4 of the line for / is the path on the host's file system."""
    host.skip_unless_root("to mount an image")
    if shutil.which("mke2fs") is None:
        pytest.skip("mke2fs is not installed: apt install e2fsprogs")
    image, place = tmp_path / "image", tmp_path / "rootfs"
    place.mkdir()
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", rootfs_path(), image, "1G"], check=True)
    # A mount namespace of its own: what is mounted goes with it.
    prefix = ["unshare", "--mount", "sh", "-c", 'mount -o loop,ro "$1" "$2" || exit 77; shift 2; exec "$@"', "sh",
              str(image), str(place)]
    ran = run("--rootfs", place, prefix=prefix, code="print(open('/proc/self/mountinfo').read())")
    if ran.status == 77:
        pytest.skip("this host has no loop devices")
    [line] = [line.split() for line in ran.stdout.splitlines() if line.split()[4:5] == ["/"]]
    assert line[3] == "/" and str(tmp_path) not in ran.stdout, ran
