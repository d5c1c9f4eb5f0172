"""A request with a header that a proxy in front could read differently is refused, and its connection is closed: a
request hidden behind it is never answered. The client stays connected, so it would see an answer."""

import pytest

BODY = b'{"code": "pass"}'
HIDDEN = b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)


def post(*lines, target=b"/run", host=b"Host: localhost\r\n", line=None):
    line = b"POST " + target + b" HTTP/1.1\r\n" if line is None else line
    return line + host + b"Content-Type: application/json\r\n" + b"".join(lines) + b"\r\n" + BODY + HIDDEN


FORMS = {
    "a space before the colon": post(b"Transfer-Encoding : chunked\r\n", LENGTH),
    "a tab before the colon": post(b"Transfer-Encoding\t: chunked\r\n", LENGTH),
    "a length with a space before the colon": post(LENGTH.replace(b":", b" :")),
    "a name with a space": post(b"Transfer Encoding: chunked\r\n", LENGTH),
    "a name with a bracket": post(b"Transfer-Encoding]: chunked\r\n", LENGTH),
    "a line that goes on": post(b"X-Other: one\r\n two\r\n", LENGTH),
    "a line that goes on as a header": post(b"X-Other: one\r\n " + LENGTH),
    "a name made of two lines": post(b"Content-Lengt: %d\r\n h\r\n" % len(BODY)),
    "an encoding made of two lines": post(b"Transfer-Encodin: chunked\r\n\tg\r\n", LENGTH),
    "a bare CR in a value": post(b"X-Other: one\rTransfer-Encoding: chunked\r\n", LENGTH),
    "a space in the target": post(LENGTH, target=b"/run HTTP/1.1\tx"),
    "a space in the query": post(LENGTH, target=b"/run?a b"),
    "two spaces before the target": post(LENGTH, target=b" /run"),
    "two spaces before the version": post(LENGTH, target=b"/run "),
    "a tab in the target": post(LENGTH, target=b"/run\tx"),
    "a control character in the target": post(LENGTH, target=b"/run\x01"),
    "DEL in the target": post(LENGTH, target=b"/run?\x7f"),
    "a fragment": post(LENGTH, target=b"/run#x"),
    "a fragment behind the query": post(LENGTH, target=b"/run?a#x"),
    "a NUL behind the target": post(LENGTH, target=b"/run\0"),
    "a NUL in the target": post(LENGTH, target=b"/run\0x"),
    "a NUL in the query": post(LENGTH, target=b"/run?a\0b"),
    "a NUL in the method": post(LENGTH, line=b"POST\0 /run HTTP/1.1\r\n"),
    "a method that is no name": post(LENGTH, line=b"PO(ST /run HTTP/1.1\r\n"),
    "a NUL behind a length": post(LENGTH.replace(b"\r", b"\0\r")),
    "a NUL behind a value": post(b"X-Other: one\0\r\n", LENGTH),
    "a NUL behind the last value": post(LENGTH, b"X-Other: one\0\r\n"),
    "a NUL for a value": post(b"X-Other: \0\r\n", LENGTH),
    "a NUL before a value": post(b"X-Other:\0 one\r\n", LENGTH),
    "a line that begins with a NUL": post(b"\0X-Other: one\r\n", LENGTH),
    "a line of one NUL": post(b"\0\r\n", LENGTH),
    "a line of one NUL behind the first": post(LENGTH, line=b"POST /run HTTP/1.1\r\n\0\r\n"),
    "LF alone behind the first line": post(LENGTH, line=b"POST /run HTTP/1.1\n"),
    "LF alone behind a header": post(b"X-Other: one\n", LENGTH),
    "LF alone behind white space": post(b"X-Other: one \n", LENGTH),
    "LF alone behind the last header": post(LENGTH, b"X-Other: one\n"),
    "LF alone at the end": post(LENGTH + b"\n")[:-len(BODY + HIDDEN) - 2] + BODY + HIDDEN,
    "LF alone everywhere": post(LENGTH).replace(b"\r\n", b"\n"),
    "two CR": post(b"X-Other: one\r\r\n", LENGTH),
    "a fold of nothing": post(b"X-Other: one\r\n \r\n", LENGTH),
    "no host": post(LENGTH, host=b""),
}


@pytest.mark.parametrize("form", FORMS)
def test_what_two_may_read_differently_ends_the_connection(server, form):
    with server.connect() as connection:
        connection.send(FORMS[form])
        answer = connection.answer()
        assert answer.status == 400 and answer.error, answer
        assert answer.headers["Content-Type"] == "application/json" and answer.headers["Connection"] == "close"
        assert connection.answer() is None


def test_headers_of_honest_clients_are_taken(server):
    headers = (b"X-Empty:\r\nX-Blank:   \r\nX-Close:value\r\nX-Tab:\tvalue\r\nX-Trailing: value  \r\n"
               b"!#$%&'*+-.^_`|~: value\r\nX-High: caf\xc3\xa9 \xff\r\nX-Colon: a: b\r\n")
    with server.connect() as connection:
        connection.send(b"GET /version HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n")
        assert connection.answer().status == 200
        connection.send(HIDDEN)
        assert connection.answer().status == 200


def test_the_answer_to_a_request_without_host_is_one_answer(server):
    with server.connect() as connection:
        connection.send(b"GET /version HTTP/1.1\r\n\r\n")
        answer = connection.answer()
        assert answer.status == 400 and answer.field == "Host" and connection.answer() is None
    with server.connect() as connection:
        connection.send(b"GET /version HTTP/1.0\r\n\r\n")
        assert connection.answer().status == 200


def test_empty_lines_before_a_request_are_passed_over(server):
    """RFC 9112, 2.2: some clients send one behind a body."""
    with server.connect() as connection:
        for _ in range(2):
            connection.send(b"\r\n" + HIDDEN)
            assert connection.answer().status == 200


@pytest.mark.parametrize("size", [1, 100, 30000])
def test_a_head_that_comes_in_parts_is_taken(server, size):
    """However it grew in memory."""
    head = b"GET /version?" + b"q" * size + b" HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * size + b" \r\nY:\r\n\r\n"
    if len(head) > 32768:
        head = head.replace(b"q", b"")
    with server.connect() as connection:
        for at in range(0, len(head), 997):
            connection.send(head[at:at + 997])
        assert connection.answer().status == 200


def test_what_is_behind_the_first_line_is_not_looked_for_in_a_lower_case_version(server):
    with server.connect() as connection:
        connection.send(post(LENGTH, line=b"POST /run http/1.1\r\n"))
        answer = connection.answer()  # libmicrohttpd's own
        assert answer is None or answer.status == 400
        assert b"version" not in connection.rest()
