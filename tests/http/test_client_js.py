"""The JavaScript client in node, against a real server."""

import json
import re
import shutil
import subprocess

import pytest

from callbacks import check_signature, forged
from client_cases import ANSWER, JOB, JS, REQUEST, SCHEMAS, address, refusals
from sandbox_run import CHECKOUT
from waiting import until

TYPES = JS.with_suffix(".d.ts").read_text()


@pytest.fixture
def node():
    """node(script, URL, …) runs a module after `Client` and its fellows are imported; what it prints is JSON."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")

    def run(script, *arguments):
        head = f"import * as all from {json.dumps(JS.as_uri())};\nconst {{ Client, Job, Refused, Busy }} = all;\n" \
               f"const [{', '.join('abcd'[:len(arguments)])}] = process.argv.slice(1);\n" \
               "const show = (value) => console.log(JSON.stringify(value));\n"
        ran = subprocess.run(["node", "--input-type=module", "-e", head + script, *arguments], capture_output=True, text=True,
                             check=False)
        assert ran.returncode == 0, ran.stderr
        return [json.loads(line) for line in ran.stdout.splitlines()]

    return run


def members(kind):
    """The names in an interface or a class of the types."""
    body = re.search(rf"export (?:interface|class) {kind} .*?\{{\n(.*?)^\}}", TYPES, re.M | re.S)[1]
    return set(re.findall(r"^    (?:readonly )?(\w+)\??:", body, re.M))


def test_it_has_the_fields_of_the_openapi_document(node):
    accepted, for_jobs = node("""
        for (const method of ["run", "submit"]) {
            const error = await new Client(a)[method]("", { nothing: 1 }).catch((error) => error);
            show(error.message.split("signal, ")[1].split(", "));
        }""", "http://127.0.0.1:1")
    assert set(accepted) == REQUEST and set(for_jobs) == JOB
    assert members("RunOptions") == REQUEST - {"code"} | {"signal"}
    assert members("JobOptions") == JOB - REQUEST | {"key"}
    assert members("Callback") == set(SCHEMAS["JobRequest"]["properties"]["callback"]["properties"])
    given = node("show(Object.keys(new all.Result({})))")[0]
    # JSON leaves undefined out, but not its key.
    assert set(given) == ANSWER
    assert members("Result") == ANSWER | {"raw", "ok"}


def test_everything_that_is_exported_has_a_type(node):
    assert set(node("show(Object.keys(all))")[0]) == set(re.findall(r"export class (\w+)", TYPES))


def test_the_package_has_its_files_and_the_version():
    package = json.loads((JS.parent / "package.json").read_text())
    assert package["version"] == re.search(r"version: '(.*?)'", (CHECKOUT / "meson.build").read_text())[1]
    assert "dependencies" not in package
    for name in (*package["files"], package["main"], package["types"], *package["exports"]["."].values()):
        assert (JS.parent / name).is_file(), name


def test_a_run_gives_the_native_answer(node, server):
    result, raw = node("""
        const result = await new Client(a).run("import sys, os, helper\\nprint(helper.x, sys.argv[1:], os.environ['A'], "
            + "sys.stdin.read())\\ndef f(n): return {'n': n}", { files: { "helper.py": "x = 'ü'" }, stdin: "in",
            args: ["a", "b"], env: { A: "1" }, call: { name: "f", args: [3] }, policy: "run", timeout: 5, limits: { pids: 8 } });
        if (!result.ok || result.check() !== result)
            throw new Error("not ok");
        show(result);
        show(result.raw);""", address(server))
    assert result["stdout"] == "ü ['a', 'b'] 1 in\n" and result["result"] == {"n": 3}
    assert {name: result[name] for name in raw} == raw


def test_cases_are_graded(node, server):
    result, indices = node("""
        const bytes = new TextEncoder().encode("1");
        const cases = [{ name: "one", stdin: bytes, expected: { stdout: "2 shared" } },
            { stdin: new Blob(["3"]), files: { f: new Blob(["own"]) }, expected: { stdout: "7 own" } }, { stdin: "x" }];
        const options = { files: { f: "shared" }, cases };
        const code = "import sys; print(2 * int(sys.stdin.read()), open('f').read())";
        show(await new Client(a).run(code, options));
        const indices = [];
        for await (const { event, data, result } of new Client(a).stream(code, options))
            if (event === "case" && result.correct === [true, false, null][data.index])
                indices.push(data.index);
        show(indices.sort());""", address(server))
    assert result["passed"] == 1 and [case["correct"] for case in result["cases"]] == [True, False, None]
    assert [case["name"] for case in result["cases"]] == ["one", None, None] and indices == [0, 1, 2]


def test_bytes_go_as_they_are(node, server):
    shown, = node("""
        const bytes = Uint8Array.from({ length: 100000 }, (_, i) => i % 256);
        const result = await new Client(a).run("import sys; print(open('a', 'rb').read() == bytes(i % 256 for i in "
            + "range(100000)), open('b', 'rb').read(), sys.stdin.buffer.read())",
            { files: { a: bytes, b: new Blob(["ü"]) }, stdin: new Uint8Array([255, 0]).buffer });
        show(result.stdout);""", address(server))
    assert shown == "True b'\\xc3\\xbc' b'\\xff\\x00'\n"


def test_code_may_be_bytes_in_its_own_encoding(node, server):
    code = 'new Uint8Array([...new TextEncoder().encode("# coding: latin-1\\nprint(\'"), 0xfc, 0x27, 0x29])'
    assert node(f"show((await new Client(a).run({code})).stdout)", address(server)) == ["ü\n"]


def test_errors_are_told_apart(node, server):
    kinds = node("""
        const why = async (promise) => { const e = await promise.catch((e) => e); show([e.name, e.status, e.field, e.message]); };
        await why(new Client(a).run("pass", { limits: { pids: 1e9 } }));
        await why(new Client("http://127.0.0.1:1").run("pass"));
        await why(new Client(a).run("pass", { files: { x: 1 } }));
        await why(new Client(a).run("1 / 0").then((result) => result.check()));
        await why((async () => new Client("ftp://x"))());""", address(server))
    assert kinds[0][:3] == ["Refused", 400, "limits.pids"]
    assert kinds[1][0] == "Unreachable" and "does sandbox-serve run there?" in kinds[1][3]
    assert kinds[2][0] == "TypeError" and 'files["x"] is number' in kinds[2][3]
    assert kinds[3][0] == "JobFailed" and "ZeroDivisionError" in kinds[3][3]
    assert kinds[4][0] == "TypeError" and "http://HOST:PORT" in kinds[4][3]


def test_a_token_is_sent_and_shown_nowhere(node, serve, token):
    secret = token("alice")
    server = serve(tokens=token.file, cold=True)
    status, shown = node("""
        const { inspect } = await import("node:util");
        const client = new Client(a, { token: b });
        await client.run("pass");
        show(await new Client(a).run("pass").catch((error) => error.status));
        show(inspect(client, { showHidden: true, depth: 9 }));""", address(server), secret)
    assert status == 401 and secret not in shown


def test_busy_is_tried_again_when_asked(node, serve):
    server = serve(jobs=1, queue=0, cold=True)
    held = server.hold().started()
    assert node("""const e = await new Client(a).run("pass").catch((e) => e);
        show([e instanceof Busy, e.status, e.retryAfter >= 1]);""", address(server)) == [[True, 503, True]]
    process = subprocess.Popen(["node", "--input-type=module", "-e", f"""
        import {{ Client }} from {json.dumps(JS.as_uri())};
        console.log((await new Client({json.dumps(address(server))}, {{ retries: 100 }}).run("print(2)")).output)"""],
        stdout=subprocess.PIPE, text=True)
    # It was refused once more before the place became free.
    until(lambda: refusals(server) >= 2 or process.poll() is not None)
    held.release()
    assert process.communicate()[0] == "2\n" and process.returncode == 0


def test_aborting_ends_the_job(node, serve):
    server = serve(jobs=1, cold=True)
    assert node("""
        const controller = new AbortController();
        const ended = new Client(a).run("while True: pass", { signal: controller.signal }).catch((error) => error);
        while ((await (await fetch(`${a}/ready`)).json()).running === 0);
        controller.abort();
        show((await ended).name);""", address(server)) == ["AbortError"]
    assert "had left" in server.log.jobs(1)[0]["message"]


def test_a_stream_gives_output_as_it_comes(node, server):
    events = node("""
        for await (const event of new Client(a).stream("import sys\\nprint('ü', flush=True)\\nprint(2, file=sys.stderr)"))
            show([event.event, event.text ?? event.result?.stdout ?? null]);""", address(server))
    assert events[0][0] == "start" and events[-1] == ["verdict", "ü\n"]
    assert ["stdout", "ü\n"] in events and ["stderr", "2\n"] in events


def test_leaving_a_stream_ends_the_job(node, serve):
    server = serve(jobs=1, cold=True)
    node("""
        for await (const event of new Client(a).stream("print(1, flush=True)\\nwhile True: pass", { timeout: 10 }))
            if (event.event === "stdout")
                break;""", address(server))
    assert "had left" in server.log.jobs(1)[0]["message"]


def test_a_service_that_does_not_stream_gives_the_verdict_alone(node, server):
    events = node("""for await (const event of new Client(a).stream("print(1)")) show([event.event, event.result?.stdout ?? null]);""",
                  address(server))
    assert events[-1] == ["verdict", "1\n"]


def test_files_and_displays_come_back(node, server):
    files, = node("""
        const { files } = (await new Client(a).run("open('a', 'wb').write(b'\\\\xff'); open('b', 'w').write('ü')",
            { policy: "run_code", collect: true })).check();
        show([[...files.a.bytes], files.a.size, files.b.text]);""", address(server))
    assert files == [[255], 1, "ü"]


def test_a_path_may_have_any_name(node):
    shown, = node("""
        const { files } = new all.Result(JSON.parse('{"files": {"__proto__": {"text": "x", "type": "text/plain"}}}'));
        show([Object.keys(files), Object.entries(files)[0][1].text]);""")
    assert shown == [["__proto__"], "x"]


def test_a_submitted_job_may_have_cases(node, server):
    graded, events = node("""
        const client = new Client(a);
        const { id } = await client.submit("print(input())", { cases: [{ stdin: "1", expected: { stdout: "1" } }, { stdin: "2" }] });
        const { result } = await client.wait(id);
        show([result.passed, result.cases.map((one) => one.output)]);
        const outputs = [];
        for await (const event of client.events(id))
            outputs.push([event.event, event.result?.output]);
        show(outputs.slice(1, 3));""", address(server))
    assert graded == [1, ["1", "2"]] and events == [["case", "1"], ["case", "2"]]


def test_a_submitted_job_is_waited_for_followed_and_cancelled(node, server):
    done, listed, events, same, cancelled, refused = node("""
        const client = new Client(a);
        const { id } = await client.submit("print(6 * 7)");
        const job = await client.wait(id);
        show([job.state, job.over, job.status, job.result.output]);
        show((await client.jobs())[0].id === id);
        const events = [];
        for await (const event of client.events(id))
            events.push(event.event);
        show(events);
        show((await client.submit("1", { key: "js k" })).id === (await client.submit("1", { key: "js k" })).id);
        const long = await client.submit("import time; time.sleep(1000)", { policy: "default", timeout: 600 });
        await client.cancel(long.id);
        show((await client.wait(long.id)).state);
        const error = await client.job("../health").catch((error) => error);
        show([error instanceof Refused, error.status]);""", address(server))
    assert done == ["done", True, 200, "42"] and listed is True
    assert events == ["start", "stdout", "verdict"] and same is True
    assert cancelled == "cancelled" and refused == [True, 404]


def test_a_job_may_have_a_callback(node, serve, receive):
    receiver = receive()
    server = serve(store="memory", callback_host=receiver.host, cold=True)
    number, refused = node("""
        const options = { callback: { url: b, secret: "x".repeat(16) } };
        show((await new Client(a).submit("print(6 * 7)", options)).id);
        show((await new Client(a).run("1", options).catch((error) => error)).name);""", address(server), receiver.url)
    told = receiver.got.get()
    check_signature(told, "x" * 16)
    assert told.headers["X-Sandbox-Job"] == number and refused == "TypeError"
    found = node("""
        const { headers, body, secret } = JSON.parse(a);
        const job = await Job.ofCallback(headers, body, secret);
        show([job.id, job.result.output]);
        show((await Job.ofCallback(new Headers(headers), new TextEncoder().encode(body), secret)).id);""",
                 json.dumps({"headers": dict(told.headers), "body": told.body.decode(), "secret": "x" * 16}))
    assert found == [[number, "42"], number]


@pytest.mark.parametrize("change, words", [
    ({}, "X-Sandbox-Signature"),
    ({"X-Sandbox-Signature": "t=1,v1=xyz"}, "X-Sandbox-Signature"),
    ({"secret": "another"}, "another secret"), ({"body": b'{"id": "2"}'}, "changed"), ({"X-Sandbox-Job": "2"}, "changed"),
    ({"age": 301}, "more than 300 s ago"), ({"age": -301}, "more than 300 s ago"), ({"age": 290}, None),
])
def test_a_callback_that_is_not_signed_as_it_should_be_is_refused(node, change, words):
    headers, body, secret = forged(change)
    said, = node("""
        const { headers, body, secret } = JSON.parse(a);
        show(await Job.ofCallback(headers, body, secret).then((job) => job.id, (error) => [error.name, error.message]));""",
                 json.dumps({"headers": headers, "body": body.decode(), "secret": secret}))
    assert said == "1" if words is None else said[0] == "SandboxError" and words in said[1]
