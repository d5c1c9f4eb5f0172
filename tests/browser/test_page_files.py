"""Files in the page: what the code is given, and what it gives back."""

import base64
import subprocess

import pytest

from test_fields import snippet
from visitor import PHONE
from waiting import until

BINARY = bytes(range(256))
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAIAAAB7QOjdAAAAD0lEQVR4nGP4z8DA8B8ABAAB/6l9l+kAAAAASUVORK5CYII="


@pytest.fixture
def add(page, tmp_path):
    """add("name", bytes) chooses a file in the browser's dialogue."""
    def choose(name, content):
        path = tmp_path / name
        path.write_bytes(content)
        page.find("#files-choose").send_keys(str(path))
        page.until(lambda: name in names(page))
        return page

    return choose


def names(page):
    return [item.text for item in page.all("#files-list .file-name")]


DROP = """const data = new DataTransfer();
    data.items.add(new File([Uint8Array.from(arguments[2])], arguments[1]));
    for (const kind of ["dragover", "drop"])
        arguments[0].dispatchEvent(new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true, composed: true}));"""


def test_files_are_given_as_they_are(page, add):
    add("text.csv", "\ufeffä,b\r\n1,2".encode())
    add("binary.bin", BINARY)
    add("zeros.txt", b"a\0b")
    assert [item.text for item in page.all("#files-list .file-size")] == ["12 bytes", "256 bytes", "3 bytes"]
    page.paste_and_run("for name in 'text.csv', 'binary.bin', 'zeros.txt': print(ascii(open(name, 'rb').read()))")
    assert page.content(".stdout pre") == "".join(
        f"{data!r}\n" for data in ("\ufeffä,b\r\n1,2".encode(), BINARY, b"a\0b"))


@pytest.mark.parametrize("where", ["the editor", "the page"])
def test_a_file_is_dropped_and_the_code_stays(page, where):
    page.paste("print(open('dropped.txt').read())")
    page.script(DROP, page.editor() if where == "the editor" else page.find("footer"), "dropped.txt", list(b"from the desk"))
    page.until(lambda: names(page) == ["dropped.txt"])
    assert page.code == "print(open('dropped.txt').read())" and not page.all(".dropping")
    page.run()
    assert page.content(".stdout pre") == "from the desk\n"


def test_a_file_is_removed_by_name(page, add):
    add("one.txt", b"1"), add("two.txt", b"2")
    remove = page.all("#files-list button")[0]
    assert remove.get_property("textContent") == "Remove one.txt"
    page.script("arguments[0].focus()", remove)
    page.keys("\ue007")
    assert names(page) == ["two.txt"] and page.focused == "files-add"
    page.paste_and_run("import os; print(os.listdir())")
    assert "two.txt" in page.content(".stdout pre") and "one.txt" not in page.content(".stdout pre")


def test_small_files_survive_a_reload(page, add):
    add("small.bin", BINARY)
    page.paste("print(len(open('small.bin', 'rb').read()))").reload().ready()
    page.until(lambda: names(page) == ["small.bin"])
    page.run()
    assert page.content(".stdout pre") == "256\n"
    page.pick("Hello")
    assert names(page) == []
    page.click("#undo")
    assert names(page) == ["small.bin"]


def test_of_a_large_file_the_page_keeps_the_name_and_says_so(page, add):
    add("large.bin", BINARY * 2000)
    page.paste_and_run("print(len(open('large.bin', 'rb').read()))")
    assert page.content(".stdout pre") == "512000\n"
    page.reload().ready().until(lambda: names(page) == ["large.bin"])
    assert page.text("#files-list .file-size") == "500 KiB · choose it again"
    page.run()
    assert page.state == "error" and "large.bin" in page.text(".verdict-sentence") and "again" in page.text(".verdict-sentence")
    add("large.bin", BINARY * 2000).until(lambda: page.text("#files-list .file-size") == "500 KiB")
    page.run()
    assert page.content(".stdout pre") == "512000\n"


