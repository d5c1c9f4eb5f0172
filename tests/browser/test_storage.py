"""A browser keeps and passes on: history, links, colours, tokens."""

import base64
import zlib

import pytest


def history(page):
    return [item.text for item in page.all("#history .item-title")]


def test_history_has_the_newest_first(page):
    assert history(page) == [] and not page.shown("#history-clear")
    for code in ("print('one')", "print('two')", "print('one')"):
        page.paste_and_run(code)
    assert history(page) == ["print('one')", "print('two')"]
    page.reload().ready()
    assert history(page) == ["print('one')", "print('two')"]


def test_history_brings_all_of_a_job_back(page):
    page.paste("def f():\n    print(input())\n    return 5").fill("#stdin", "hi").fill("#call", "f").run()
    page.pick("Hello")
    assert page.find("#call").get_property("value") == ""
    page.pick("def f():")
    assert page.code.startswith("def f():")
    assert page.find("#stdin").get_property("value") == "hi" and page.find("#call").get_property("value") == "f"
    page.run()
    assert page.content(".value pre") == "5"


def test_history_can_be_cleared(page):
    page.paste_and_run("print(1)").click("#history-clear")
    assert history(page) == []
    page.reload().ready()
    assert history(page) == []
    assert page.script("return localStorage.getItem('history')") is None


def test_a_link_carries_the_code_and_runs_nothing(page):
    code = "name = 'Gödel 🐍'\nprint(name, input())"
    page.paste(code).fill("#stdin", "<&>\n").click("#share")
    page.until(lambda: page.shown("#share-link"))
    link = page.find("#share-link").get_property("value")
    assert link.startswith(page.origin + "/#z=")
    page.driver.switch_to.new_window("tab")
    page.requests()
    page.driver.get(link)
    page.ready().until(lambda: page.code == code)
    assert page.find("#stdin").get_property("value") == "<&>\n"
    assert page.state == "empty"
    assert all("Gödel" not in url and "#" not in url and "z=" not in url for url in page.requests())
    page.run()
    assert page.content(".stdout pre") == "Gödel 🐍 <&>\n"


def test_a_link_without_compression_does_too(page):
    page.script("delete window.CompressionStream")
    page.paste("print('plain')").click("#share")
    page.until(lambda: page.shown("#share-link"))
    link = page.find("#share-link").get_property("value")
    assert "#j=" in link
    page.driver.get("about:blank")
    page.driver.get(link)
    page.ready().until(lambda: page.code == "print('plain')")


def test_the_link_is_copied(page):
    page.cdp("Browser.grantPermissions", origin=page.origin, permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    page.click("#share").until(lambda: page.shown("#share-link"))
    page.click("#share-copy")
    page.until(lambda: page.text("#share-copy") == "Copied")
    copied = page.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    assert copied == page.find("#share-link").get_property("value") == page.driver.current_url
    page.keys("\ue00c")
    assert not page.shown("#share-box") and page.focused == "share"


def deflated(text):
    packer = zlib.compressobj(9, wbits=-15)
    return base64.urlsafe_b64encode(packer.compress(text) + packer.flush()).decode().rstrip("=")


@pytest.mark.parametrize("fragment", [
    pytest.param("#z=AAAA", id="not deflated"),
    pytest.param("#j=bm90IGpzb24", id="not JSON"),
    pytest.param("#z=" + deflated(b'{"code": "cut off"}')[:-4], id="cut off"),
    pytest.param("#z=" + deflated(b'{"code":"' + b"x" * 3_000_000 + b'"}'), id="unpacks to megabytes"),
])
def test_a_broken_link_is_said_to_be(visitor, server, fragment):
    visitor.open(server, "/" + fragment).ready()
    visitor.until(lambda: "can't be read" in visitor.text("#promise"))
    visitor.paste_and_run("print('goes on')")
    assert visitor.content(".stdout pre") == "goes on\n"


def test_a_fragment_that_is_none_of_ours_is_left_alone(visitor, server):
    visitor.open(server, "/#z=%").ready()
    assert visitor.code.startswith("import os") and "can't" not in visitor.text("#promise")


def background(page):
    return page.script("return getComputedStyle(document.body).backgroundColor")


def test_colours_follow_the_system_until_somebody_chooses(page):
    light = background(page)
    page.prefers("dark").until(lambda: background(page) != light)
    dark = background(page)
    assert page.find("#theme").get_attribute("aria-pressed") == "true"
    page.click("#theme")
    assert background(page) == light
    page.reload().ready()
    assert background(page) == light  # the choice stays
    page.click("#theme")
    assert background(page) == dark
    page.prefers("light").until(lambda: background(page) == light)  # choosing what the system says follows it again


def test_the_first_paint_has_the_chosen_colours(page):
    page.click("#theme").reload()
    assert page.script("return document.documentElement.dataset.theme") == "dark"
    order = page.script("return [...document.querySelectorAll('head script')].map((s) => s.src.match(/assets.(.*)-/)[1] + s.defer)")
    assert order == ["themefalse", "maintrue"]  # the one runs before the page is there, the other after


def test_a_token_is_asked_for_and_kept_for_the_tab(visitor, serve, token):
    secret = token("visitor")
    server = serve(tokens=token.file)
    visitor.open(server)
    visitor.until(lambda: visitor.shown("#token-box"))
    assert visitor.focused == "token"
    visitor.fill("#token", "wrong").keys("\ue007")
    visitor.until(lambda: visitor.text("#token-error"))
    visitor.fill("#token", secret).keys("\ue007")
    visitor.ready()
    assert not visitor.shown("#token-box")
    visitor.paste_and_run("print('let in')")
    assert visitor.content(".stdout pre") == "let in\n"
    visitor.reload().ready().paste_and_run("print('still')")
    assert visitor.content(".stdout pre") == "still\n"
    assert secret not in visitor.script("return JSON.stringify(localStorage) + document.cookie + location.href")
    visitor.driver.switch_to.new_window("tab")
    visitor.open(server).until(lambda: visitor.shown("#token-box"))


def test_a_token_that_was_taken_back_is_asked_for_again_and_the_run_goes_on(visitor, serve, token):
    first = token("first")
    server = serve(tokens=token.file)
    visitor.open(server).until(lambda: visitor.shown("#token-box"))
    visitor.fill("#token", first).keys("\ue007").ready()
    visitor.script("sessionStorage.setItem('token', 'taken back')")
    visitor.reload().until(lambda: visitor.shown("#token-box"))
    visitor.paste("print('after all')").click("#run")
    visitor.until(lambda: visitor.state == "error")
    visitor.fill("#token", first).keys("\ue007")
    visitor.until(lambda: visitor.state == "done")
    assert visitor.content(".stdout pre") == "after all\n"
