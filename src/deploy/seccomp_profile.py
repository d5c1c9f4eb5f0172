#!/usr/bin/env python3
"""Makes sandbox-run-seccomp.json: the seccomp profile of a container in which sandbox-run or sandbox-serve runs, in the
form that Docker, Podman and Kubernetes read.

    seccomp_profile.py POLICIES >sandbox-run-seccomp.json        POLICIES: the directory of the jobs' own profiles

Jobs run below this filter, too, so it allows each call that a profile of jobs allows. To these it adds what makes
sandboxes. All known calls that are left get EPERM, and calls that are not known here ENOSYS, as from an older kernel:
a C library then uses an older call instead."""

import json
import pathlib
import sys

# Calls that jobs never make, or never with success: what the service, libsandbox and its zygotes need them for.
ADDED = {
    "Namespaces for jobs. In those that a process has made it has all capabilities, outside of them none: filters of "
    "the jobs' own forbid these calls to them.":
        ["clone", "clone3", "unshare", "setns"],
    "The job's view of files: a root of its own with read-only mounts, made in its mount namespace.":
        ["mount", "umount2", "pivot_root", "mount_setattr", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount",
         "fspick"],
    "The job's names, ids and session keyring, its disk and memory priorities.":
        ["sethostname", "setdomainname", "setgroups", "setresuid", "setresgid", "capset", "keyctl", "ioprio_get",
         "ioprio_set", "set_mempolicy", "get_mempolicy"],
    "Filters for jobs, their listeners, and Landlock.":
        ["seccomp", "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"],
    "Supervision of jobs: ends, signals, and descriptors of processes.":
        ["pidfd_open", "pidfd_send_signal", "waitid", "prctl", "prlimit64"],
    "A zygote's ring, in which no operation can be submitted: it pins memory, so that clones of it cost less. "
    "io_uring_enter stays forbidden.":
        ["io_uring_setup", "io_uring_register"],
    "Writing policies, tokens and logs out.":
        ["sync", "syncfs"],
}

# Calls with an answer of their own. The jobs' profiles decide about the other arguments, for jobs alone.
CONDITIONS = {
    "The usual execution domain, and reading it: others switch protections off.": ("personality", [0, 0xFFFFFFFF]),
}

# Known to be of use to an attacker who has taken over the service. They must never get into the list of allowed calls,
# whatever a profile of jobs comes to say.
FORBIDDEN = {
    "bpf", "perf_event_open", "userfaultfd", "io_uring_enter", "fanotify_init", "fanotify_mark", "lookup_dcookie",
    "open_by_handle_at", "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "pidfd_getfd",
    "init_module", "finit_module", "delete_module", "create_module", "kexec_load", "kexec_file_load", "reboot",
    "swapon", "swapoff", "acct", "quotactl", "quotactl_fd", "settimeofday", "clock_settime", "clock_adjtime",
    "adjtimex", "syslog", "iopl", "ioperm", "modify_ldt", "vhangup", "nfsservctl", "uselib", "add_key", "request_key",
    "mbind", "migrate_pages", "move_pages",
}


def calls_of_jobs(directory):
    """(calls that a profile of jobs lets through, at least with some arguments, calls that it only refuses)"""
    allowed, named = set(), set()
    files = sorted(pathlib.Path(directory, "seccomp").glob("*.json"))
    if not files:
        sys.exit(f"seccomp_profile.py: no profile in {directory}/seccomp: name the directory policies of the checkout")
    for file in files:
        for group in json.loads(file.read_text())["groups"]:
            calls = {call.partition("=")[0] for call in group["calls"]}
            named |= calls
            if group["action"] in ("allow", "ignore"):
                allowed |= calls
    return allowed, named - allowed


def rule(comment, names, action="SCMP_ACT_ALLOW", **more):
    return {"comment": comment, "names": sorted(names), "action": action, **more}


def profile(directory):
    allowed, refused = calls_of_jobs(directory)
    conditional = {call for call, _ in CONDITIONS.values()}
    added = {call for calls in ADDED.values() for call in calls}
    wrong = (allowed | added) & FORBIDDEN
    if wrong:
        sys.exit(f"seccomp_profile.py: {', '.join(sorted(wrong))}: allowed to jobs, but forbidden to their container")
    rules = [rule("What jobs may call, as their own profiles say: policies/seccomp.", allowed - conditional)]
    rules += [rule(why, set(calls) - allowed) for why, calls in ADDED.items() if set(calls) - allowed]
    rules += [rule(why, [call], args=[{"index": 0, "value": value, "op": "SCMP_CMP_EQ"}])
              for why, (call, values) in CONDITIONS.items() for value in values]
    rules.append(rule("Known, and of use to nobody here.", (refused | FORBIDDEN) - added - conditional,
                      "SCMP_ACT_ERRNO", errnoRet=1))
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 38,
        # No sub-architectures: 32-bit calls kill the process, as in jobs.
        "archMap": [{"architecture": f"SCMP_ARCH_{name}", "subArchitectures": []} for name in ("X86_64", "AARCH64")],
        "syscalls": rules,
    }


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: seccomp_profile.py POLICIES >sandbox-run-seccomp.json")
    print(json.dumps(profile(sys.argv[1]), indent=2))


if __name__ == "__main__":
    main()
