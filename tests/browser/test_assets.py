"""The pages' files as they are served."""

import gzip
import re

import pytest

PAGES = ["/", "/jobs.html", "/docs", "/redoc"]


def assets(server, page):
    return re.findall(r'(?:src|href)="(/assets/[^"]+)"', server.get(page).text)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_may_do_very_little(server, page):
    answer = server.get(page)
    assert answer.headers.get_content_type() == "text/html"
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert policy["style-src"].split()[0] == "'self'"
    if page != "/redoc":
        assert policy["style-src"] == "'self'"
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", answer.text)


def test_the_frame_of_displays_is_empty_and_may_load_nothing(server):
    [path] = re.findall(r'data-frame="(/assets/[^"]+)"', server.get("/").text)
    answer = server.get(path)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy == {"default-src": "'none'", "style-src": "'unsafe-inline'", "img-src": "data:", "base-uri": "'none'",
                      "form-action": "'none'", "frame-ancestors": "'self'"}
    assert "immutable" in answer.headers["Cache-Control"]
    assert re.search(r"<body>\s*</body>", answer.text) and "<script" not in answer.text


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_asked_for_anew_and_its_files_never_again(server, page):
    answer = server.get(page)
    assert answer.headers["Cache-Control"] == "no-cache"
    assert server.get(page, {"If-None-Match": answer.headers["ETag"]}).status == 304
    assert len(assets(server, page)) >= 4
    for path in assets(server, page):
        asset = server.get(path)
        assert asset.status == 200 and "immutable" in asset.headers["Cache-Control"], path
        assert asset.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("page", PAGES)
def test_what_is_compressed_is_the_same(server, page):
    for path in [page, *assets(server, page)]:
        plain, packed = server.get(path), server.get(path, {"Accept-Encoding": "gzip, br"})
        assert plain.headers["Content-Encoding"] is None
        if packed.headers["Content-Encoding"]:
            assert gzip.decompress(packed.body) == plain.body
            assert len(packed.body) < len(plain.body)
            assert "Accept-Encoding" in packed.headers["Vary"] and "Accept-Encoding" in plain.headers["Vary"]
            assert packed.headers["ETag"] != plain.headers["ETag"] or packed.headers["ETag"].startswith("W/")
        else:
            assert packed.body == plain.body and len(plain.body) < 1000


def test_the_licences_of_what_is_embedded_are_there(server):
    [path] = [path for path in assets(server, "/") if "licences" in path]
    text = server.get(path).text
    for name in ("@codemirror/view", "@lezer/python", "swagger-ui-dist", "redoc"):
        assert re.search(rf"^{name} \d", text, re.M), name
