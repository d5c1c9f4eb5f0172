"""Real programs, as people write them, run in the sandbox as they do outside.

SANDBOX_ROOTFS_DATA names a root file system with numpy, pandas and matplotlib."""

import base64
import os

import pytest

ROOM = ("--memory", "768M", "--timeout", "120", "--cpu-time", "120")


@pytest.fixture
def data(run):
    """Runs code in the root file system that has the packages for data."""
    rootfs = os.environ.get("SANDBOX_ROOTFS_DATA")
    if not rootfs:
        pytest.skip("SANDBOX_ROOTFS_DATA is not set: no root file system with numpy and the like")

    def call(code, *options):
        ran = run("--rootfs", rootfs, *ROOM, *options, json=True, code=code)
        assert (ran.status, ran.verdict["verdict"]) == (0, "ok"), ran.verdict
        return ran.verdict["output"]

    return call


@pytest.fixture
def plain(run):
    """Runs code with nothing but the standard library; says what it printed."""

    def call(code, *options):
        ran = run(*ROOM, *options, json=True, code=code)
        assert (ran.status, ran.verdict["verdict"]) == (0, "ok"), ran.verdict
        return ran.verdict["output"]

    return call


# ── numpy, pandas, matplotlib ────────────────────────────────────────────────────────────────────


def test_numpy_multiplies_and_solves(data):
    assert data("""
        import numpy as np
        rng = np.random.default_rng(1)
        a = rng.random((300, 300)); b = rng.random(300)
        x = np.linalg.solve(a, b)
        print(np.allclose(a @ x, b), np.allclose(np.fft.ifft(np.fft.fft(b)), b))
        """) == "True True"


def test_numpy_saves_loads_and_maps_files_in_work(data):
    assert data("""
        import numpy as np
        np.save("x.npy", np.arange(1_000_000))
        print(int(np.load("x.npy", mmap_mode="r")[123456:123460].sum()))
        np.savez_compressed("x.npz", a=np.eye(3))
        print(np.load("x.npz")["a"].trace())
        """) == "493830\n3.0"


def test_numpy_maps_a_file_that_is_longer_than_what_may_be_written(data):
    assert data("""
        import numpy as np
        table = np.memmap("/tmp/table", dtype="float64", mode="w+", shape=(100_000_000,))
        table[[0, 50_000_000, -1]] = 1, 2, 3
        print(table[[0, 50_000_000, -1]].sum(), table.nbytes)
        """) == "6.0 800000000"


def test_numpy_reads_a_table_from_dev_stdin(run):
    rootfs = os.environ.get("SANDBOX_ROOTFS_DATA")
    if not rootfs:
        pytest.skip("SANDBOX_ROOTFS_DATA is not set: no root file system with numpy and the like")
    ran = run("--rootfs", rootfs, *ROOM, code="import numpy; print(numpy.loadtxt('/dev/stdin').sum())", stdin="1 2\n3 4\n")
    assert (ran.status, ran.stdout) == (0, "10.0\n"), ran


def test_numpy_runs_within_the_default_limits(run):
    rootfs = os.environ.get("SANDBOX_ROOTFS_DATA")
    if not rootfs:
        pytest.skip("SANDBOX_ROOTFS_DATA is not set: no root file system with numpy and the like")
    ran = run("--rootfs", rootfs, json=True, code="import numpy; print(numpy.arange(5).sum())")
    assert ran.verdict["output"] == "10", ran.verdict


def test_pandas_groups_joins_and_reads_csv(data):
    assert data("""
        import pandas as pd
        frame = pd.DataFrame({"city": ["a", "b", "a", "c"] * 250, "n": range(1000)})
        frame.to_csv("x.csv", index=False)
        again = pd.read_csv("x.csv")
        sums = [each.groupby("city")["n"].sum().to_dict() for each in (frame, again)]
        print(sums[0] == sums[1])
        names = pd.DataFrame({"city": ["a", "b"], "name": ["Aachen", "Berlin"]})
        print(len(again.merge(names)), pd.to_datetime("2026-11-21").day_name())
        print(pd.Timestamp("2026-07-01", tz="Europe/Berlin").utcoffset())
        """) == "True\n750 Saturday\n2:00:00"


