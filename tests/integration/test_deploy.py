"""The files of src/deploy: they are valid, agree with each other and with the programs, and the seccomp profile allows all
that jobs need and nothing that a container's host has to fear. test_podman.py runs them."""

import ctypes
import ctypes.util
import errno
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from sandbox_run import CHECKOUT
from sandbox_serve import SANITIZED, SERVE

yaml = pytest.importorskip("yaml", reason="python3-yaml is not installed")
pytestmark = pytest.mark.cold

DEPLOY = CHECKOUT / "src/deploy"
PROFILE = DEPLOY / "sandbox-run-seccomp.json"
ALLOW, ERRNO = 0x7FFF0000, 0x00050000  # seccomp.h


def seconds(time):
    number, unit = re.fullmatch(r"(\d+)(s|m)", time).groups()
    return int(number) * {"s": 1, "m": 60}[unit]


def settings():
    """serve.conf as a dictionary."""
    lines = (DEPLOY / "serve.conf").read_text().splitlines()
    return dict(line.split(" = ", 1) for line in lines if line and not line.startswith("#"))


def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["sandbox-serve"]


def kubernetes():
    return list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))


def pod():
    return next(each for each in kubernetes() if each["kind"] == "Deployment")["spec"]["template"]["spec"]


def stages():
    """What apt-get installs in the stages of the Containerfile: what builds the service, and what it needs to run."""
    text = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
    return [set(line.split("--no-install-recommends")[1].split("&&")[0].split())
            for line in text.splitlines() if "apt-get install" in line]


def podman():
    """The words of the README's command that starts the service."""
    section = (DEPLOY / "README.md").read_text().split("\n## Podman\n")[1]
    block = re.search(r"^```sh\n(.*?)^```", section, re.M | re.S)[1].replace("\\\n", " ")
    return shlex.split(block.splitlines()[1])


def values(words, option):
    return [words[at + 1] for at, word in enumerate(words) if word == option]


# ── The seccomp profile ──────────────────────────────────────────────────────────────────────────


def profile():
    return json.loads(PROFILE.read_text())


def answers(call):
    """What the profile has for a call: "allow", "sometimes", an errno's name."""
    rules = [rule for rule in profile()["syscalls"] if call in rule["names"]]
    if not rules:
        return errno.errorcode[profile()["defaultErrnoRet"]]
    if all(rule["action"] == "SCMP_ACT_ALLOW" for rule in rules):
        return "sometimes" if any("args" in rule for rule in rules) else "allow"
    assert len(rules) == 1 and rules[0]["action"] == "SCMP_ACT_ERRNO", rules
    return errno.errorcode[rules[0]["errnoRet"]]


def test_the_committed_profile_is_what_the_script_makes():
    made = subprocess.run([sys.executable, DEPLOY / "seccomp_profile.py", CHECKOUT / "policies"],
                          capture_output=True, text=True, check=True).stdout
    assert made == PROFILE.read_text(), "run src/deploy/seccomp_profile.py policies >src/deploy/sandbox-run-seccomp.json"


@pytest.mark.parametrize("call", [
    "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "bpf", "perf_event_open", "reboot",
    "swapon", "swapoff", "open_by_handle_at", "userfaultfd", "ptrace", "process_vm_readv", "process_vm_writev",
    "pidfd_getfd", "io_uring_enter", "fanotify_init", "acct", "quotactl", "settimeofday", "clock_settime", "adjtimex",
    "syslog", "iopl", "ioperm", "add_key", "request_key", "modify_ldt", "chroot", "vhangup", "move_pages"])
def test_the_container_may_not_call(call):
    assert answers(call) in ("EPERM", "ENOSYS")


def test_an_unknown_call_is_answered_as_by_an_older_kernel():
    assert answers("a_call_of_next_year") == "ENOSYS" and profile()["defaultAction"] == "SCMP_ACT_ERRNO"


