"""The example that has all of it: a file goes in; a line that moves, a plot, a table and a file come out."""

import pytest

from test_accessibility import overflow, violations
from waiting import until

WATCH = """window.seen = new Set();
    new MutationObserver(() => {
        const shown = document.querySelector(".live pre");
        if (shown)
            seen.add(shown.textContent);
    }).observe(document.querySelector("#result"), {subtree: true, childList: true, characterData: true});"""


@pytest.mark.parametrize("data", [False, True], ids=["with csv alone", "with pandas and matplotlib"])
def test_a_csv_is_analysed(request, visitor, serve, tmp_path, data):
    server = serve(**({"rootfs": request.getfixturevalue("data_rootfs")} if data else {}))
    visitor.open(server).ready()
    offered = visitor.find("#policy option[value=data]").is_enabled()
    assert offered or not data
    visitor.pick("Analyse a CSV")
    visitor.cdp("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    assert visitor.text("#promise") and visitor.text("#files-list .file-name") == "sales.csv"
    assert visitor.find("#policy").get_property("value") == ("data" if offered else "run_code")
    visitor.script(WATCH)
    visitor.run()
    moved = visitor.script("return [...window.seen].filter(Boolean)")
    assert len(moved) > 3 and all(text.startswith("Analysing ") for text in moved), moved
    assert visitor.verdict == "ok", visitor.text("#result")
    assert visitor.content(".stdout pre") == "Analysing 100 %\n18 rows\n"
    kinds = visitor.script("return [...document.querySelectorAll('.display')].map((node) => node.firstChild.tagName)")
    assert kinds == ["IMG", "IFRAME"]
    visitor.until(lambda: visitor.script("return document.querySelector('.display img').naturalWidth > 100"))
    visitor.click(".returned .download")
    until(lambda: (tmp_path / "by_city.csv").exists() and "Rome" in (tmp_path / "by_city.csv").read_text())
    visitor.pick("Hello")
    assert not visitor.shown("#undo-box") and not visitor.all("#files-list li")
    assert not visitor.find("#notebook").is_selected()


def test_its_result_fits_every_screen_and_is_accessible(page):
    page.pick("Analyse a CSV").run()
    assert page.verdict == "ok" and page.all(".returned li") and page.all(".display-frame")
    for width in (1366, 1280, 960, 600, 360, 320):
        page.screen((width, 768))
        assert overflow(page) == [0], width
    assert violations(page) == {"light": [], "dark": []}
    # axe asks the frame, which may not answer.
    assert [text for text in page.complaints() if "postMessage" not in text] == []
