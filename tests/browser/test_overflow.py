"""Text that is longer than its place on the page."""

import re

# Of what is shown as a job's lines: how many rows of text there are on the screen.
ROWS = """const lines = document.querySelector(arguments[0]);
    return Math.round(lines.getBoundingClientRect().height / parseFloat(getComputedStyle(lines).lineHeight));"""


def test_lines_that_fit_a_terminal_are_not_broken(page):
    page.paste_and_run("for width in (1, 40, 80): print('x' * width)\nprint('y' * 200)")
    assert page.script(ROWS, ".stdout .lines") == 3 + 3
    page.paste_and_run("raise ValueError('z' * 60)")
    assert page.script(ROWS, ".stderr .lines") == len(page.content(".stderr pre").splitlines())


def test_the_picture_of_the_examples_is_one(page):
    page.pick("A picture in text")
    page.run()
    drawn = page.content(".stdout pre").splitlines()
    assert page.script(ROWS, ".stdout .lines") in (len(drawn), len(drawn) + 1)
    wide = "const pre = document.querySelector('.stdout pre'); return pre.scrollWidth > pre.clientWidth"
    assert not page.script(wide)


def test_code_that_is_scrolled_sideways_does_not_show_through_the_line_numbers(page):
    page.paste("x" * 400)
    numbers = page.find("#editor").shadow_root.find_element("css selector", ".cm-gutters")
    colour = page.script("return getComputedStyle(arguments[0]).backgroundColor", numbers)
    assert re.fullmatch(r"rgb\(\d+, \d+, \d+\)", colour), colour


def test_examples_are_seen_without_scrolling_sideways(page):
    scroller = page.find("#editor").shadow_root.find_element("css selector", ".cm-scroller")
    for item in page.all("#attacks .item-title, #uses .item-title"):
        page.pick(item.get_property("textContent"))
        wide = page.script("return arguments[0].scrollWidth - arguments[0].clientWidth", scroller)
        assert wide == 0, (item.text, wide)


def test_a_refusal_is_a_sentence(page):
    page.paste_and_run("x" * 6000)
    assert re.fullmatch(r"The code has 6000 .*\.", page.text(".verdict-sentence"))
    page.paste_and_run("print(1)")
    assert page.text(".verdict-sentence") == "It ran to its end."
