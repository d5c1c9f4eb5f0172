"""Output is shown as a terminal shows it, and can be wrapped, copied and saved."""

import pytest

from waiting import until

RUNS = """return [...document.querySelector(".stdout .lines").childNodes].map(
    (node) => [node.nodeType === Node.TEXT_NODE ? "" : node.className, node.textContent])"""


@pytest.mark.parametrize("printed, shown", [
    ("\x1b[31mred\x1b[0m plain", [["ink-red", "red"], ["", " plain\n"]]),
    ("\x1b[1;4;92mall\x1b[22mless\x1b[m", [["bold underline ink-green", "all"], ["underline ink-green", "less"], ["", "\n"]]),
    ("\x1b[97;41mx\x1b[39my\x1b[49mz", [["ink-white ground-red", "x"], ["ground-red", "y"], ["", "z\n"]]),
    ("\x1b[38;5;4mblue\x1b[38;2;1;2;3mrest", [["ink-blue", "bluerest"], ["", "\n"]]),
    ("10%\r 50%\r100%", [["", "100%\n"]]),
    ("abc\rX", [["", "Xbc\n"]]),
    ("long line\r\x1b[Kshort", [["", "short\n"]]),
    ("one\r\ntwo", [["", "one\ntwo\n"]]),
    ("ab\b\bX", [["", "Xb\n"]]),
    ("\x1b]0;title\x07text\x1b[2J\x1b[?25l", [["", "text\n"]]),
    ("\x1b[31m<b>\x1b[0m", [["ink-red", "<b>"], ["", "\n"]]),
    ("\x1b[", [["", "\n"]]),
])
def test_control_sequences_do_what_a_terminal_does(page, printed, shown):
    page.paste_and_run(f"print({printed!r})")
    assert page.script(RUNS) == shown


@pytest.mark.parametrize("printed", ["'x' * 300_000 + '\\x1b[1K' * 150_000 + 'end'", "'\\x1b[31ma\\x1b[32mb' * 70_000 + 'end'"])
def test_a_hostile_script_does_not_keep_the_page_busy(page, printed):
    page.paste_and_run(f"print({printed})")
    assert page.content(".stdout pre").endswith("end\n")
    assert page.script("return document.querySelectorAll('.stdout .lines *').length") <= 20_001


def test_colours_are_readable_on_light_and_dark(page):
    page.paste_and_run("for i in (*range(30, 38), *range(40, 48)): print(f'\\x1b[{i}mcolour {i}\\x1b[0m', end=' ')\n"
                       "print('\\x1b[1;3;4mlook\\x1b[0m')")
    for scheme, dark in (("light", "false"), ("dark", "true")):
        page.prefers(scheme).until(lambda: page.find("#theme").get_attribute("aria-pressed") == dark)
        assert page.violations() == []


def test_lines_are_wrapped_or_not_as_the_visitor_chose(page):
    wide = "const pre = document.querySelector('.stdout pre'); return pre.scrollWidth - pre.clientWidth"
    page.paste_and_run("print('word ' * 300)")
    before = page.script(wide)
    page.click(".stdout .wrap")
    assert page.find(".stdout .wrap").get_attribute("aria-pressed") == "false"
    assert page.script(wide) > before + 1000
    page.reload().ready().run()
    assert page.script(wide) > before + 1000
    page.click(".stdout .wrap")
    assert page.script(wide) == before


def test_output_is_copied_as_it_is_shown(page):
    page.cdp("Browser.grantPermissions", origin=page.origin, permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    page.paste_and_run("print('\\x1b[31mred\\x1b[0m 1%\\rGREEN\\x1b[K')")
    page.click(".stdout .copy").until(lambda: page.content("#status") == "Copied.")
    assert page.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])") == "GREEN\n"


def test_output_is_saved_as_it_was_written(page, tmp_path):
    page.cdp("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.paste_and_run("print('\\x1b[31mü\\x1b[0m')")
    page.click(".stdout .save")
    saved = tmp_path / "stdout.txt"
    until(lambda: saved.exists() and saved.stat().st_size)
    assert saved.read_text() == "\x1b[31mü\x1b[0m\n"
