#!/usr/bin/python3
"""Which layer stops what: runs the hostile scripts with one layer of the sandbox switched off, all others on.

    tests/layers/layers.py              the table of SECURITY.md
    tests/layers/layers.py --write      puts it there
    tests/layers/layers.py seccomp -v   one layer, and what each script said that got through

Each script runs in a job of sandbox-run-without (without.c), which has one wall fewer: that the other walls stand is
what makes it safe. Three are never switched off: the user namespace, the pid namespace and the mount namespace, without
which a script would be root, kill or remount on the host itself."""

import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
sys.path[:0] = [str(HERE.parent / "attack"), str(HERE.parent / "helpers")]
sys.dont_write_bytecode = True

import test_attack  # noqa: E402

PAGE = CHECKOUT / "SECURITY.md"
BEGIN, END = "<!-- layers: made by tests/layers/layers.py --write -->", "<!-- end of layers -->"


@dataclasses.dataclass(frozen=True)
class Layer:
    name: str  # SANDBOX_WITHOUT
    what: str
    tried: str  # beginnings of the names of scripts that have to do with it
    but: str = ""  # not these, with a reason
    options: tuple = ()

    def scripts(self):
        return [attack for attack in test_attack.ATTACKS
                if attack.name.startswith(tuple(self.tried.split())) and attack.name not in self.but.split()]


LAYERS = [
    Layer("seccomp", "the seccomp filter",
          "cgroup_ crash_ dev_ fs_ kernel_ limits_ memory_ net_ ns_ priv_ proc_ process_ seccomp_ tmp_"),
    Layer("landlock", "Landlock", "dev_ fs_ kernel_ net_ ns_ priv_ proc_ process_ seccomp_"),
    Layer("capabilities", "dropping capabilities (a script has all of its own user namespace)",
          "cgroup_ dev_ fs_ kernel_ limits_ memory_locked net_ ns_ priv_ proc_ process_ seccomp_ tmp_"),
    Layer("no_new_privs", "no_new_privs", "fs_ ns_ priv_ seccomp_"),
    Layer("dumpable", "hiding process 1 (it can be read by its user)", "display_ forge_ output_ proc_ process_ result_"),
    Layer("read_only", "read-only mounts (root file system, `/dev`)", "dev_ fs_ priv_ proc_ tmp_"),
    Layer("nosuid_nodev", "nosuid and nodev", "collect_ dev_ fs_ priv_ proc_ tmp_"),
    Layer("pivot_root", "pivot_root (a chroot in its place)", "cgroup_ collect_ dev_ fs_ ns_ proc_"),
    Layer("proc", "the small, read-only `/proc` (all of it, writable)",
          "cgroup_ fs_ limits_ memory_dirty_cow memory_files net_ ns_ output_ priv_ proc_ process_"),
    Layer("network", "the network namespace", "kernel_ net_"),
    # What others of the scripts make would stay in the host's.
    Layer("ipc", "the ipc namespace", "memory_sysv ns_ipc_seen"),
    Layer("cgroup_namespace", "the cgroup namespace", "cgroup_ ns_ proc_"),
    # Not cpu_quota, which measures by the clock: on a crowded machine nobody gets more than a quarter of a CPU.
    Layer("cgroup", "the cgroup", "cgroup_ cpu_ memory_ process_ time_ tmp_", but="cpu_quota",
          options=("--cgroup", "none", "--best-effort")),
    Layer("rlimits", "resource limits (all but that on core dumps)", "cpu_quota crash_ limits_ memory_ process_"),
    Layer("keyring", "the session keyring of its own", "kernel_keyrings"),
    Layer("descriptors", "closing what was inherited", "forge_ fs_ output_ process_ result_"),
]


# What these find without a layer depends on the host: its networks, and whether it has a route.
OF_THE_HOST = {"net_interfaces", "net_multicast"}


