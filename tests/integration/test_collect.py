"""Files that come back: those that a script made or changed, whatever it did to them, and nothing else. They are written
below the given directory only."""

import base64
import json
import os

import pytest

from sandbox_run import refused

pytestmark = pytest.mark.vm("user")  # whose files are another's on the host


@pytest.fixture(params=["cold", "warm"])
def collect(run, request):
    """collect(code, glob, …) gives the verdict, with the content of each file as bytes in place of its object."""
    def call(code, *globs, options=(), starts=True):
        patterns = [word for glob in globs or ("**",) for word in ("--collect-glob", glob)]
        ran = run("--start", request.param, *patterns, *options, json=True, code=code)
        verdict = ran.verdict
        assert verdict["enforcement"]["start"] == request.param or not starts, verdict
        verdict["files"] = {path: content(file) for path, file in verdict["files"].items()}
        verdict["left_out"] = {one["path"]: one["why"] for one in verdict["files_left_out"]}
        return verdict

    return call


def content(file):
    data = file["text"].encode() if "text" in file else base64.b64decode(file["base64"])
    assert len(data) == file["size"] and len({"text", "base64"} & set(file)) == 1
    return data


# ── What comes back ──────────────────────────────────────────────────────────────────────────────


def test_files_that_are_new_come_back(collect):
    verdict = collect("""
        import os
        os.makedirs("out/deep")
        open("out/deep/a.txt", "w").write("é\\n")
        open("bytes", "wb").write(bytes(range(256)))
        open("empty", "w")
    """)
    assert verdict["files"] == {"out/deep/a.txt": "é\n".encode(), "bytes": bytes(range(256)), "empty": b""}
    assert verdict["files_left_out"] == []


def test_of_the_files_that_a_job_is_given_the_changed_ones_come_back(run, tmp_path):
    given = tmp_path / "given"
    given.mkdir()
    for name in ("same", "touched", "longer", "as-long", "removed"):
        (given / name).write_text(f"content of {name}")
    script = run.script("""
        import os
        os.utime("touched"); os.chmod("touched", 0o600)
        text = open("touched").read(); open("touched", "w").write(text)
        open("longer", "a").write(".")
        open("as-long", "r+").write("C")
        os.remove("removed")
        os.rename("same", "renamed")
        open("same", "w").write("content of same")
    """)
    for start in ("cold", "warm"):
        ran = run("--start", start, "--collect-glob", "**", "--files", f"{given}/.", script, json=True)
        assert set(ran.verdict["files"]) == {"longer", "as-long", "renamed"}, ran
        assert ran.verdict["files"]["as-long"]["text"] == "Content of as-long"


def test_the_script_comes_back_only_if_it_changed_itself(run):
    for code, files in (("pass", set()), ("open(__file__, 'a').write('#')", {"script.py"})):
        ran = run("--collect-glob", "**", run.script(code), json=True)
        assert set(ran.verdict["files"]) == files


def test_a_script_that_declares_another_encoding_is_not_new(run):
    script = run.script("# coding: latin-1\nprint('é')\n".encode("latin-1"))
    assert run("--collect-glob", "**", script, json=True).verdict["files"] == {}


def test_large_files_that_a_job_is_given_are_compared_too(run, tmp_path):
    given = tmp_path / "given"
    given.mkdir()
    for name in ("same", "changed"):
        (given / name).write_bytes(bytes(1 << 20))
    script = run.script("open('changed', 'r+b').write(b'x')")
    ran = run("--collect-glob", "**", "--files", f"{given}/.", script, json=True)
    assert {name: file["size"] for name, file in ran.verdict["files"].items()} == {"changed": 1 << 20}


@pytest.mark.cold
@pytest.mark.parametrize("globs, names", [
    (["*.txt"], {"a.txt"}),
    (["**/*.txt"], {"a.txt", "out/b.txt", "out/deep/c.txt"}),
    (["out/**"], {"out/b.txt", "out/deep/c.txt", "out/d.csv"}),
    (["out/*.csv", "./a.*"], {"out/d.csv", "a.txt"}),
    (["**"], {"a.txt", "out/b.txt", "out/deep/c.txt", "out/d.csv"}),
    ([".*"], {".hidden"}),
    (["/tmp/*"], {"/tmp/t.txt"}),
    (["/tmp/**", "a.txt"], {"/tmp/t.txt", "/tmp/in/u.txt", "a.txt"}),
    (["tmp/*"], set()),
])
def test_patterns_choose(run, globs, names):
    patterns = [word for glob in globs for word in ("--collect-glob", glob)]
    ran = run(*patterns, json=True, code="""
        import os
        os.makedirs("out/deep"); os.makedirs("/tmp/in"); os.mkdir(".cache")
        for name in ("a.txt", "out/b.txt", "out/deep/c.txt", "out/d.csv", ".hidden", ".cache/x", "/tmp/t.txt", "/tmp/in/u.txt"):
            open(name, "w")
    """)
    assert set(ran.verdict["files"]) == names


