"""The seccomp filter's answers to system calls: dangerous ones, unknown ones, and those of other architectures."""

import errno
import os

import pytest

from kernel import USER_MODE_LINUX, number_of

pytestmark = pytest.mark.vm("delegated")

DANGEROUS_CALLS = """
mount umount2 pivot_root unshare setns ptrace bpf perf_event_open add_key request_key keyctl userfaultfd
io_uring_setup process_vm_readv process_vm_writev open_by_handle_at name_to_handle_at kexec_load init_module
finit_module reboot swapon acct settimeofday clock_settime syslog quotactl chroot fsopen open_tree move_mount
mount_setattr fanotify_init pidfd_getfd clone3 sethostname
""".split()

CALL = """
    import ctypes, json, os
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    answers = []
    for numbers in {calls}:
        result = libc.syscall(*map(ctypes.c_long, numbers))
        answers.append([result, ctypes.get_errno()])
        if numbers[0] in (56, 220) and result == 0:
            os._exit(0)  # a child that was made
    print(json.dumps(answers))
    """


def answer(told, calls, call):
    """Of several system calls, which a script makes in turn, the answer to one: (result, errno)."""
    answers = told(CALL.format(calls=calls))
    return tuple(answers[calls.index(call)])


DANGEROUS = [[number_of(name), 0, 0, 0, 0, 0, 0] for name in DANGEROUS_CALLS]


@pytest.mark.parametrize("name", sorted(DANGEROUS_CALLS))
def test_a_dangerous_system_call_is_refused(told, name):
    answered = answer(told, DANGEROUS, [number_of(name), 0, 0, 0, 0, 0, 0])
    assert answered in ((-1, errno.EPERM), (-1, errno.ENOSYS))
    if name == "clone3":
        assert answered == (-1, errno.ENOSYS)


UNKNOWN = [[number, 0] for number in (1000, 462 + 200, 0x3fffffff)]


def test_a_system_call_that_the_profile_does_not_know_is_not_there(told):
    for call in UNKNOWN:
        assert answer(told, UNKNOWN, call) == (-1, errno.ENOSYS)


NAMESPACE_FLAGS = [0x10000000, 0x20000000, 0x40000000, 0x00020000, 0x08000000, 0x04000000, 0x02000000,
                   0x00000080]
HIGH_BITS = [0, 1 << 32]
CLONE = 56 if os.uname().machine == "x86_64" else 220
CLONES = [[CLONE, flag | 17 | high, 0, 0, 0, 0] for flag in NAMESPACE_FLAGS for high in HIGH_BITS]


@pytest.mark.parametrize("flag", NAMESPACE_FLAGS)
@pytest.mark.parametrize("high", HIGH_BITS)
def test_clone_with_a_namespace_flag_is_refused(told, flag, high):
    assert answer(told, CLONES, [CLONE, flag | 17 | high, 0, 0, 0, 0]) == (-1, errno.EPERM)


TYPING = [0x5412, 0x541C, 0x5412 | 1 << 32]
IOCTLS = [[16 if os.uname().machine == "x86_64" else 29, 0, request, 0] for request in TYPING]


@pytest.mark.parametrize("request_number", TYPING)
def test_ioctls_that_type_into_a_terminal_are_refused(told, request_number):
    assert answer(told, IOCTLS, IOCTLS[TYPING.index(request_number)]) == (-1, errno.EPERM)


def test_calls_of_x32_do_nothing(run):
    if os.uname().machine != "x86_64":
        pytest.skip("x32 is x86-64's")
    ran = run(json=True, code=CALL.format(calls=[[0x40000000 | 39]]))  # getpid
    assert ran.verdict["signal"] == "SIGSYS" or ran.verdict["stdout"].startswith("[[-1, "), ran


@pytest.mark.skipif(USER_MODE_LINUX, reason="user-mode Linux answers them itself")
def test_calls_of_i386_kill(run):
    if os.uname().machine != "x86_64":
        pytest.skip("i386 is x86-64's")
    ran = run(json=True, code=r"""
        import ctypes, mmap
        code = b"\xb8\x14\x00\x00\x00\xcd\x80\xc3"  # mov eax, 20 (getpid); int 0x80; ret
        try:
            m = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        except OSError:
            print("no memory can be made executable")
            raise SystemExit
        m.write(code)
        address = ctypes.addressof(ctypes.c_char.from_buffer(m))
        print("pid", ctypes.CFUNCTYPE(ctypes.c_int)(address)())
        """)
    assert "pid" not in ran.verdict["stdout"]
    assert ran.verdict["signal"] in ("SIGSYS", "SIGSEGV") or "executable" in ran.verdict["stdout"]


def test_threads_work_although_clone3_is_not_there(run):
    ran = run(code="""
        import threading
        results = []
        threads = [threading.Thread(target=results.append, args=(i,)) for i in range(10)]
        for t in threads: t.start()
        for t in threads: t.join()
        print(sorted(results))
        """)
    assert ran.stdout == f"{list(range(10))}\n"