def run(layer, attack, host, terminal):
    """(CONTAINED, BREACH, …; what it said)"""
    shared = str(test_attack.HERE / "hostile.py")
    options = ["--json", "--files", shared, *test_attack.options_of(attack), *layer.options]
    for name, value in host.environment.items():
        options += ["--env", f"{name}={value}"]
    program = str(CHECKOUT / "build/tests/sandbox-run-without")
    options += ["--env", "ATTACK_PATIENCE=2"]  # not the usual half minute, where nothing ends a script
    ran = host.run([program, *options, str(attack.path)], {"SANDBOX_WITHOUT": layer.name},
                   terminal if "terminal" in attack.host.split() else None)
    try:
        verdict = json.loads(ran.stdout)
    except ValueError:
        return "BREACH", f"no verdict: {ran.stdout[:200]} {ran.stderr[:200]}"
    said = " ".join([verdict["stdout"].rstrip("\n").split("\n")[-1], verdict.get("error") or "", verdict["stderr"][-300:]])
    outcome = test_attack.judge(attack, verdict)
    try:
        host.check(verdict["stdout"] + verdict["stderr"])
        if attack.name in test_attack.CHECKS:
            test_attack.CHECKS[attack.name](verdict, ran.usage)
    except AssertionError as error:
        return "BREACH", f"seen on the host: {str(error)[:200]}"
    return outcome, said


def run_on_a_host_of_its_own(layer, attack):
    controller, terminal = os.openpty()
    with tempfile.TemporaryDirectory(prefix="layers-") as directory:
        host = test_attack.Host(pathlib.Path(directory))
        try:
            return run(layer, attack, host, terminal)
        finally:
            host.close()
            os.close(controller)
            os.close(terminal)


def try_all(layer, workers=None):
    """{name of a script: (outcome, what it said)}"""
    with concurrent.futures.ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        results = pool.map(lambda attack: (attack.name, run_on_a_host_of_its_own(layer, attack)), layer.scripts())
        return dict(results)


def through(results):
    """The scripts that the other layers do not hold. What is unclear is not held."""
    return sorted(name for name, (outcome, _) in results.items() if outcome not in ("CONTAINED", "SKIPPED"))


# ── The table ────────────────────────────────────────────────────────────────────────────────────


def row(layer, names):
    tried = len(layer.scripts())
    listed = ", ".join(f"`{name}`" for name in names) or "nothing"
    return f"| {layer.what} | {tried} | {tried - len(names)} | {listed} |"


def table(results):
    """`results`: {name of a layer: {name of a script: …}}"""
    alone = {layer.name: through(results[layer.name]) for layer in LAYERS}
    every = {name for names in alone.values() for name in names}
    lines = [BEGIN, "| without | tried | held by the others | gets through |", "| --- | --- | --- | --- |",
             *(row(layer, alone[layer.name]) for layer in LAYERS), "",
             f"Made on Linux {kernel()} as root: {sum(len(layer.scripts()) for layer in LAYERS)} runs of "
             f"{len(test_attack.ATTACKS)} scripts, of which {len(every)} need the one layer that was missing, and "
             f"{len(test_attack.ATTACKS) - len(every)} are held whichever is.", END]
    return "\n".join(lines)


def kernel():
    return re.match(r"\d+\.\d+", os.uname().release)[0]


def written_table():
    """What SECURITY.md has between its marks."""
    _, found, rest = PAGE.read_text().partition(BEGIN)
    assert found and END in rest, f"{PAGE.name} has no table of layers"
    return BEGIN + rest.partition(END)[0] + END


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("layers", nargs="*", metavar="layer", choices=[[], *(layer.name for layer in LAYERS)])
    parser.add_argument("--write", action="store_true", help="put the table into SECURITY.md")
    parser.add_argument("-v", action="store_true", help="what each script said that got through")
    options = parser.parse_args()
    results = {}
    for layer in LAYERS:
        if not options.layers or layer.name in options.layers:
            results[layer.name] = try_all(layer)
            print(f"{layer.name}: {len(results[layer.name])} tried", file=sys.stderr)
            for name in through(results[layer.name]) if options.v else ():
                print(f"  {name}: {': '.join(results[layer.name][name])[:400]}")
    if options.layers:
        return
    if options.write:
        PAGE.write_text(PAGE.read_text().replace(written_table(), table(results)))
    else:
        print(table(results))


if __name__ == "__main__":
    main()
