"""The page by keyboard alone, on a phone, and as assistive technology sees it."""

import pytest
from selenium.webdriver.common.keys import Keys

from visitor import PHONE


def test_by_keyboard_alone(page):
    page.keys(Keys.TAB)
    skip = page.script("return document.activeElement.textContent")
    assert skip == "Skip to the editor"
    page.keys(Keys.ENTER)
    for _ in range(20):
        page.keys(Keys.TAB)
        if page.focused == "editor":
            break
    assert page.focused == "editor"
    page.keys(("Control", "a"), "if 1:", Keys.ENTER, "print('keys')")
    page.keys(("Control", "Enter")).finished()
    assert page.content(".stdout pre") == "keys\n"
    page.keys(Keys.TAB)
    assert page.focused == "editor"  # Tab indents …
    page.keys(Keys.ESCAPE, Keys.TAB)
    assert page.focused == "policy"  # … and after Escape leaves
    page.keys(("Shift", Keys.TAB))
    assert page.focused == "editor"


def test_a_job_is_stopped_by_keyboard(page):
    page.pick("Infinite loop")
    page.editor().click()
    page.keys(("Control", "Enter"))
    page.until(lambda: page.shown("#stop"))
    page.keys(Keys.ESCAPE, ("Shift", Keys.TAB), ("Shift", Keys.TAB))
    assert page.focused == "stop"
    page.keys(Keys.ENTER).finished()
    assert page.state == "stopped" and page.focused == "run"


def test_the_focus_is_seen_everywhere(page):
    """Each element that Tab reaches has a name, and looks different while it has the focus."""
    seen = set()
    for _ in range(60):
        page.keys(Keys.ESCAPE, Keys.TAB)
        name, outline = page.script("""const active = document.activeElement;
            const style = getComputedStyle(active);
            if (active === document.body)
                return ["", ""];
            return [active.id + "|" + active.textContent.slice(0, 40), active.id === "editor" ? getComputedStyle(active).boxShadow
                : style.outlineStyle === "none" ? "none" : style.outlineWidth];""")
        if name in seen or not name:
            break
        seen.add(name)
        assert outline not in ("none", "0px"), name
    assert len(seen) > 20


def test_what_happens_is_said_aloud(page):
    status = page.find("#status")
    assert (status.get_attribute("role"), status.get_attribute("aria-live")) == ("status", "polite")
    page.paste("print(1)").click("#run").finished()
    assert page.content("#status").startswith("Done. It ran to its end. It took ")
    page.paste_and_run("x = 'a' * 1_000_000_000")
    assert page.content("#status").startswith("Stopped: out of memory.")


def test_there_are_landmarks_and_one_heading_above_all(page):
    landmarks = page.script("""return ["header", "nav", "main", "aside", "footer", "h1"].map(
        (name) => document.querySelectorAll(name).length);""")
    assert landmarks == [1, 1, 1, 1, 1, 1]


def start(page):
    pass


def failed(page):
    page.pick("A traceback").run()


def flooded(page):
    page.pick("Flood the output").run()


def held(page):
    page.pick("Memory bomb").run()


def shared(page):
    page.click("#share").until(lambda: page.shown("#share-link"))


def running(page):
    page.pick("Infinite loop").click("#run").until(lambda: page.shown("#stop"))


def searching(page):
    page.editor().click()
    page.keys(("Control", "f"))


def replaced(page):
    page.paste("print('mine')").pick("Hello").until(lambda: page.shown("#undo-box"))


def as_curl(page):
    shared(page)
    page.find("#share-as").send_keys("As curl")
    page.until(lambda: page.shown("#share-code"))


def lacks_input(page):
    page.paste_and_run("input()")
    assert page.shown("#to-stdin")


def limits(page):
    page.click("#limits summary").click("#modules summary")
    page.until(lambda: page.shown("#modules-all > :not(.hint)"))


def violations(page):
    """In light and in dark."""
    found = {}
    for scheme, dark in (("light", "false"), ("dark", "true")):
        page.prefers(scheme).until(lambda: page.find("#theme").get_attribute("aria-pressed") == dark)
        found[scheme] = page.violations()
    return found


@pytest.mark.parametrize("do", [start, failed, flooded, held, shared, running, searching, replaced, as_curl,
                                lacks_input, limits], ids=lambda do: do.__name__)
def test_axe_finds_nothing(page, do):
    do(page)
    assert violations(page) == {"light": [], "dark": []}


def test_axe_finds_nothing_on_a_phone(page):
    page.screen(PHONE).reload().ready()
    page.click("#examples summary").click("#history summary")
    page.run()
    assert violations(page) == {"light": [], "dark": []}


def test_axe_finds_nothing_where_a_token_is_asked_for(visitor, serve, token):
    token("somebody")
    visitor.open(serve(tokens=token.file)).until(lambda: visitor.shown("#token-box"))
    visitor.fill("#token", "wrong").keys(Keys.ENTER).until(lambda: visitor.text("#token-error"))
    assert visitor.violations() == []


def overflow(page):
    """Elements that are wider than the screen."""
    return page.script("""const most = document.documentElement.clientWidth;
        return [document.documentElement.scrollWidth - most, ...[...document.querySelectorAll("body *")]
            .filter((node) => node.getBoundingClientRect().right > most + 0.5 && !node.closest("pre, .hidden-text, .skip"))
            .map((node) => node.outerHTML.slice(0, 100))];""")


@pytest.mark.parametrize("width", [320, 360, 600, 960, 1280, 1920])
def test_nothing_is_wider_than_the_screen(page, width):
    page.screen((width, 800)).reload().ready()
    assert overflow(page) == [0]
    for summary in page.all("summary"):
        if summary.find_element("xpath", "..").get_attribute("open") is None:
            summary.click()
    page.click("#share").until(lambda: page.shown("#share-link"))
    page.paste_and_run("print('x' * 5000)\nprint(1 / 0)  # " + "long " * 100)
    assert page.verdict == "exception"
    assert overflow(page) == [0]


def test_a_phone_has_room_for_another_token(visitor, serve, token):
    secret = token("somebody")
    visitor.screen((320, 740)).open(serve(tokens=token.file)).until(lambda: visitor.shown("#token-box"))
    visitor.fill("#token", secret).keys(Keys.ENTER).until(lambda: visitor.shown("#token-change"))
    assert overflow(visitor) == [0]
    visitor.click("#token-change")
    assert overflow(visitor) == [0] and visitor.violations() == []


def test_a_phone_shows_the_result_by_itself(page):
    page.screen(PHONE).reload().ready()
    assert not page.shown("#attacks")  # folded
    page.click("#examples summary").pick("Write to disk")
    page.until(lambda: page.script("return Math.abs(document.querySelector('#editor-panel').getBoundingClientRect().top) < 40"))
    page.run()
    page.until(lambda: page.script("return document.querySelector('.verdict').getBoundingClientRect().bottom < innerHeight"))
    assert page.text(".kept")


def test_what_is_tapped_is_large_enough(page):
    page.screen(PHONE).reload().ready().click("#examples summary")
    small = page.script("""return [...document.querySelectorAll("button, input, select, textarea, summary")]
        .filter((node) => node.offsetParent && node.getBoundingClientRect().height < 36).map((node) => node.outerHTML)""")
    assert small == []
