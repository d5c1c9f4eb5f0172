"""Notebook cells in the page: tables, pictures and text, in their order; what they hold never runs and loads nothing."""

import contextlib

import pytest

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAAD0lEQVR4nGP4z8DA8B8ABAAB/6l9l+kAAAAASUVORK5CYII="
SVG = "<svg xmlns='http://www.w3.org/2000/svg' width='40' height='20'><rect width='40' height='20' fill='teal'/></svg>"


@pytest.fixture
def cell(page):
    """cell(code) runs it as a notebook cell."""
    page.click("#notebook")
    return page.paste_and_run


def shows(name, mime, data):
    return f"class {name}:\n    def _repr_mimebundle_(self, *a, **k): return {{{mime!r}: {data!r}, 'text/plain': {name!r}}}\n"


def test_a_switch_makes_the_code_a_notebook_cell(page):
    page.paste_and_run("'not shown'")
    assert page.content(".stdout pre") == "" and not page.all(".display")
    page.click("#notebook").run()
    assert page.content(".display pre") == "'not shown'"
    page.reload().ready().run()
    assert page.all(".display")


def test_displays_stand_between_the_output_in_their_order(page, cell):
    cell(shows("Svg", "image/svg+xml", SVG) + shows("Png", "image/png", PNG)
         + "import time\ndef say(text): time.sleep(0.4); print(text, flush=True); time.sleep(0.4)\n"  # two channels: no order but time
         + "say('one')\ndisplay(Svg())\nsay('two')\ndisplay(Png())\ndisplay({'a': 1})\nsay('three')")
    kinds = page.script("""return [...document.querySelectorAll(".stdout .blocks > *")].map((node) => {
        const img = node.querySelector("img");
        return img ? img.src.slice(5, 14) + img.alt : node.textContent; })""")
    assert kinds == ["one\n", "image/svgSvg", "two\n", "image/pngPng", "{'a': 1}", "three\n"]
    page.until(lambda: page.script("return [...document.images].filter((image) => image.className === 'picture')"
                                   ".map((image) => image.naturalWidth)") == [40, 2])


def test_a_display_is_shown_while_the_job_runs(page):
    page.click("#notebook").paste("import time\ndisplay('early')\nprint('on', flush=True)\ntime.sleep(60)").click("#run")
    page.until(lambda: page.all(".live .display") and page.all(".live pre"))
    assert page.state == "running" and page.content(".live .display") == "'early'"
    page.click("#stop").finished()
    assert page.content(".stdout .display") == "'early'"


@contextlib.contextmanager
def inside(page):
    """Within what a display shows: in the frame with its HTML, which stands in a frame of the service's own."""
    page.driver.switch_to.frame(page.find(".display-frame"))
    page.driver.switch_to.frame(page.until(lambda: page.find("iframe")))
    try:
        yield page.until(lambda: page.find("body"))
    finally:
        page.driver.switch_to.default_content()


def sandbox(page):
    page.driver.switch_to.frame(page.find(".display-frame"))
    try:
        return page.until(lambda: page.find("iframe")).get_dom_attribute("sandbox")
    finally:
        page.driver.switch_to.default_content()


def table(page):
    with inside(page):
        page.until(lambda: page.all("tr"))
        return [[cell.text for cell in row.find_elements("css selector", "td, th")] for row in page.all("tr")]


def test_html_is_shown_in_a_frame_that_may_do_nothing(page, cell):
    html = "<style>td {color: red}</style><table style='color: red'><tr><th>a<td>1<tr><th>b<td>2</table>"
    cell(shows("Table", "text/html", html) + "Table()")
    assert sandbox(page) == "" and page.find(".display-frame").get_attribute("title") == "Display: Table"
    assert table(page) == [["a", "1"], ["b", "2"]]
    for scheme, dark in (("light", "false"), ("dark", "true")):
        page.prefers(scheme).until(lambda: page.find("#theme").get_attribute("aria-pressed") == dark)
        assert page.violations() == []
    # axe asks the frame, which may not answer.
    assert [text for text in page.complaints() if "postMessage" not in text] == []


