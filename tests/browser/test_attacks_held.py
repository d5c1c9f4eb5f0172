"""Each attack of the list, run as a visitor would run it, is held as its sentence promises."""

import pytest

ATTACKS = {
    "Infinite loop": "timeout",
    "Memory bomb": "memory",
    "Fork bomb": "ok",
    "Call home": "ok",
    "Write to disk": "ok",
    "Read the host's files": "ok",
    "Flood the output": "ok",
}
USES = ["Hello", "A picture in text", "Standard input", "Analyse a CSV", "A return value", "A traceback"]


def test_the_list_has_these_and_says_what_will_happen(page):
    titles = [item.text for item in page.all("#examples .item-title")]
    assert titles == [*ATTACKS, *USES]
    for item in page.all("#examples .item-text"):
        assert item.text.endswith(".") and len(item.text) > 30


@pytest.mark.parametrize("title", ATTACKS)
def test_it_is_held(page, title):
    page.pick(title)
    assert page.text("#promise")
    page.run()
    assert page.verdict == ATTACKS[title], page.text("#result")
    assert page.text(".kept") == "Contained, as promised", page.text("#result")


def test_an_attack_that_was_changed_promises_nothing(page):
    page.pick("Fork bomb").paste("print('harmless')")
    assert not page.shown("#promise")
    page.run()
    assert page.verdict == "ok" and not page.all(".kept")


@pytest.mark.parametrize("title", USES)
def test_the_others_do_what_they_say(page, title):
    page.pick(title).run()
    assert page.verdict == ("exception" if title == "A traceback" else "ok"), page.text("#result")
    assert page.content(".stdout pre")
    assert bool(page.all(".value")) == (title == "A return value")
    assert not page.all(".kept")
