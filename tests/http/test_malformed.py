"""JSON that is malformed, ambiguous or hostile: refused with an error in JSON, and nothing of it runs. After each
the server answers as before."""

import json

import pytest

RAN = "print('RAN')"
CODE = json.dumps(RAN).encode()

MALFORMED = {
    "cut": b'{"code": ' + CODE,
    "cut in a string": b'{"code": "pri',
    "trailing text": b'{"code": ' + CODE + b"} x",
    "a second object": b'{"code": ' + CODE + b'}{"code": ' + CODE + b"}",
    "a trailing comma": b'{"code": ' + CODE + b",}",
    "a comment": b'{"code": ' + CODE + b"} // run it",
    "a comment inside": b'{/* x */"code": ' + CODE + b"}",
    "single quotes": b"{'code': 'print(1)'}",
    "a bare key": b'{code: "print(1)"}',
    "a raw newline in a string": b'{"code": "print(1)\n"}',
    "a raw tab in a string": b'{"code": "\tprint(1)"}',
    "a raw NUL in a string": b'{"code": "print(1)\0"}',
    "a raw NUL after the end": b'{"code": ' + CODE + b"}\0",
    "a raw NUL between": b'{"code":\0' + CODE + b"}",
    "an escaped NUL": b'{"code": "print(1)\\u0000"}',
    "an escaped NUL in a key": b'{"code\\u0000": "print(1)", "code": ' + CODE + b"}",
    "an unknown escape": b'{"code": "print(\\x31)"}',
    "a short escape": b'{"code": "\\u12"}',
    "NaN": b'{"code": ' + CODE + b', "timeout": NaN}',
    "Infinity": b'{"code": ' + CODE + b', "timeout": Infinity}',
    "-Infinity": b'{"code": ' + CODE + b', "timeout": -Infinity}',
    "a huge number": b'{"code": ' + CODE + b', "timeout": 1e999}',
    "a number of a million digits": b'{"code": ' + CODE + b', "timeout": ' + b"1" * 500000 + b"}",
    "a leading zero": b'{"code": ' + CODE + b', "timeout": 01}',
    "a leading plus": b'{"code": ' + CODE + b', "timeout": +1}',
    "a bare point": b'{"code": ' + CODE + b', "timeout": 1.}',
    "a hexadecimal number": b'{"code": ' + CODE + b', "timeout": 0x1}',
    "True": b'{"code": ' + CODE + b', "timeout": True}',
    "a lone high surrogate": b'{"code": "print(1) # \\ud800"}',
    "a lone low surrogate": b'{"code": "print(1) # \\udc00"}',
    "surrogates the wrong way round": b'{"code": "print(1) # \\udc00\\ud800"}',
    "a high surrogate before a letter": b'{"code": "print(1) # \\ud800a"}',
    "a lone surrogate in stdin": b'{"code": ' + CODE + b', "stdin": "\\ud83d"}',
    "a lone surrogate in a key": b'{"code": ' + CODE + b', "\\ud83d": 1}',
    "invalid UTF-8": b'{"code": "print(1) # \xff"}',
    "a cut character": b'{"code": "print(1) # \xe2\x82"}',
    "an overlong character": b'{"code": "print(1) # \xc0\xaf"}',
    "an encoded surrogate": b'{"code": "print(1) # \xed\xa0\x80"}',
    "a character beyond Unicode": b'{"code": "print(1) # \xf4\x90\x80\x80"}',
    "invalid UTF-8 in a key": b'{"code": ' + CODE + b', "\xff": 1}',
    "two byte order marks": b'\xef\xbb\xbf' * 2 + b'{"code": ' + CODE + b"}",
    "a byte order mark behind white space": b' \xef\xbb\xbf{"code": ' + CODE + b"}",
    "a byte order mark alone": b"\xef\xbb\xbf",
    "half a byte order mark": b'\xef\xbb{"code": ' + CODE + b"}",
    "UTF-16": ('{"code": ' + CODE.decode() + "}").encode("utf-16"),
    "UTF-32": ('{"code": ' + CODE.decode() + "}").encode("utf-32-le"),
    "the same key twice": b'{"code": "pass", "code": ' + CODE + b"}",
    "the same key twice, once with an escape": b'{"code": "pass", "\\u0063ode": ' + CODE + b"}",
    "the same key twice, once all in escapes": b'{"\\u0063\\u006f\\u0064\\u0065": "pass", "code": ' + CODE + b"}",
    "the same key twice inside": b'{"code": ' + CODE + b', "limits": {"pids": 3, "pids": 4}}',
    "the same variable twice": b'{"code": ' + CODE + b', "env": {"A": "1", "\\u0041": "2"}}',
    "deep arrays": b'{"code": ' + CODE + b', "args": ' + b"[" * 400000 + b"]" * 400000 + b"}",
    "deep objects": b'{"code": ' + CODE + b', "env": ' + b'{"a":' * 150000 + b"1" + b"}" * 150000 + b"}",
    "deep and never closed": b"[" * 900000,
    "only brackets": b'{"a":' * 150000,
    "form data": b"code=print(1)",
    "XML": b"<code>print(1)</code>",
    "many keys": b"{" + b",".join(b'"k%d":1' % i for i in range(50000)) + b"}",
}


@pytest.mark.parametrize("path", ["/run", "/run_code", "/execute"])
@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_malformed_json_is_refused_and_never_run(server, body, path):
    answer = server.post(path, body)
    assert answer.status == 400 and answer.error and "field" in answer.json
    assert "RAN" not in answer.json.get("output", "")
    assert server.get("/health").status == 200


@pytest.mark.parametrize("code", [
    "print('ü😀')", "print('\\\\', '\"', '/')", "# \u2028 \u2029 \x7f \ufeff\nprint(1)", "print('''\ta\n\r\n''')",
])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_every_string_that_is_json_arrives_as_it_was(server, code, ascii_only):
    body = json.dumps({"code": "import sys; print(ascii(sys.stdin.read()))", "stdin": code}, ensure_ascii=ascii_only)
    text = server.post("/run", body.encode()).json["output"]
    assert text in (ascii(code), ascii(code.replace("\r\n", "\n")))


def test_a_byte_order_mark_before_json_is_passed_over(server):
    """Windows' tools write one (RFC 8259, 8.1)."""
    for path in ("/run", "/run_code", "/execute"):
        assert server.post(path, b'\xef\xbb\xbf{"code": ' + CODE + b"}").json["output"] == "RAN"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_json_in_another_encoding_is_told_so(server, encoding):
    answer = server.post("/run", ('{"code": ' + CODE.decode() + "}").encode(encoding))
    assert answer.status == 400 and "UTF-8" in answer.error


def test_space_around_json_is_allowed(server):
    assert server.post("/run", b' \t\r\n{ "code" : "print(1)" } \n').json["output"] == "1"


def test_what_a_field_is_called_in_an_error_is_not_the_clients_to_break(server):
    """A field's name comes back as JSON, whatever it is."""
    for name in ('"', "\\", "</script>", "\n", "x" * 100000, "ü😀", "%s%n"):
        answer = server.post("/run", {"code": "pass", name: 1})
        assert answer.status == 400 and answer.error and len(answer.body) < 10000