def test_a_file_that_the_service_does_not_take_is_refused_by_field(page, add):
    add("main.py", b"print(1)")
    page.paste_and_run("pass")
    assert page.state == "error" and "main.py" in page.text(".verdict-sentence")


def writes(page, code):
    page.find("#policy").send_keys("run_code")
    page.until(lambda: page.find("#policy").get_property("value") == "run_code")
    return page.paste_and_run(code)


def test_files_come_back_with_size_download_and_picture(page, tmp_path):
    page.cdp("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    writes(page, f"import base64, os\nos.mkdir('out')\nopen('out/any.bin', 'wb').write(bytes(range(256)))\n"
                 f"open('plot.png', 'wb').write(base64.b64decode({PNG!r}))\n"
                 "open('text.txt', 'w').write('ü')\n"
                 "open('drawing.svg', 'w').write('<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"7\" height=\"7\"/>')")
    rows = {row.find_element("css selector", ".file-name").text: row for row in page.all(".returned li")}
    assert set(rows) == {"out/any.bin", "plot.png", "text.txt", "drawing.svg"}
    assert rows["out/any.bin"].find_element("css selector", ".file-size").text == "256 bytes"
    page.until(lambda: page.script("return [...document.querySelectorAll('.returned img')].map((image) => image.alt + image.naturalWidth)"
                                   ".sort()") == ["drawing.svg7", "plot.png2"])
    for name, content in (("any.bin", BINARY), ("text.txt", "ü".encode()), ("plot.png", base64.b64decode(PNG))):
        button = [row for path, row in rows.items() if path.endswith(name)][0].find_element("css selector", ".download")
        page.script("arguments[0].scrollIntoView({block: 'center'})", button)
        button.click()
        until(lambda: (tmp_path / name).exists() and (tmp_path / name).read_bytes() == content)
    assert page.violations() == []


def test_files_stay_away_if_the_switch_is_off(page):
    page.find("#policy option[value=run_code]").click()
    page.click("#collect")
    writes(page, "open('new.txt', 'w').write('x')")
    assert page.verdict == "ok" and not page.all(".returned")
    page.reload().ready().until(lambda: not page.find("#collect").is_selected())


def test_a_policy_that_writes_no_files_has_none_to_miss(page):
    page.paste_and_run("print(1)")
    assert page.find("#collect").is_selected() and page.find("#policy").get_property("value") == "run"
    assert page.verdict == "ok" and not page.all(".returned, .left-out")


def test_a_file_that_does_not_come_back_is_named_with_the_reason(page):
    writes(page, "import os\nos.mkfifo('pipe')\nopen('huge', 'wb').truncate(60_000_000)\nprint('kept')")
    assert page.content(".stdout pre") == "kept\n"
    said = page.text(".left-out")
    assert "pipe: " in said and "huge: " in said


def test_names_of_files_are_text(page):
    writes(page, "open('<img src=x onerror=alert(1)>.svg', 'w').write('<svg onload=\"parent.document.title=1\"/>')")
    assert page.content(".returned .file-name") == "<img src=x onerror=alert(1)>.svg"
    assert page.driver.title.startswith("sandbox-run")


def test_the_job_as_curl_reads_large_files_from_the_disk(page, add, tmp_path):
    add("in.bin", BINARY * 200)
    page.fill("#stdin", "@x;type=a").paste("print(len(open('in.bin', 'rb').read()), input())")
    ran = subprocess.run(["bash", "-c", snippet(page, "As curl")], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert '"output":"51200 @x;type=a"' in ran.stdout.replace('": "', '":"')


def test_long_names_fit_a_phone(page, add):
    writes(page, "open('b' * 200, 'w').write('x')")
    page.screen(PHONE).reload().ready()
    add("a" * 120 + ".txt", b"x").run()
    assert page.content(".returned .file-name") == "b" * 200
    assert page.script("return document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert page.violations() == []