@pytest.mark.parametrize("text", ["text/markdown", "text/latex"])
def test_other_text_is_shown_as_text(page, cell, text):
    cell(shows("Text", text, "**<b>bold</b>** $x$") + "Text()")
    assert page.content(".display pre") == "**<b>bold</b>** $x$" and not page.all("#result b")


def test_json_is_shown_as_text(page, cell):
    cell(shows("Json", "application/json", {"a": [1]}) + "Json()")
    assert page.content(".display pre").split() == ["{", '"a":', "[", "1", "]", "}"]


HOSTILE = """<script>parent.document.title = "BREACH"; document.title = "BREACH"</script>
<img src=x onerror="parent.document.title = 'BREACH'"><img src="http://198.51.100.1/leak.png" srcset="http://198.51.100.1/leak2.png 2x">
<svg onload="parent.document.title = 'BREACH'"><script>parent.document.title = "BREACH"</script><image href="http://198.51.100.1/s.png"/></svg>
<link rel=stylesheet href="http://198.51.100.1/a.css"><style>@import "http://198.51.100.1/b.css";</style>
<meta http-equiv=refresh content="0;url=http://198.51.100.1/"><base href="http://198.51.100.1/"><p style="background: url(http://198.51.100.1/c)">text</p>
<iframe src="http://198.51.100.1/"></iframe><iframe srcdoc="<script>top.document.title='BREACH'</script>"></iframe>
<template shadowrootmode=open><script>parent.document.title = "BREACH"</script></template>
<a id=out href="http://198.51.100.1/" target=_top ping="http://198.51.100.1/ping">a link</a><form action="http://198.51.100.1/"><button>send</button></form>
<a href="javascript:parent.document.title='BREACH'">another</a><object data="http://198.51.100.1/"></object>"""


def test_hostile_html_runs_nothing_loads_nothing_and_leads_nowhere(page, cell):
    cell(shows("Bad", "text/html", HOSTILE) + "Bad()")
    with inside(page):
        page.until(lambda: page.all("#out"))
        for element in page.all("a, button"):
            element.click()
    page.keys("")
    assert page.driver.title.startswith("sandbox-run") and page.driver.current_url == page.origin + "/"
    assert len(page.driver.window_handles) == 1
    assert not [url for url in page.requests() if "198.51" in url]
    # What a form may not do, and what a style may not load, is said in the console.
    assert [text for text in page.complaints() if "sandboxed" not in text and "Loading the" not in text] == []


STYLED = """<style>@import "http://198.51.100.1/a.css"; @import url(/policies?imported);
@font-face {font-family: Far; src: url(http://198.51.100.1/f.woff2)} @font-face {font-family: Near; src: url(/policies?font)}
td {color: rgb(1, 2, 3); font-family: Far, Near; background: url(http://198.51.100.1/b.png), url(/policies?picture), image-set(url(/policies?set) 1x)}
td::after {content: url(http://198.51.100.1/c.png)} p {cursor: url(/policies?cursor), pointer; mask: url(/policies?mask#m)}</style>
<p style="color: rgb(4, 5, 6); border-image: url(/policies?border) 1; list-style: url(http://198.51.100.1/l.png)">text</p><table><tr><td>1</table>"""


def test_styles_hold_and_load_nothing(page, cell):
    page.requests()
    cell(shows("Styled", "text/html", STYLED) + "Styled()")
    with inside(page):
        seen = lambda selector: page.script(  # noqa: E731
            "return getComputedStyle(document.querySelector(arguments[0])).color", selector)
        page.until(lambda: page.all("td"))
        assert (seen("td"), seen("p")) == ("rgb(1, 2, 3)", "rgb(4, 5, 6)")
        page.script("return document.fonts.ready.then(() => null)")
    addresses = [url for url in page.requests() if not url.startswith("data:")]
    assert [url for url in addresses if "198.51" in url or "/policies" in url] == []
    assert [url for url in addresses if url.startswith(page.origin)], "the record of requests is empty"
    assert [text for text in page.complaints() if "Loading the" not in text] == []


def test_a_style_would_load_what_it_names_where_nothing_refuses_it(page):
    page.requests()
    page.driver.get(f"{page.origin}/version")
    page.script(FRAME, "<style>td {background: url(/health?seen)}</style><table><tr><td>1</table>", True)
    page.until(lambda: any("/health?seen" in url for url in page.requests()))