def test_matplotlib_draws_a_png_in_work(data):
    head = data("""
        import base64, os
        import matplotlib
        matplotlib.use("Agg")
        import matplotlib.pyplot as plt
        plt.plot([1, 4, 9, 16]); plt.title("squares é"); plt.savefig("/work/plot.png")
        print(base64.b64encode(open("/work/plot.png", "rb").read(33)).decode())
        assert os.path.getsize("/work/plot.png") > 5000
        """, "--env", "MPLCONFIGDIR=/tmp").splitlines()[-1]
    header = base64.b64decode(head)
    assert header[:8] == b"\x89PNG\r\n\x1a\n" and header[12:16] == b"IHDR"
    width, height = int.from_bytes(header[16:20], "big"), int.from_bytes(header[20:24], "big")
    assert (width, height) == (640, 480)


def test_matplotlib_chooses_a_backend_without_a_display(data):
    assert data("""
        import matplotlib.pyplot as plt
        plt.bar(range(3), range(3)); plt.savefig("x.svg")
        print("<svg" in open("x.svg").read())
        """) == "True"


def test_the_data_policy_is_enough_for_all_three_and_leaves_work_to_the_script(run):
    """With one BLAS thread, as it has one CPU, and matplotlib's own files out of the way."""
    rootfs = os.environ.get("SANDBOX_ROOTFS_DATA")
    if not rootfs:
        pytest.skip("SANDBOX_ROOTFS_DATA is not set: no root file system with numpy and the like")
    ran = run("--rootfs", rootfs, "--policy", "data", "--timeout", "60", json=True, code="""
        import os
        import numpy, pandas, matplotlib
        import matplotlib.pyplot as plt
        square = numpy.ones((400, 400))
        assert (square @ square)[3, 4] == 400
        assert len(os.listdir("/proc/self/task")) == 1
        pandas.DataFrame({"x": [1, 2, 4]}).plot()
        plt.savefig("plot.png")
        print(matplotlib.get_backend().lower(), sorted(os.listdir("/work")))
        """)
    assert ran.verdict["output"] == "agg ['plot.png']", ran.verdict
    assert ran.verdict["usage"]["memory_peak_bytes"] < 384 << 20


@pytest.mark.parametrize("start", ["cold", "warm"])
def test_under_the_data_policy_psutil_and_joblib_find_what_they_ask_the_kernel_for(run, start):
    """/proc/cpuinfo, meminfo, stat, uptime and the like, which are not about the job's own processes."""
    rootfs = os.environ.get("SANDBOX_ROOTFS_DATA")
    if not rootfs:
        pytest.skip("SANDBOX_ROOTFS_DATA is not set: no root file system with numpy and the like")
    ran = run("--rootfs", rootfs, "--policy", "data", "--start", start, "--timeout", "60", json=True, code="""
        import joblib, os, psutil
        for name in ("cpuinfo", "meminfo", "stat", "uptime", "loadavg", "vmstat", "self/status"):
            assert open(f"/proc/{name}").read(), name
        assert psutil.cpu_count() >= 1 and psutil.virtual_memory().total > 0 and psutil.boot_time() > 0
        assert psutil.cpu_times().user > 0 and psutil.cpu_percent() >= 0
        assert psutil.Process().memory_info().rss > 0 and psutil.pids() == [os.getpid()]
        assert joblib.cpu_count() >= 1
        print(joblib.Parallel(n_jobs=2)(joblib.delayed(pow)(i, 2) for i in range(4)))
        """)
    assert ran.verdict["output"] == "[0, 1, 4, 9]", ran.verdict
    assert ran.verdict["enforcement"]["start"] == start


# ── Data ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("where", [":memory:", "/work/x.db", "/tmp/x.db"])
def test_sqlite3_keeps_a_database(plain, where):
    assert plain(f"""
        import sqlite3
        db = sqlite3.connect({where!r})
        db.execute("pragma journal_mode=wal")
        db.execute("create table t (id integer primary key, name text)")
        with db:
            db.executemany("insert into t (name) values (?)", ((str(i),) for i in range(10000)))
        try:
            with db:
                db.execute("delete from t")
                raise ValueError
        except ValueError:
            pass
        print(*db.execute("select count(*), max(id) from t").fetchone())
        """) == "10000 10000"


def test_sqlite3_locks_between_processes(plain):
    assert plain("""
        import multiprocessing, sqlite3
        def add(n):
            db = sqlite3.connect("/work/x.db", timeout=60)
            for _ in range(20):
                with db: db.execute("update t set n = n + 1")
            return n
        db = sqlite3.connect("/work/x.db")
        with db: db.execute("create table t (n)"); db.execute("insert into t values (0)")
        with multiprocessing.Pool(4) as pool: pool.map(add, range(4))
        print(db.execute("select n from t").fetchone()[0])
        """) == "80"


