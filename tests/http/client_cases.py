"""What the tests of both clients share: the form of the API, and what the service of today can do."""

import json

import pytest

from sandbox_run import CHECKOUT

CLIENTS = CHECKOUT / "src/clients"
PYTHON = CLIENTS / "python/sandbox_run.py"
JS = CLIENTS / "js/sandbox-run.js"
SCHEMAS = json.loads((CHECKOUT / "src/serve/api/openapi.json").read_text())["components"]["schemas"]
REQUEST = set(SCHEMAS["RunRequest"]["properties"])
ANSWER = set(SCHEMAS["RunAnswer"]["properties"])
# The clients know these fields also while a service does not offer them yet.
LATER_REQUEST, LATER_ANSWER = {"collect", "notebook"}, {"files", "files_left_out", "display"}


def address(server):
    return "http://{}:{}".format(*server.address)


def refusals(server):
    """How many requests it has refused."""
    return sum(value for name, value in server.metrics().items() if name[0] == "sandbox_refused_total")


def needs(server, feature):
    """Skips where the service's document does not have what a test is about."""
    document = server.get("/openapi.json").json
    fields = document["components"]["schemas"]["RunRequest"]["properties"]
    has = {
        "bytes": fields["files"]["additionalProperties"] != {"type": "string"},
        "stream": "text/event-stream" in document["paths"]["/run"]["post"]["responses"]["200"]["content"],
    }
    if not has.get(feature, feature in fields):
        pytest.skip(f"the service does not offer {feature}")