def test_a_styled_table_of_pandas_looks_styled(visitor, serve, data_rootfs):
    visitor.open(serve(rootfs=data_rootfs)).ready().click("#notebook")
    visitor.find("#policy").send_keys("data")
    visitor.paste_and_run("import pandas\ntable = pandas.DataFrame({'a': [1, 9]})\n"
                          "table.style.set_table_styles([{'selector': 'th', 'props': 'color: rgb(7, 8, 9)'}])"
                          ".highlight_max(color='rgb(9, 99, 9)')")
    assert visitor.verdict == "ok", visitor.text("#result")
    with inside(visitor):
        visitor.until(lambda: visitor.all("td"))
        colours = visitor.script("return [...document.querySelectorAll('td')].map((cell) => getComputedStyle(cell).backgroundColor)")
        assert colours == ["rgba(0, 0, 0, 0)", "rgb(9, 99, 9)"]
        assert visitor.script("return getComputedStyle(document.querySelector('th.col_heading')).color") == "rgb(7, 8, 9)"


@pytest.mark.parametrize("text", ["'<style ' * 300_000", "'<base ' * 300_000", "'<table><tr><td>' * 500 + '<td>1' * 200_000", "'<p on' * 300_000"])
def test_hostile_html_does_not_keep_the_page_busy(page, cell, text):
    cell(f"class Bad:\n    def _repr_html_(self): return 'seen' + {text}\nBad()")
    assert page.verdict == "ok" and page.all(".display-frame")
    page.paste_and_run("print('goes on')")
    assert page.content(".stdout pre") == "goes on\n"


FRAME = """const frame = document.createElement("iframe");
    if (arguments[1])
        frame.setAttribute("sandbox", "");
    frame.srcdoc = arguments[0];
    document.body.append(frame);
    return new Promise((done) => frame.onload = done);"""


def test_the_same_html_breaks_out_where_nothing_holds_it(page):
    attack = HOSTILE.splitlines()[0]
    page.driver.get("data:text/html,<title>as it was</title><body>")
    page.script(FRAME, attack, True)
    assert page.driver.title == "as it was"  # an empty sandbox alone
    page.script(FRAME, attack, False)
    assert page.driver.title == "BREACH"
    page.driver.get(page.origin + "/")
    page.ready()
    assert [text for text in page.complaints() if "sandboxed" not in text] == []


def test_the_page_itself_makes_no_markup(page):
    page.script("""window.refused = "";
        try { document.createElement("iframe").srcdoc = "<p>"; } catch (error) { window.refused += error.name; }
        try { trustedTypes.createPolicy("display", {createHTML: (text) => text}); } catch (error) { window.refused += error.name; }""")
    assert page.script("return window.refused") == "TypeErrorTypeError"
    assert all("Trusted" in text for text in page.complaints())


def test_hostile_svg_is_an_image(page, cell):
    bad = SVG.replace("<rect", "<script>parent.document.title = 'BREACH'</script><image href='http://198.51.100.1/s.png'/><rect")
    cell(shows("Svg", "image/svg+xml", bad) + "Svg()")
    page.until(lambda: page.script("return document.querySelector('.picture').naturalWidth") == 40)
    assert page.driver.title.startswith("sandbox-run") and not page.all("#result svg")


def test_what_needs_scripts_is_shown_as_text(page, cell):
    cell(shows("Chart", "text/html", "<div id=chart></div><script>draw()</script>") + "Chart()")
    page.until(lambda: page.all(".display pre"))
    assert page.content(".display pre") == "Chart" and "scripts" in page.text(".display .hint")


def test_displays_that_are_left_out_are_counted(page, cell):
    cell("for i in range(60): display(i)")
    assert len(page.all(".display")) == 50 and "10 displays are left out" in page.text("#result")


def test_displays_come_without_a_stream_too(page, cell):
    page.script("const own = fetch; window.fetch = (path, options) => own(path, {...options, headers: {...options.headers, Accept: '*/*'}})")
    cell("print('text')\ndisplay(1)\n2")
    assert [node.text for node in page.all(".stdout .blocks > *")] == ["text", "1", "2"]