def test_csv_json_and_pickle_keep_what_they_are_given(plain):
    assert plain("""
        import csv, json, pickle
        rows = [[str(i), 'a "quoted", text', "é\\n"] for i in range(1000)]
        with open("x.csv", "w", newline="") as f: csv.writer(f).writerows(rows)
        with open("x.csv", newline="") as f: print(list(csv.reader(f)) == rows)
        with open("x.json", "w") as f: json.dump(rows, f)
        print(json.load(open("x.json")) == rows)
        with open("x.pickle", "wb") as f: pickle.dump(rows, f)
        print(pickle.load(open("x.pickle", "rb")) == rows)
        """) == "True\nTrue\nTrue"


def test_archives_are_packed_and_unpacked(plain):
    assert plain("""
        import bz2, gzip, lzma, os, shutil, tarfile, zipfile, zlib
        os.mkdir("d"); open("d/x", "w").write("x" * 10000)
        for kind in ("zip", "tar", "gztar", "bztar", "xztar"):
            name = shutil.make_archive("archive", kind, "d")
            shutil.unpack_archive(name, "out-" + kind)
            assert open(f"out-{kind}/x").read() == "x" * 10000
        y = b"y" * 1000
        print(all(m.decompress(m.compress(y)) == y for m in (bz2, gzip, lzma, zlib)))
        """) == "True"


def test_decimal_and_fractions_compute_long_numbers(plain):
    assert plain("""
        from decimal import Decimal, getcontext
        from fractions import Fraction
        getcontext().prec = 200
        print(str(Decimal(2).sqrt())[:30])
        h = sum(Fraction(1, n) for n in range(1, 500))
        print(len(str(h.numerator)), 3 ** 5000 % 1000007)
        """) == f"1.4142135623730950488016887242\n{len(str(harmonic(500)))} {3 ** 5000 % 1000007}"


def harmonic(end):
    from fractions import Fraction
    return sum(Fraction(1, n) for n in range(1, end)).numerator


def test_zoneinfo_and_locale_know_the_world(plain):
    assert plain("""
        import datetime, locale, zoneinfo
        moment = datetime.datetime(2026, 7, 1, tzinfo=zoneinfo.ZoneInfo("America/New_York"))
        print(moment.isoformat(), len(zoneinfo.available_timezones()) > 300)
        locale.setlocale(locale.LC_ALL, "")
        print(locale.getpreferredencoding(), locale.strcoll("a", "b") < 0)
        print(datetime.datetime.now().astimezone().tzname())
        """) == "2026-07-01T00:00:00-04:00 True\nUTF-8 True\nUTC"


# ── Processes and threads ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing_pool_maps(run, method):
    script = run.script(f"""
        import multiprocessing
        def square(n): return n * n
        if __name__ == "__main__":
            with multiprocessing.get_context({method!r}).Pool(3) as pool:
                print(sum(pool.map(square, range(100))))
        """)
    ran = run(*ROOM, "--json", script)
    assert (ran.verdict["output"], ran.verdict["stderr"]) == ("328350", ""), ran.verdict


def test_multiprocessing_shares_queues_locks_values_and_memory(plain):
    assert plain("""
        import multiprocessing as mp
        from multiprocessing import shared_memory
        def work(queue, lock, value, name):
            with lock: value.value += 1
            shm = shared_memory.SharedMemory(name)
            shm.buf[0] += 1
            shm.close()
            queue.put("done")
        shm = shared_memory.SharedMemory(create=True, size=1 << 20)
        queue, lock, value = mp.Queue(), mp.Lock(), mp.Value("i", 0)
        for _ in range(4):  # one after the other: the byte in shared memory has no lock
            p = mp.Process(target=work, args=(queue, lock, value, shm.name)); p.start(); p.join()
        print([queue.get() for _ in range(4)], value.value, shm.buf[0])
        shm.close(); shm.unlink()
        with mp.Manager() as manager:
            d = manager.dict(); d["a"] = 1; print(dict(d))
        """) == "['done', 'done', 'done', 'done'] 4 4\n{'a': 1}"


def test_thread_pools_run(plain):
    assert plain("""
        import concurrent.futures, threading, time
        local = threading.local()
        def work(n):
            local.n = n; time.sleep(0.001)
            return local.n == n
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            print(all(pool.map(work, range(500))))
        """) == "True"


def test_process_pools_run(plain):
    assert plain("""
        import concurrent.futures
        with concurrent.futures.ProcessPoolExecutor(3) as pool:
            print(sum(pool.map(abs, range(-100, 0))))
            try:
                pool.submit(int, "x").result()
            except ValueError as error:
                print(error)
        """) == "5050\ninvalid literal for int() with base 10: 'x'"


