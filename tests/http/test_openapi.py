"""The OpenAPI document is true: its examples are sent to the service, and the answers have the forms that it gives."""

import json
import pathlib

import pytest

from streams import NDJSON, SSE, Stream

jsonschema = pytest.importorskip("jsonschema", reason="needs python3-jsonschema")
JSON = "application/json"
TEMPLATE = json.loads((pathlib.Path(__file__).parents[2] / "src/serve/api/openapi.json").read_text("utf-8"))
POSTS = {path: methods["post"]["requestBody"]["content"][JSON]["examples"]
         for path, methods in TEMPLATE["paths"].items() if "post" in methods}
GETS = [path for path, methods in TEMPLATE["paths"].items() if "get" in methods]
REFUSED = {"no_main", "not_json"}  # examples whose code is at fault
MALFORMED = {"unknown", "empty"}  # examples that no schema allows


@pytest.fixture
def document(server):
    return server.get("/openapi.json").json


def fits(document, schema, value):
    return jsonschema.Draft202012Validator({**schema, "components": document["components"]}).is_valid(value)


def check(document, answer, path, method):
    """The answer's status is documented for the path, and so are its headers and its form."""
    response = document["paths"][path][method]["responses"][str(answer.status)]
    if "$ref" in response:
        response = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
    assert set(response.get("headers", {})) <= set(answer.headers)
    content = response["content"][answer.headers.get_content_type()]
    assert "schema" not in content or fits(document, content["schema"], answer.json), answer
    return content


@pytest.mark.parametrize("path, name", [(path, name) for path, examples in POSTS.items() for name in examples])
def test_every_example_is_answered_as_documented(server, document, path, name):
    content = document["paths"][path]["post"]["requestBody"]["content"][JSON]
    request = content["examples"][name]["value"]
    assert fits(document, content["schema"], request) == (name not in MALFORMED)
    answer = server.post(path, request)
    assert answer.status == (400 if name in REFUSED | MALFORMED else 202 if path == "/jobs" else 200)
    content = check(document, answer, path, "post")
    if name in content.get("examples", {}):
        documented = content["examples"][name]["value"]
        assert fits(document, content["schema"], documented) and set(documented) == set(answer.json)


@pytest.mark.parametrize("accept", [SSE, NDJSON])
@pytest.mark.parametrize("name", sorted(set(POSTS["/run"]) - MALFORMED))
def test_every_event_of_a_stream_is_as_documented(server, document, accept, name):
    content = document["paths"]["/run"]["post"]["responses"]["200"]["content"]
    with Stream(server, accept=accept, **POSTS["/run"][name]["value"]) as stream:
        for event, data in stream.events():
            assert fits(document, content[accept]["x-itemSchema"], {"event": event, **data}), (event, data)
    assert event == "verdict" and fits(document, content[JSON]["schema"], data)


@pytest.mark.parametrize("path", GETS)
def test_what_is_there_to_be_read_is_as_documented(server, document, path):
    answer = server.get(path)
    for example in check(document, answer, path, "get").get("examples", {}).values():
        assert example["value"] == answer.json


@pytest.mark.parametrize("path", POSTS)
def test_refusals_are_as_documented(server, document, path):
    for body, headers, status in ((b"{", {}, 400), ({"code": 1}, {}, 400),
                                  ({"code": ""}, {"Content-Type": "text/plain"}, 415),
                                  ({"code": ""}, {"Origin": "https://evil.example"}, 403),
                                  ({"code": ""}, {"Host": "evil.example"}, 421)):
        answer = server.post(path, body, headers)
        assert answer.status == status
        check(document, answer, path, "post")


def test_refusals_for_want_of_a_token_are_as_documented(token, serve):
    other = token("alice", "--policy", "default")
    server = serve(tokens=token.file, offer_default=True)
    document = server.get("/openapi.json").json
    for path, body in (("/run", {"code": "", "policy": "run"}), ("/run_code", {"code": ""}), ("/execute", {"code": ""}),
                       ("/execute", {"script": "def main(): pass"})):
        for headers, status in (({}, 401), ({"Authorization": f"Bearer {other}"}, 403)):
            answer = server.post(path, body, headers)
            assert answer.status == status
            check(document, answer, path, "post")
