"""libsandbox as a program of other people's uses it: compiled against the header, linked with the library."""

import os
import re
import shutil
import subprocess

import pytest

from sandbox_run import CHECKOUT, LIBRARY, SANITIZE

pytestmark = [pytest.mark.cold, pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler here")]


def example(number, directory):
    """The source of an example of the manual."""
    manual = (CHECKOUT / "man" / "libsandbox.3").read_text("utf-8")
    source = directory / f"example-{number}.c"
    source.write_text(re.findall(r"^\.Bd .*?\n(.*?)^\.Ed", manual, re.M | re.S)[number].replace(r"\e", "\\"))
    return source


def test_the_example_of_the_manual_compiles_and_runs(compiled, tmp_path):
    ran = subprocess.run([compiled(example(0, tmp_path))], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "ok: 42\n", "")


def test_the_manuals_example_with_a_loop_of_libevent_compiles_and_runs(compiled, tmp_path):
    found = subprocess.run(["pkg-config", "--cflags", "--libs", "libevent"], capture_output=True, text=True)
    if found.returncode != 0:
        pytest.skip("libevent is not here")
    ran = subprocess.run([compiled(example(1, tmp_path), *found.stdout.split())], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "ok: 42\nthe loop went on meanwhile\n", "")


def declared():
    """The functions of the header."""
    header = (CHECKOUT / "include" / "sandbox.h").read_text("utf-8")
    return set(re.findall(r"\b(sb_\w+)\(", re.sub(r"/\*.*?\*/", "", header, flags=re.S)))


def exported(*arguments):
    symbols = subprocess.run(["nm", "--defined-only", *arguments], check=True, capture_output=True, text=True).stdout
    return {fields[2] for fields in map(str.split, symbols.splitlines()) if len(fields) == 3}


@pytest.mark.vm("delegated")
@pytest.mark.slow
def test_one_thread_supervises_hundreds_of_jobs_in_a_loop_of_its_callers_and_leaves_no_descriptor(compiled):
    jobs = 40 if SANITIZE or os.environ.get("SANDBOX_TEST_QUICK") else 300
    program = compiled(CHECKOUT / "tests" / "integration" / "many_jobs.c")
    ran = subprocess.run([program, str(jobs), os.environ.get("SANDBOX_TEST_CGROUP") or "auto"], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"{jobs} good, 0 descriptors left\n", "")


def test_the_shared_library_exports_nothing_but_what_the_header_declares():
    assert exported("-D", LIBRARY / "libsandbox.so") == declared()


@pytest.mark.skipif(bool(SANITIZE), reason="a sanitizer adds names of its own")
def test_the_static_library_exports_nothing_but_what_the_header_declares():
    assert exported("--extern-only", LIBRARY / "libsandbox.a") == declared()


@pytest.mark.skipif(bool(SANITIZE), reason="the static library has the sanitizers' code in it")
def test_a_program_has_what_names_it_likes_beside_the_static_library(tmp_path):
    """As pkg-config --static says it; these names are the library's own inside."""
    source, program = tmp_path / "names.c", tmp_path / "names"
    own = ["launch", "inside", "filter_load", "path_normalise", "run_kill", "policy_admit", "cgroup_open", "tool_run"]
    source.write_text("#include <sandbox.h>\n#include <stdio.h>\n" + "".join(f"int {name};\n" for name in own) +
                      "int main(void) { struct sb_sandbox *s; struct sb_error e;"
                      ' sb_open(&s, &(struct sb_options){.rootfs = "/nowhere"}, &e);'
                      ' return puts(e.step) < 0 || ' + " || ".join(own) + "; }\n")
    static = subprocess.run(["pkg-config", "--static", "--libs", "libseccomp", "json-c"], capture_output=True, text=True,
                            check=True).stdout.split()
    subprocess.run(["cc", "-I", CHECKOUT / "include", "-o", program, source, LIBRARY / "libsandbox.a", *static, "-lm"],
                   check=True)
    assert subprocess.run([program], capture_output=True, text=True, check=True).stdout == "rootfs\n"


def test_a_program_in_cpp_has_the_library_by_pkg_config(tmp_path):
    if shutil.which("g++") is None:
        pytest.skip("no C++ compiler here")
    source, program = tmp_path / "program.cc", tmp_path / "program"
    source.write_text("#include <sandbox.h>\n#include <cstdio>\nint main() { std::puts(sb_version()); }\n")
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libsandbox"], check=True, capture_output=True, text=True,
                           env=os.environ | {"PKG_CONFIG_PATH": str(LIBRARY.parents[1] / "meson-uninstalled")})
    subprocess.run(["g++", "-Wall", "-Wextra", "-Werror", "-pedantic", *SANITIZE, "-I", CHECKOUT / "include", "-o", program,
                    source, *flags.stdout.split(), f"-Wl,-rpath,{LIBRARY}"], check=True)
    said = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", said)


def test_what_a_zygote_loads_asks_for_nothing_that_an_older_c_library_lacks():
    """The names that newer headers give to old functions (C23, fortification) are not there in an older one, nor in another."""
    symbols = subprocess.run(["nm", "-D", "--undefined-only", LIBRARY.parent / "zygote" / "libzygote.so"], check=True,
                             capture_output=True, text=True).stdout
    names = {line.split()[-1].partition("@")[0] for line in symbols.splitlines()}
    assert {"recvmsg", "PyOS_BeforeFork"} <= names
    assert [name for name in names if name.startswith("__isoc") or name.endswith("_chk")] == []
    # What reads numbers has such names everywhere: there are none of them here.
    assert [name for name in names if re.match(r"str(to|f)|sscanf|ato", name)] == []


def test_misuse_of_the_library_is_an_error_or_harmless_as_its_header_says(compiled):
    ran = subprocess.run([compiled(CHECKOUT / "tests" / "integration" / "misuse.c")], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_without_options_the_library_looks_where_it_was_configured_to(compiled, tmp_path):
    """And not where an environment variable says: those are sandbox-run's."""
    source = tmp_path / "defaults.c"
    source.write_text("""
        #include <sandbox.h>
        #include <stdio.h>
        int main(void)
        {
            struct sb_sandbox *sandbox;
            struct sb_error err = {0};
            struct sb_uids *uids;
            if (sb_uids_open(&uids, NULL, &err) == 0)
                sb_uids_free(uids);
            else
                printf("%s\\n", err.message);
            if (sb_open(&sandbox, NULL, &err) < 0)
                printf("%s\\n", err.step);
            sb_close(sandbox);
            return sb_doctor(NULL, NULL, NULL, NULL) < 0;
        }
    """)
    ran = subprocess.run([compiled(source)], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout in ("", "rootfs\n")