@pytest.mark.parametrize("end, word, options", [
    ("import time; time.sleep(1000)", "timeout", ("--timeout", "1")),
    ("x = bytearray(1 << 30)", "memory", ("--memory", "64M")),
    ("os.kill(os.getpid(), 9)", "signal", ()),
    ("1 / 0", "exception", ()),
])
def test_files_of_a_job_that_failed_or_was_killed_come_back(collect, end, word, options):
    verdict = collect(f"import os\nopen('a', 'w').write('before')\n{end}", options=options)
    assert verdict["verdict"] == word and verdict["files"] == {"a": b"before"}, verdict


def test_a_job_that_asks_for_nothing_gets_nothing(run):
    verdict = run(json=True, code="open('a', 'w')").verdict
    assert (verdict["files"], verdict["files_left_out"]) == ({}, [])


def test_meta_has_files_without_their_contents(run):
    meta = run("--collect-glob", "**", "--json", meta=True, code="open('a.csv', 'w').write('1')").meta
    assert meta["files"] == {"a.csv": {"size": 1, "type": "text/csv"}}


@pytest.mark.cold
def test_types_are_those_of_the_names(run):
    ran = run("--collect-glob", "**", json=True, code="""
        for name in ("a.png", "b.SVG", "c", "d.unknown"):
            open(name, "w").write("text")
        open("e", "wb").write(b"\\0")
    """)
    assert {name: file["type"] for name, file in ran.verdict["files"].items()} == {
        "a.png": "image/png", "b.SVG": "image/svg+xml", "c": "text/plain", "d.unknown": "text/plain",
        "e": "application/octet-stream"}


def test_a_policy_that_lets_write_nothing_says_so(run, policy):
    ran = run("--policy", policy(writable=False), "--collect-glob", "**", json=True, code="print(1)")
    assert ran.verdict["files"] == {} and "lets scripts write no files" in ran.verdict["files_left_out"][0]["why"]


# ── Limits ───────────────────────────────────────────────────────────────────────────────────────


def test_files_beyond_collect_files_are_named(collect):
    verdict = collect("for i in range(9): open(f'f{i}', 'w')", options=("--collect-files", "4"))
    assert list(verdict["files"]) == ["f0", "f1", "f2", "f3"]
    assert set(verdict["left_out"]) == {"f4", "f5", "f6", "f7", "f8"} and "collect_files" in verdict["left_out"]["f4"]


def test_files_beyond_collect_bytes_are_named_and_smaller_ones_still_come(collect):
    verdict = collect("""
        for name, size in (("a", 600), ("b", 600), ("c", 400), ("d", 1)):
            open(name, "w").write("x" * size)
    """, options=("--collect-bytes", "1000"))
    assert {name: len(data) for name, data in verdict["files"].items()} == {"a": 600, "c": 400}
    assert set(verdict["left_out"]) == {"b", "d"} and "collect_bytes" in verdict["left_out"]["b"]


@pytest.mark.cold
@pytest.mark.parametrize("glob, words", [
    ("/etc/*", "absolute"), ("/tmp", "absolute"), ("/tmp/", "directory"), ("/work/a", "absolute"), ("../*", "leads out"),
    ("/tmp/../etc/*", "leads out"), ("out/", "add **"), ("", "empty"), ("x" * 256, "too long"), (b"\xff", "UTF-8"),
])
def test_a_pattern_that_can_not_be_is_refused(run, glob, words):
    ran = run("--collect", run.new_path("out"), "--collect-glob", os.fsdecode(glob), code="print(1)")
    refused(ran, "collect", words)


@pytest.mark.cold
def test_too_many_patterns_are_refused(run):
    patterns = ["--collect-glob", "a"] * 101
    refused(run("--collect", run.new_path("out"), *patterns, code="print(1)"), "at most 100")


# ── Scripts that mean harm ───────────────────────────────────────────────────────────────────────


