"""What the tests of both clients share: the form of the API."""

import json

from sandbox_run import CHECKOUT

CLIENTS = CHECKOUT / "src/clients"
PYTHON = CLIENTS / "python/sandbox_run.py"
JS = CLIENTS / "js/sandbox-run.js"
SCHEMAS = json.loads((CHECKOUT / "src/serve/api/openapi.json").read_text())["components"]["schemas"]
REQUEST = set(SCHEMAS["RunRequest"]["properties"])
JOB = set(SCHEMAS["JobRequest"]["properties"])
ANSWER = {name for schema in ("RunAnswer", "GradedAnswer", "CaseAnswer") for name in SCHEMAS[schema]["properties"]}


def address(server):
    return "http://{}:{}".format(*server.address)


def refusals(server):
    """How many requests it has refused."""
    return sum(value for name, value in server.metrics().items() if name[0] == "sandbox_refused_total")