def test_subprocess_runs_programs(plain):
    assert plain("""
        import subprocess, sys
        print(subprocess.check_output(["sh", "-c", "echo $((6 * 7))"], text=True).strip())
        reverse = "import sys; sys.stdout.write(sys.stdin.read()[::-1])"
        p = subprocess.Popen([sys.executable, "-c", reverse], text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        print(p.communicate("abc" * 100000)[0] == "cba" * 100000)
        try:
            subprocess.run(["sleep", "1000"], timeout=0.05)
        except subprocess.TimeoutExpired:
            print("timed out")
        print(subprocess.run("exit 3", shell=True, preexec_fn=lambda: None,
                             start_new_session=True).returncode)
        """) == "42\nTrue\ntimed out\n3"


def test_asyncio_runs_tasks_subprocesses_and_unix_sockets(plain):
    assert plain("""
        import asyncio, signal, sys
        async def main():
            p = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(input()[::-1])",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
            print((await p.communicate(b"abc\\n"))[0].decode().strip(), p.returncode)
            async def echo(reader, writer):
                writer.write(await reader.readline()); await writer.drain(); writer.close()
            server = await asyncio.start_unix_server(echo, "/tmp/socket")
            reader, writer = await asyncio.open_unix_connection("/tmp/socket")
            writer.write(b"hello\\n")
            print((await reader.readline()).decode().strip())
            writer.close(); server.close()
            loop = asyncio.get_running_loop()
            print(await loop.run_in_executor(None, sum, range(100)))
            print(sum(await asyncio.gather(*(asyncio.sleep(0.001, i) for i in range(1000)))))
            got = asyncio.Event()
            loop.add_signal_handler(signal.SIGUSR1, got.set)
            signal.raise_signal(signal.SIGUSR1)
            await got.wait()
        asyncio.run(main())
        """) == "cba 0\nhello\n4950\n499500"


def test_signals_and_timers_reach_handlers(plain):
    assert plain("""
        import os, signal
        seen = []
        signal.signal(signal.SIGALRM, lambda *a: seen.append("alarm"))
        signal.signal(signal.SIGUSR1, lambda *a: seen.append("usr1"))
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        while not seen: signal.pause()
        os.kill(os.getpid(), signal.SIGUSR1)
        print(seen)
        """) == "['alarm', 'usr1']"


# ── System ───────────────────────────────────────────────────────────────────────────────────────


def test_tempfile_makes_files_and_directories(plain):
    assert plain("""
        import os, tempfile
        with tempfile.TemporaryDirectory() as d, tempfile.NamedTemporaryFile(dir=d) as f, \\
             tempfile.TemporaryFile() as t, tempfile.SpooledTemporaryFile(10) as s:
            for x in (f, t, s): x.write(b"x" * 100); x.seek(0); assert len(x.read()) == 100
            print(d.startswith("/tmp/"))
        print(os.listdir("/tmp"))
        """) == "True\n[]"


def test_sockets_come_in_pairs_and_pass_descriptors(plain):
    assert plain("""
        import os, select, selectors, socket
        a, b = socket.socketpair()
        r, w = os.pipe()
        socket.send_fds(a, [b"x"], [w])
        data, (fd,), *_ = socket.recv_fds(b, 10, 1)
        os.write(fd, b"through"); print(os.read(r, 10).decode())
        with selectors.DefaultSelector() as s:
            s.register(b, selectors.EVENT_READ); a.send(b"y"); print(len(s.select()))
        print(os.eventfd_read(os.eventfd(3)))
        """) == "through\n1\n3"


def test_mmap_maps_files_and_memory(plain):
    assert plain("""
        import mmap
        with open("x", "w+b") as f:
            f.write(bytes(1 << 16)); f.flush()
            with mmap.mmap(f.fileno(), 0) as m: m[100:105] = b"hello"; m.flush()
            f.seek(100); print(f.read(5).decode())
        m = mmap.mmap(-1, 1 << 20); m.write(b"x"); m.resize(1 << 21); print(len(m), m[0])
        """) == "hello\n2097152 120"


def test_ctypes_calls_libc_both_ways(plain):
    assert plain("""
        import ctypes, ctypes.util
        libc = ctypes.CDLL(None)
        print(libc.abs(-5), libc.strlen(b"four"))
        pointer = ctypes.POINTER(ctypes.c_int)
        compare = ctypes.CFUNCTYPE(ctypes.c_int, pointer, pointer)
        values = (ctypes.c_int * 5)(3, 1, 5, 2, 4)
        libc.qsort(values, 5, 4, compare(lambda a, b: a[0] - b[0]))
        print(list(values))
        """) == "5 4\n[1, 2, 3, 4, 5]"