def test_only_regular_files_come_back(collect):
    verdict = collect("""
        import os, socket
        os.symlink("/etc/passwd", "link"); os.symlink("/proc/self/environ", "magic"); os.symlink("..", "up")
        os.symlink("/etc", "directory"); os.mkfifo("fifo"); os.mkdir("named.txt"); os.symlink("loop", "loop")
        socket.socket(socket.AF_UNIX).bind("socket")
        try:
            os.mknod("device", 0o20666, os.makedev(1, 5))
        except OSError:
            pass
        open("a", "w").write("a"); os.link("a", "hard")
    """)
    assert verdict["files"] == {"a": b"a", "hard": b"a"}
    assert set(verdict["left_out"]) - {"device"} == {"link", "magic", "up", "directory", "fifo", "loop", "socket"}
    assert set(verdict["left_out"].values()) == {"it is not a regular file"}


def test_modes_keep_nothing_back(collect):
    verdict = collect("""
        import os
        os.mkdir("closed"); open("closed/a", "w").write("1"); open("b", "w").write("2"); open("c", "w").write("3")
        os.chmod("closed/a", 0); os.chmod("closed", 0); os.chmod("b", 0); os.chmod("c", 0o4777); os.chmod(".", 0)
    """)
    assert verdict["files"] == {"closed/a": b"1", "b": b"2", "c": b"3"} and not verdict["left_out"]


def test_names_may_be_anything_but_bytes(collect):
    verdict = collect("""
        import os
        for name in (b"new\\nline", b"-rf", b"a\\\\b", b"\\x1b[2J", b"con", "é".encode(), b"bad\\xff"):
            open(name, "w")
        os.mkdir(b"dir\\xfe"); open(b"dir\\xfe/in", "w")
    """)
    assert set(verdict["files"]) == {"new\nline", "-rf", "a\\b", "\x1b[2J", "con", "é"}
    assert verdict["left_out"] == {"bad\ufffd": "its name is not UTF-8", "dir\ufffd": "its name is not UTF-8"}


def test_sparse_files_cost_no_more_than_their_limit(collect):
    verdict = collect("""
        with open("huge", "wb") as file: file.truncate(1 << 42)
        with open("small", "wb") as file: file.truncate(5000)
    """)
    assert verdict["files"] == {"small": bytes(5000)}
    assert set(verdict["left_out"]) == {"huge"} and "collect_bytes" in verdict["left_out"]["huge"]


def test_a_hundred_thousand_files_are_not_all_looked_at(collect):
    verdict = collect("""
        import os
        os.mkdir("many")
        for i in range(100_000): os.close(os.open(f"many/{i}", os.O_CREAT, 0o600))
    """, options=("--tmp-files", "200000", "--memory", "512M"), starts=False)
    assert len(verdict["files"]) == 100 and len(verdict["files_left_out"]) == 102
    assert [one["path"] for one in verdict["files_left_out"][-2:]] == ["", ""]
    assert "more were left out" in verdict["files_left_out"][-2]["why"]
    assert "20000 entries" in verdict["files_left_out"][-1]["why"]


def test_deep_and_long_paths_end_somewhere(collect):
    verdict = collect("""
        import os
        open("top", "w")
        for i in range(80):
            os.mkdir("d"); os.chdir("d")
            open(str(i), "w")
        os.chdir("/work")
        for i in range(6):
            os.mkdir("n" * 250); os.chdir("n" * 250)
    """)
    assert "top" in verdict["files"] and "/".join(["d"] * 64) + "/63" in verdict["files"]
    assert "/".join(["d"] * 65) + "/64" not in verdict["files"]
    assert {"the directory is more than 64 deep", "a path in this directory is too long: at most 1024 bytes are allowed"} \
        == set(verdict["left_out"].values())


def test_hostile_patterns_and_names_end_somewhere(collect):
    verdict = collect("""
        import os
        for i in range(3000): open(f"{i:04}" + "a" * 200, "w")
    """, *["*a" * 100 + "b" + str(i) for i in range(99)], "zzz")
    assert verdict["files"] == {} and "take too long" in verdict["files_left_out"][-1]["why"]


def test_a_full_tmpfs_gives_what_it_has(collect):
    verdict = collect("""
        with open("a", "wb") as file:
            try:
                for i in range(10_000): file.write(b"x" * 65536)
            except OSError as error:
                print(error.errno)
        """, options=("--tmp", "1M"), starts=False)
    assert verdict["stdout"] == "28\n" and verdict["files"]["a"][:10] == b"x" * 10


