"""The clients of README and of the manuals, as they stand there, against a real server; and what README's tables say of
the service."""

import contextlib
import json
import os
import re
import shutil
import subprocess

import pytest

from examples import BLOCKS, README
from sandbox_run import BINARY, CHECKOUT
from sandbox_serve import SERVE, isolated

HERE = r"(localhost|127\.0\.0\.1):8000"
LANGUAGES = {"sh": ["bash", "-eu", "-o", "pipefail"], "python": ["/usr/bin/python3"],
             "js": ["node", "--input-type=module"]}


def clients(language):
    """The blocks in a language that talk to the service, and show what it answers."""
    return [text for name, text in BLOCKS if name == language and re.search(HERE, text) and split(text)[1]]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_client_of_the_texts_gets_what_stands_below_it(serve, token, language, tmp_path):
    """A line `# prints …` or `// prints …` says what its client prints, lines without a prompt do beside those that
    have one. The port is the server's, and TOKEN a token of it."""
    blocks = clients(language)
    assert blocks, f"no client in {language}"
    if shutil.which(LANGUAGES[language][0]) is None:
        pytest.skip(f"{LANGUAGES[language][0]} is not installed")
    alice = token("alice")
    path = f"{BINARY.parent}:{os.environ['PATH']}"
    clients_of_ours = CHECKOUT / "src/clients"  # as pip and npm would install them
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules/sandbox-run").symlink_to(clients_of_ours / "js")
    for block in blocks:
        server = serve(store="memory", tokens=token.file if "TOKEN" in block else None)
        script, wanted = split(re.sub(HERE, f"\\1:{server.address[1]}", block))
        ran = subprocess.run(LANGUAGES[language], input=script, capture_output=True, text=True, check=False,
                             cwd=tmp_path,
                             env={**os.environ, "TOKEN": alice, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1",
                                  "PYTHONPATH": str(clients_of_ours / "python")})
        assert ran.returncode == 0, (script, ran)
        said = [line for line in ran.stdout.splitlines() if line]
        assert len(said) == len(wanted) > 0, (wanted, ran)
        for line, shown in zip(said, wanted):
            assert same(shown, line), (shown, line)


def test_the_example_with_a_token_and_a_certificate_works_as_it_stands_there(tmp_path):
    """In a network namespace of its own, so that it may listen everywhere, on the port that stands there."""
    block, = [text for name, text in BLOCKS if "openssl req" in text]
    if shutil.which("openssl") is None or shutil.which("curl") is None:
        pytest.skip("openssl or curl is not installed")
    script, wanted = split(block)
    ran = subprocess.run(isolated(["bash", "-eu", "-c", script + "kill %1; wait"]), capture_output=True, text=True,
                         check=False, cwd=tmp_path,
                         env={**os.environ, "PATH": f"{BINARY.parent}:{os.environ['PATH']}"})
    said = [line for line in ran.stdout.splitlines() if line]
    assert len(said) == len(wanted) == 1 and same(wanted[0], said[0]), ran


def split(block):
    """(what is run, the lines that are printed)"""
    run, shown, command, quoted = [], [], "$ " not in block, False
    for line in block.splitlines():
        comment = re.match(r"(?:#|//) prints (.*)", line)
        if comment:
            shown.append(comment[1])
        elif command or line.startswith("$ "):
            quoted ^= line.count("'") % 2 == 1
            run.append(line.removeprefix("$ "))
            if "$ " in block:
                command = quoted or line.endswith("\\")
                run += [] if command else ["echo"]
        else:
            shown.append(line)
    return "\n".join(run) + "\n", shown


def same(shown, printed):
    """… stands for anything. Without it, JSON is compared as JSON, and all else literally. Times count for nothing."""
    shown, printed = (re.sub(r'"execution_time":[\d.]+', '"execution_time":0', each) for each in (shown, printed))
    if "…" not in shown:
        with contextlib.suppress(ValueError):
            return json.loads(shown) == json.loads(printed)
    return re.fullmatch(".*".join(map(re.escape, shown.split("…"))), printed) is not None


def test_every_endpoint_is_in_the_readme(server):
    for path in server.get("/openapi.json").json["paths"]:
        assert re.search(rf"`(GET|POST) {re.escape(path)}`", README), path


def test_every_option_that_the_readme_names_is_there():
    usage = subprocess.run([SERVE, "--help"], capture_output=True, text=True, check=True).stdout
    for command in re.findall(r"sandbox-serve[^`\n]*", README):
        for option in re.findall(r"--[a-z][a-z-]+", command):
            assert option in usage, option