def test_ssl_and_hashlib_and_secrets_work(plain):
    assert plain("""
        import hashlib, secrets, ssl, uuid
        context = ssl.create_default_context()
        print(ssl.OPENSSL_VERSION.split()[0], context.verify_mode.name)
        print(hashlib.sha256(b"x").hexdigest()[:8], len(secrets.token_hex()), uuid.uuid4().version)
        print(hashlib.scrypt(b"x", salt=b"y", n=2**10, r=8, p=1)[:4].hex())
        """).splitlines()[:2] == ["OpenSSL CERT_REQUIRED", "2d711642 64 4"]


def test_deep_recursion_works_as_deep_as_outside(plain):
    assert plain("""
        import sys, threading
        sys.setrecursionlimit(20000)
        def depth(n): return 0 if n == 0 else 1 + depth(n - 1)
        print(depth(15000))
        threading.stack_size(64 << 20)
        t = threading.Thread(target=lambda: print(depth(15000))); t.start(); t.join()
        try:
            (lambda f: f(f))(lambda f: f(f))
        except RecursionError:
            print("RecursionError")
        """) == "15000\n15000\nRecursionError"


def test_logging_from_many_threads_and_processes_keeps_lines_whole(plain):
    assert plain("""
        import logging, logging.handlers, multiprocessing, threading
        logging.basicConfig(filename="x.log", level=logging.INFO,
                            format="%(process)d %(threadName)s %(message)s")
        def work(n):
            threads = [threading.Thread(target=lambda: [logging.info("m" * 50) for _ in range(100)])
                       for _ in range(4)]
            for t in threads: t.start()
            for t in threads: t.join()
        with multiprocessing.Pool(3) as pool: pool.map(work, range(3))
        lines = open("x.log").read().splitlines()
        print(len(lines), all(line.endswith(" " + "m" * 50) for line in lines))
        """) == "1200 True"


def test_unittest_and_doctest_run_tests(run):
    script = run.script('''
        """
        >>> 1 + 1
        2
        """
        import doctest, unittest
        class Test(unittest.TestCase):
            def test_a(self): self.assertEqual(1, 1)
            def test_b(self): self.fail("on purpose")
        if __name__ == "__main__":
            print(doctest.testmod())
            unittest.main()
        ''')
    ran = run("--json", script)
    assert (ran.status, ran.verdict["verdict"]) == (1, "exit")
    assert ran.verdict["output"] == "TestResults(failed=0, attempted=1)"
    assert "FAILED (failures=1)" in ran.verdict["stderr"]


def test_dataclasses_pickled_by_a_script_that_is_main_come_back(run):
    script = run.script("""
        import dataclasses, inspect, pickle
        @dataclasses.dataclass
        class Point:
            x: int
            y: "int"
        print(pickle.loads(pickle.dumps(Point(1, 2))), inspect.getsource(Point).count("\\n"))
        """)
    assert run(script).stdout == "Point(x=1, y=2) 4\n"


def test_a_zip_of_modules_and_a_package_of_ones_own_are_imported(run, tmp_path):
    package = tmp_path / "mine"
    package.mkdir()
    (package / "__init__.py").write_text("from .part import value")
    (package / "part.py").write_text("value = 'from a package'")
    script = run.script("""
        import sys, zipfile
        import mine
        print(mine.value)
        zipfile.ZipFile("z.zip", "w").writestr("zipped.py", "value = 'from a zip'")
        sys.path.insert(0, "z.zip")
        import zipped
        print(zipped.value)
        """)
    assert run("--files", package, script).stdout == "from a package\nfrom a zip\n"


def test_readline_curses_and_getpass_do_not_hang_without_a_terminal(plain):
    assert plain("""
        import curses, getpass, readline, shutil
        print(shutil.get_terminal_size())
        try:
            curses.setupterm("dumb"); print("set up")
        except curses.error:
            print("set up")
        """) == "os.terminal_size(columns=80, lines=24)\nset up"


def test_platform_and_sysconfig_describe_the_machine(plain):
    assert plain("""
        import os, platform, sysconfig, site, sys
        print(platform.node(), platform.python_implementation(), os.cpu_count() >= 1)
        assert platform.platform() and sysconfig.get_path("stdlib") and os.sched_getaffinity(0)
        """) == "sandbox CPython True"