def test_a_jobs_profile_that_allows_a_forbidden_call_makes_no_profile(tmp_path):
    directory = tmp_path / "seccomp"
    directory.mkdir()
    (directory / "mine.json").write_text(json.dumps({"groups": [{"action": "allow", "calls": ["read", "bpf"]}]}))
    ran = subprocess.run([sys.executable, DEPLOY / "seccomp_profile.py", tmp_path], capture_output=True, text=True)
    assert ran.returncode == 1 and "bpf" in ran.stderr and ran.stdout == ""


def test_calls_of_other_architectures_are_not_allowed():
    assert [each["subArchitectures"] for each in profile()["archMap"]] == [[], []]


@pytest.fixture(autouse=True)
def no_leak_sanitizer(monkeypatch):
    """It needs ptrace(2), which the profile refuses."""
    monkeypatch.setenv("ASAN_OPTIONS", ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "detect_leaks=0"])))


@pytest.fixture(scope="module")
def below_the_profile():
    """A preexec_fn that installs the profile as container runtimes do, by libseccomp."""
    library = ctypes.util.find_library("seccomp")
    if library is None:
        pytest.skip("libseccomp is not installed")
    seccomp = ctypes.CDLL(library)
    seccomp.seccomp_init.restype = ctypes.c_void_p

    class Comparison(ctypes.Structure):
        _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]

    equal = 4  # SCMP_CMP_EQ
    context = ctypes.c_void_p(seccomp.seccomp_init(ERRNO | profile()["defaultErrnoRet"]))
    for rule in profile()["syscalls"]:
        action = ALLOW if rule["action"] == "SCMP_ACT_ALLOW" else ERRNO | rule["errnoRet"]
        compared = [Comparison(each["index"], equal, each["value"], 0) for each in rule.get("args", [])]
        for call in rule["names"]:
            number = seccomp.seccomp_syscall_resolve_name(call.encode())
            if number == -1:  # libseccomp does not know it, and runtimes leave it out then
                continue
            added = seccomp.seccomp_rule_add_array(context, ctypes.c_uint32(action), number, len(compared),
                                                   (Comparison * len(compared))(*compared))
            assert added == 0 or number < 0, (call, added)

    def install():
        if ctypes.CDLL(None).prctl(38, 1, 0, 0, 0) or seccomp.seccomp_load(context):
            os._exit(99)

    yield install
    seccomp.seccomp_release(context)


@pytest.mark.parametrize("start", ["cold", "warm"])
def test_below_the_profile_everything_is_enforced(run, below_the_profile, start):
    ran = run("--start", start, preexec_fn=below_the_profile, json=True, code="import os; print(os.uname().nodename)")
    assert ran.status == 0, ran
    assert ran.verdict["output"] == "sandbox"
    assert ran.verdict["enforcement"]["missing"] == [] and ran.verdict["enforcement"]["start"] == start


def test_below_the_profile_doctor_finds_what_it_finds_without(run, below_the_profile):
    inside, outside = (json.loads(run("--doctor", "--json", **popen).stdout)["findings"]
                       for popen in ({"preexec_fn": below_the_profile}, {}))
    assert [(each["name"], each["ok"]) for each in inside] == [(each["name"], each["ok"]) for each in outside]


def test_below_the_profile_verdicts_name_the_calls_that_were_refused(run, below_the_profile):
    ran = run(preexec_fn=below_the_profile, json=True, code="""
        import ctypes
        print(ctypes.CDLL(None, use_errno=True).unshare(0x10000000), ctypes.get_errno())
        """)
    assert "unshare" in json.dumps(ran.verdict["denied"]), ran


# ── Valid for those who read them ────────────────────────────────────────────────────────────────


def test_docker_compose_takes_compose_yaml():
    if shutil.which("docker-compose") is None:
        pytest.skip("docker-compose is not installed")
    ran = subprocess.run(["docker-compose", "--file", "compose.yaml", "config", "--quiet"], cwd=DEPLOY,
                         capture_output=True, text=True)
    assert ran.returncode == 0, ran


