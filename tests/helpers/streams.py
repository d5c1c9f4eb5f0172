"""Streamed answers of POST /run, read event by event."""

import base64
import http.client
import json
import re

from http_client import strict_json

SSE, NDJSON = "text/event-stream", "application/x-ndjson"


class Stream:
    """The answer to a request that asks for a stream, as it arrives."""

    def __init__(self, server, code, accept=SSE, headers=None, connection=None, **fields):
        self.accept = accept
        self.connection = connection or server.connect()
        self.connection.ask("POST", "/run", {"code": code, **fields}, {"Accept": accept, **(headers or {})})

    def begin(self):
        """Reads the header."""
        self._file = self.connection._file
        line = self._file.readline()
        match = re.fullmatch(rb"HTTP/1\.[01] (\d{3}) .*\r\n", line)
        assert match, line
        self.status, self.headers = int(match[1]), http.client.parse_headers(self._file)
        assert self.status == 200 and self.headers.get_content_type() == self.accept, (self.status, self.headers)
        return self

    def lines(self):
        """Each line as soon as it is whole."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            yield from self._file
            return
        rest = b""
        while size := int(self._file.readline() or b"-1", 16):
            if size < 0:
                raise EOFError("the stream was cut off")
            part = self._file.read(size + 2)
            if len(part) < size + 2:
                raise EOFError("the stream was cut off")
            assert part.endswith(b"\r\n")
            rest += part[:-2]
            *whole, rest = rest.split(b"\n")
            yield from (line + b"\n" for line in whole)
        assert (rest, self._file.readline()) == (b"", b"\r\n")

    def raw_events(self):
        """(name, data as text), and (None, comment) for a line that is no event."""
        name = data = None
        for line in self.lines():
            text = line.decode("utf-8").removesuffix("\n")
            if self.accept == NDJSON:
                event = strict_json(text.encode()) if text else None
                yield (event.pop("event"), json.dumps(event)) if text else (None, "")
            elif text == "" and name is not None:
                yield name, data
                name = data = None
            elif text.startswith("event: "):
                assert name is None
                name = text.removeprefix("event: ")
            elif text.startswith("data: "):
                assert data is None
                data = text.removeprefix("data: ")
            elif text.startswith(":"):
                yield None, text
            else:
                assert text == "", text

    def events(self):
        """(name, data) of each event."""
        if not hasattr(self, "status"):
            self.begin()
        for name, data in self.raw_events():
            if name is not None:
                yield name, strict_json(data.encode())

    def until(self, name):
        """The data of the next event of that name; the others are dropped."""
        if not hasattr(self, "_events"):
            self._events = self.events()
        return next(data for event, data in self._events if event == name)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.connection.close()


def output(events, name="stdout"):
    """The bytes of all events of a stream."""
    return b"".join(data["text"].encode() if "text" in data else base64.b64decode(data["base64"])
                    for event, data in events if event == name)
