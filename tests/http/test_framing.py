"""Where a header is read in another way than a proxy in front would read it, the request is refused and the connection
ends: what hides behind it is never answered. The client stays, so that an answer would be seen."""

import pytest

BODY = b'{"code": "pass"}'
HIDDEN = b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)


def post(*lines, target=b"/run", host=b"Host: localhost\r\n"):
    return (b"POST " + target + b" HTTP/1.1\r\n" + host + b"Content-Type: application/json\r\n" + b"".join(lines)
            + b"\r\n" + BODY + HIDDEN)


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
