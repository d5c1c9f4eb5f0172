"""What a visitor wrote or ran can be brought back: drafts, what an example replaced, every run, links."""

import pytest

JOB = {"#stdin": "a\nb", "#args": "one 'two words'", "#env": "A=1\nB=x=y", "#call": "f"}
CODE = "def f():\n    return 1  # mine"


def write(page):
    page.paste(CODE)
    for selector, text in JOB.items():
        page.fill(selector, text)
    page.script("arguments[0].focus()", page.find("#policy"))
    page.find("#policy").send_keys("run_code")


def is_there(page):
    return page.code == CODE and page.find("#policy").get_property("value") == "run_code" and all(
        page.find(selector).get_property("value") == text for selector, text in JOB.items())


def titles(page):
    return [item.text for item in page.all("#history .item-title")]


def newest(page):
    return page.all("#history .item-text")[0].text


def test_a_draft_survives_a_reload(page):
    write(page)
    page.reload().ready()
    page.until(lambda: is_there(page))


def test_a_draft_survives_the_end_of_its_tab(page):
    write(page)
    page.driver.switch_to.new_window("tab")  # as after a crash: what belongs to the tab alone is gone
    page.driver.get(page.origin + "/")
    page.ready().until(lambda: is_there(page))


def test_each_tab_keeps_its_own_draft(page):
    page.paste("print('first tab')")
    first = page.driver.current_window_handle
    page.driver.switch_to.new_window("tab")
    page.driver.get(page.origin + "/")
    page.ready().paste("print('second tab')")
    page.driver.switch_to.window(first)
    page.reload().ready().until(lambda: page.code == "print('first tab')")


@pytest.mark.parametrize("what", ["an example", "an entry of the history"])
def test_what_was_replaced_is_brought_back(page, what):
    page.paste_and_run("print('older')")
    write(page)
    page.pick("Hello" if what == "an example" else "print('older')")
    assert page.code != CODE and page.shown("#undo-box")
    page.click("#undo")
    assert is_there(page) and not page.shown("#undo-box") and page.focused == "editor"


def test_an_example_that_nobody_changed_is_not_offered_back(page):
    page.pick("Hello").pick("Standard input")
    assert not page.shown("#undo-box")
    page.fill("#stdin", "mine").pick("Hello")
    assert page.shown("#undo-box")


def test_a_link_takes_the_place_of_a_draft_and_gives_it_back(page):
    page.paste("print('linked')").click("#share").until(lambda: page.shown("#share-link"))
    link = page.find("#share-link").get_property("value")
    write(page)
    page.driver.get("about:blank")
    page.driver.get(link)
    page.ready().until(lambda: page.code == "print('linked')")
    page.click("#undo")
    assert is_there(page)
    page.reload().ready().until(lambda: is_there(page))


def test_a_link_that_was_edited_is_no_longer_the_address(page):
    page.paste("print('linked')").click("#share").until(lambda: page.shown("#share-link"))
    link = page.find("#share-link").get_property("value")
    assert page.driver.current_url == link
    page.reload().ready().until(lambda: page.code == "print('linked')")
    assert page.driver.current_url == link
    page.paste("print('edited')")
    assert page.driver.current_url == page.origin + "/"
    page.reload().ready().until(lambda: page.code == "print('edited')")


def test_a_link_carries_arguments_variables_and_the_policy(page):
    write(page)
    page.click("#share").until(lambda: page.shown("#share-link"))
    link = page.find("#share-link").get_property("value")
    page.click("#share").pick("Hello")
    page.driver.get("about:blank")
    page.driver.get(link)
    page.ready().until(lambda: is_there(page))


def test_every_run_is_in_the_history(visitor, serve):
    server = serve()
    visitor.open(server).ready().paste("while True: pass # stopped").click("#run")
    visitor.until(lambda: server.metric("sandbox_jobs_running") == 1)
    assert titles(visitor) == ["while True: pass # stopped"] and newest(visitor).startswith("started · ")
    visitor.click("#stop").finished()
    assert newest(visitor).startswith("stopped · ")
    visitor.paste_and_run("x = 1" + "#" * 5000)
    assert newest(visitor).startswith("refused · ") and len(titles(visitor)) == 2
    visitor.paste_and_run("raise SystemExit(3)")
    assert newest(visitor).startswith("exit · ") and len(titles(visitor)) == 3
    server.stop()
    visitor.paste_and_run("print('nobody there')")
    assert newest(visitor).startswith("no answer · ") and len(titles(visitor)) == 4


def test_a_run_that_a_reload_interrupts_is_in_the_history(page):
    page.paste("while True: pass # left").click("#run").until(lambda: page.shown("#stop"))
    page.reload().ready()
    assert titles(page) == ["while True: pass # left"]