@pytest.fixture(scope="module")
def compiler():
    """TypeScript's compiler, in a directory that has Kubernetes' types: once for each state of the lock file."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    inputs = [CHECKOUT / "tests/kubernetes" / name for name in ("package.json", "package-lock.json")]
    state = hashlib.sha256(b"".join(path.read_bytes() for path in inputs)).hexdigest()[:16]
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "sandbox-run"
    cache.mkdir(parents=True, exist_ok=True)
    directory = cache / f"npm-kubernetes-{state}"
    with open(cache / "npm-kubernetes.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory / "whole").exists():
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir()
            for path in inputs:
                shutil.copy(path, directory)
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=directory, check=True)
            (directory / "whole").touch()
    return directory


def wrong_in(documents, compiler, tmp_path):
    """What TypeScript says of Kubernetes objects: as literals, they may have no member that their type has not."""
    imports = [f'import type {{I{each["kind"]} as T{n}}} from "kubernetes-models/{each["apiVersion"]}";'
               for n, each in enumerate(documents)]
    objects = [f"export const d{n}: T{n} = {json.dumps(each)};" for n, each in enumerate(documents)]
    # Types are looked for in node_modules beside the file, or above it.
    (tmp_path / "node_modules").symlink_to(compiler / "node_modules")
    (tmp_path / "objects.mts").write_text("\n".join(imports + objects))
    return subprocess.run([compiler / "node_modules/.bin/tsc", "--noEmit", "--strict", "--skipLibCheck",
                           "--module", "nodenext", "--target", "es2022", "objects.mts"],
                          cwd=tmp_path, capture_output=True, text=True).stdout


@pytest.mark.long
def test_kubernetes_objects_have_the_types_of_its_api(compiler, tmp_path):
    assert wrong_in(kubernetes(), compiler, tmp_path) == ""


@pytest.mark.long
@pytest.mark.parametrize("member,value,said", [("hostUser", False, "'hostUser' does not exist"),
                                              ("hostUsers", "no", "'string' is not assignable")])
def test_a_wrong_member_would_be_seen(compiler, tmp_path, member, value, said):
    documents = kubernetes()
    documents[0]["spec"]["template"]["spec"][member] = value
    assert said in wrong_in(documents, compiler, tmp_path).replace('"', "")


# ── In agreement ─────────────────────────────────────────────────────────────────────────────────


def test_all_give_the_same_capabilities():
    context = pod()["containers"][0]["securityContext"]["capabilities"]
    words = podman()
    assert compose()["cap_drop"] == context["drop"] == values(words, "--cap-drop") == ["ALL"]
    assert compose()["cap_add"] == context["add"] == values(words, "--cap-add")[0].split(",") == ["SETUID", "SETGID", "CHOWN"]


def test_all_have_the_same_security_options():
    ours, docker = set(values(podman(), "--security-opt")), set(compose()["security_opt"])
    context = pod()["containers"][0]["securityContext"]
    assert ours == {"no-new-privileges", f"seccomp={PROFILE.name}", "apparmor=unconfined", "unmask=ALL"}
    assert docker == {"no-new-privileges:true", f"seccomp:./{PROFILE.name}", "apparmor:unconfined",
                      "systempaths=unconfined", "writable-cgroups=true"}
    assert (context["allowPrivilegeEscalation"], context["procMount"]) == (False, "Unmasked")
    assert context["seccompProfile"] == {"type": "Localhost", "localhostProfile": PROFILE.name}
    assert context["appArmorProfile"] == {"type": "Unconfined"}


def test_nothing_is_privileged():
    assert "privileged" not in compose() and "--privileged" not in podman()
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod().keys() and pod()["hostUsers"] is False
    assert "privileged" not in pod()["containers"][0]["securityContext"]


def longest_job():
    """Of the policies that the image offers: "default" is for operators."""
    policies = [json.loads(path.read_text()) for path in (CHECKOUT / "policies").glob("*.json") if path.stem != "default"]
    return max(policy["caps"]["wall_time_ms"] for policy in policies) / 1000


def test_a_stop_waits_for_the_longest_job():
    grace = seconds(settings()["grace"])
    assert grace >= longest_job()
    assert seconds(compose()["stop_grace_period"]) >= grace + 5
    assert int(values(podman(), "--stop-timeout")[0]) >= grace + 5


def test_a_pod_waits_for_the_longest_job_after_the_time_in_which_it_leaves_its_service():
    args = pod()["containers"][0]["args"]
    linger, grace = (seconds(values(args, option)[0]) for option in ("--linger", "--grace"))
    assert grace >= longest_job() and pod()["terminationGracePeriodSeconds"] >= linger + grace + 5


def test_the_service_knows_each_setting_and_option():
    usage = subprocess.run([SERVE, "--help"], capture_output=True, text=True, check=True).stdout
    given = [f"--{name}" for name in settings()] + [word for word in pod()["containers"][0]["args"] if word.startswith("--")]
    assert [option for option in given if not re.search(rf"{option}\b", usage)] == []


def test_probes_ask_for_endpoints_that_are_there():
    described = json.loads((CHECKOUT / "src/serve/api/openapi.json").read_text())["paths"]
    container = pod()["containers"][0]
    asked = {container[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    health = re.search(r"GET (/\w+)", (DEPLOY / "Containerfile").read_text())[1]
    assert asked | {health} <= described.keys()


def test_each_file_is_in_the_readmes_table():
    rows = set(re.findall(r"^\| `([\w.-]+)` \|", (DEPLOY / "README.md").read_text(), re.M))
    there = {path.name for path in DEPLOY.iterdir() if path.is_file()}
    assert there - rows == {"README.md", "seccomp_profile.py", "meson.build"}, there - rows


def test_what_the_readme_quotes_of_doctor_are_its_words():
    sources = "".join(re.sub(r'"\s*(?:option)?\s*"', "", path.read_text()) for path in (CHECKOUT / "src/core").glob("*.c"))
    table = (DEPLOY / "README.md").read_text().split("\n## Each option")[1].split("\n## ")[0]
    quoted = re.findall(r'"([^"]+)"', table)
    assert len(quoted) > 5 and [words for words in quoted if words not in sources] == []


# ── The Containerfile ────────────────────────────────────────────────────────────────────────────


@pytest.mark.skipif(SANITIZED or not SERVE.exists(), reason="sandbox-serve is not built, or with further libraries")
def test_the_image_has_all_libraries_of_the_service_and_its_build_what_makes_them():
    linked = subprocess.run(["ldd", SERVE], capture_output=True, text=True, check=True).stdout
    needed = subprocess.run(["readelf", "-d", SERVE], capture_output=True, text=True, check=True).stdout
    names = set(re.findall(r"\(NEEDED\).*\[(.*)\]", needed))
    files = {pathlib.Path(path).resolve() for name, path in re.findall(r"(\S+) => (\S+)", linked) if name in names}
    assert len(files) >= 5
    owned = subprocess.run(["dpkg-query", "-S", *(f"*/{file.name}" for file in files)],
                           capture_output=True, text=True, check=True).stdout
    owners = {line.split(":")[0] for line in owned.splitlines() if pathlib.Path(line.split(": ")[1]).resolve() in files}
    build, run = stages()
    assert len(owners) >= 5 and owners - {"libc6"} <= run
    service = re.search(r"^service_packages=\((.*)\)", (CHECKOUT / "dev").read_text(), re.M)[1].split()
    assert set(service) - {"libsystemd-dev"} <= build  # systemd starts no service in a container
