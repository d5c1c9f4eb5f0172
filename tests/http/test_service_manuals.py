"""The manuals and the configuration file describe everything that the program does."""

import re
import subprocess

import pytest

from sandbox_run import CHECKOUT
from sandbox_serve import SERVE

MAN = CHECKOUT / "man"
ELSEWHERE = {"config", "policy", "version", "help"}  # what stands on the command line alone


def usage():
    return subprocess.run([SERVE, "--help"], capture_output=True, text=True, check=True).stdout


def options():
    return re.findall(r"^  --([a-z-]+)", usage(), re.M)


@pytest.mark.parametrize("option", options())
def test_every_option_is_explained(option):
    manual = (MAN / "sandbox-serve.8").read_text()
    assert re.search(rf"^\.It (Fl h , )?Fl -{option}\b|^\.It .*Fl -{option}$|^\.It Fl h , -{option}$", manual, re.M)
    if option not in ELSEWHERE:
        sample = (CHECKOUT / "src/serve/units/serve.conf").read_text()
        assert re.search(rf"^#{option} = ", sample, re.M)


def test_every_default_is_told_right(server):
    """A default is in brackets in --help, in words in the manual, and a value in the configuration file."""
    sample = (CHECKOUT / "src/serve/units/serve.conf").read_text()
    for name, value in re.findall(r"^  --([a-z-]+) .*\[([^\]]*)\]$", usage(), re.M):
        if name not in ELSEWHERE and " " not in value:
            assert f"#{name} = {value}\n" in sample, (name, value)


@pytest.mark.parametrize("schema", ["RunRequest", "RunAnswer"])
def test_every_member_of_a_request_and_an_answer_is_explained(server, schema):
    manual = (MAN / "sandbox-api.7").read_text()
    explained = {name for line in re.findall(r"^\.It Cm (.*)$", manual, re.M) for name in re.split(r"[ ,]+", line)}
    schemas = server.get("/openapi.json").json["components"]["schemas"]
    assert set(schemas[schema]["properties"]) <= explained


def test_every_path_is_listed(server):
    manual = (MAN / "sandbox-api.7").read_text()
    for path, methods in server.get("/openapi.json").json["paths"].items():
        for method in methods:
            assert f".It {method.upper()} {path} Ta" in manual


def test_the_usage_is_no_wider_than_a_terminal_mostly_is():
    assert max(map(len, usage().splitlines())) <= 100


def test_every_metric_is_explained_and_every_one_explained_is_there(server):
    manual = (MAN / "sandbox-serve.8").read_text()
    section = manual.partition(".Ss Metrics")[2].partition(".Ss ")[0]
    explained = {name for line in re.findall(r"^\.It Cm (.*)$", section, re.M) for name in re.split(r"[ ,]+", line)}
    there = set(re.findall(r"^# TYPE (\S+)", server.get("/metrics").text, re.M))
    assert explained == there | {"sandbox_certificate_expiry_timestamp_seconds"}


def test_every_reason_and_label_of_metrics_is_explained(server):
    section = (MAN / "sandbox-serve.8").read_text().partition(".Ss Metrics")[2].partition(".Ss ")[0]
    explained = set(re.findall(r"^\.Cm (\w+)", section, re.M))
    text = server.get("/metrics").text
    reasons = set(re.findall(r'^sandbox_refused_total{reason="(\w+)"}', text, re.M))
    labels = set(re.findall(r'[{,](\w+)="', text)) - {"le"}
    assert reasons | labels <= explained