def test_links_that_are_swapped_to_the_end_show_nothing_else(collect):
    """Processes go on swapping a file, a link and a directory until they are killed."""
    code = """
        import os, time
        open("secret-place", "w").write("mine"); os.mkdir("d"); open("d/in", "w").write("mine")
        for target in ("/etc/passwd", "/proc/self/maps"):
            if os.fork() == 0:
                while True:
                    os.symlink(target, "next"); os.replace("next", "swapped")
                    open("next", "w").write("mine"); os.replace("next", "swapped")
                    os.rename("d", "e"); os.symlink("/etc", "d"); os.remove("d"); os.rename("e", "d")
        time.sleep(0.05)
    """
    for _ in range(5):
        verdict = collect(code)
        assert {data for name, data in verdict["files"].items()} <= {b"mine", b""}, verdict


# ── Written here ─────────────────────────────────────────────────────────────────────────────────


def tree(directory):
    return {os.path.relpath(os.path.join(top, name), directory): open(os.path.join(top, name), "rb").read()
            for top, _, names in os.walk(directory) for name in names}


def test_files_go_below_the_directory(run, tmp_path):
    ran = run("--collect", tmp_path / "new", "--collect-glob", "**", "--collect-glob", "/tmp/*", code="""
        import os
        os.makedirs("a/b"); open("a/b/c", "w").write("1"); open("d\\ne", "w").write("2"); open("/tmp/f", "w").write("3")
        print("printed")
    """)
    assert (ran.status, ran.stdout, ran.sentences) == (0, "printed\n", [])
    assert tree(tmp_path / "new") == {"a/b/c": b"1", "d\ne": b"2", "tmp/f": b"3"}


def test_a_file_that_is_there_stays_unless_forced(run, tmp_path):
    out = tmp_path / "out"
    for status, options in ((0, ()), (125, ()), (125, ()), (0, ("--force",))):
        ran = run("--collect", out, *options, code="import os; open('a', 'w').write(str(len(os.sched_getaffinity(0))))")
        assert ran.status == status, ran
        assert len(ran.sentences) == (status != 0) and all("--force" in line for line in ran.sentences)
    assert set(tree(out)) == {"a", "a.1", "a.2"}


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_no_link_in_the_directory_is_followed(run, tmp_path, force):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir(), elsewhere.mkdir()
    (elsewhere / "victim").write_text("old")
    (out / "directory").symlink_to(elsewhere)
    (out / "file").symlink_to(elsewhere / "victim")
    (out / "dangling").symlink_to(elsewhere / "made")
    os.link(elsewhere / "victim", out / "hard")
    ran = run("--collect", out, *force, code="""
        import os
        os.mkdir("directory")
        for name in ("directory/victim", "directory/made", "file", "dangling", "hard"):
            open(name, "w").write("new")
    """)
    assert ran.status == 125 and "directory/made" in ran.stderr
    assert tree(elsewhere) == {"victim": b"old"}


def test_what_is_left_out_is_told(run, tmp_path):
    ran = run("--collect", tmp_path / "out", code=r"import os; os.mkfifo('a\x1b[2J\nb')")
    assert ran.sentences == ["sandbox-run: not collected: a\ufffd[2J\ufffdb: it is not a regular file"] and ran.status == 0
    ran = run("--collect", tmp_path / "out", code="import os\nfor i in range(30): os.mkfifo(str(i))")
    assert len(ran.sentences) == 21 and ran.sentences[-1].endswith("not collected: 30 in all; --json lists up to 100")


@pytest.mark.cold
@pytest.mark.parametrize("options, words", [
    (["--force"], "--collect DIR"), (["--collect-glob", "*"], "--collect DIR or --json"),
    (["--collect", "/proc/none"], "can't make"), (["--collect", "/dev/null"], "directory"),
])
def test_options_that_say_nothing_are_refused(run, options, words):
    ran = run(*options, code="print(1)")
    assert ran.status == 125 and words in ran.stderr and ran.stdout == ""


def test_an_ordinary_user_gets_files_of_any_mode(as_nobody):
    for start in ("cold", "warm"):
        ran = as_nobody("--best-effort", "--start", start, "--collect-glob", "**", json=True, code="""
            import os
            os.mkdir("d"); open("d/a", "w").write("1"); os.chmod("d/a", 0); os.chmod("d", 0)
        """)
        verdict = json.loads(ran.stdout)
        assert verdict["enforcement"]["start"] == start
        assert verdict["files"] == {"d/a": {"size": 1, "type": "text/plain", "text": "1"}}, verdict
