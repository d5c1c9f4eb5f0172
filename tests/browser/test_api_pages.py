"""/docs and /redoc show the service's own OpenAPI document, from this origin alone."""

import json

import pytest


def paths(server):
    return json.loads(server.get("/openapi.json").body)["paths"]


def test_swagger_ui_shows_every_operation(visitor, server):
    visitor.open(server, "/docs")
    visitor.until(lambda: visitor.all(".opblock"))
    shown = {(block.find_element("css selector", ".opblock-summary-method").text,
              block.find_element("css selector", ".opblock-summary-path").text.replace("\u200b", ""))
             for block in visitor.all(".opblock")}
    assert shown == {(method.upper(), path) for path, operations in paths(server).items() for method in operations}


def test_swagger_ui_runs_a_job(visitor, server):
    visitor.open(server, "/docs")
    visitor.until(lambda: visitor.all(".opblock"))
    [block] = [block for block in visitor.all(".opblock-post")
               if block.find_element("css selector", ".opblock-summary-path").text.replace("\u200b", "") == "/run"]
    block.find_element("css selector", ".opblock-summary-control").click()
    visitor.until(lambda: block.find_elements("css selector", "textarea.body-param__text"))
    body = block.find_element("css selector", "textarea.body-param__text")
    visitor.script("""Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(arguments[0], arguments[1]);
        arguments[0].dispatchEvent(new Event("input", {bubbles: true}));""", body, '{"code": "print(6 * 7)"}')
    block.find_element("css selector", ".execute").click()
    visitor.until(lambda: "print" in visitor.text(".live-responses-table") or visitor.text(".live-responses-table"))
    assert '"output": "42"' in visitor.text(".live-responses-table")


def test_redoc_shows_every_operation(visitor, server):
    visitor.open(server, "/redoc")
    visitor.until(lambda: visitor.all("[data-section-id^=operation], [data-section-id*=paths]"))
    text = visitor.content("body")
    for path in paths(server):
        assert path in text, path
    # Its styles are there: they came by the way that the policy allows.
    assert visitor.script("return [...document.styleSheets].some((sheet) => !sheet.href && sheet.cssRules.length > 100)")


def pale(visitor):
    """Text that is hard to read: the other faults that axe-core finds are in the two libraries' own structure."""
    return [fault for fault in visitor.violations() if fault.startswith("color-contrast")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path, operation", [("/docs", ".opblock"), ("/redoc", "[data-section-id^=operation]")])
def test_both_pages_follow_the_systems_colours_and_can_be_read(visitor, server, path, operation, scheme):
    other = {"light": "dark", "dark": "light"}[scheme]
    # Redoc draws the whole page again when the scheme changes: for a moment there is no title.
    ground = "const title = document.querySelector('#api h1'); return title && getComputedStyle(title).color"
    visitor.prefers(other).open(server, path).until(lambda: visitor.all(operation) and visitor.script(ground))
    before = visitor.script(ground)
    visitor.prefers(scheme).until(lambda: visitor.all(operation) and visitor.script(ground) not in (None, before))
    for control in visitor.all(".opblock-summary-control")[:1]:
        control.click()
        visitor.until(lambda: visitor.all(".try-out__btn"))
    assert pale(visitor) == []


def test_pages_lead_to_each_other(visitor, server):
    visitor.open(server, "/docs")
    links = {link.get_attribute("href").removeprefix(visitor.origin) for link in visitor.all("nav a")}
    assert links == {"/", "/jobs.html", "/docs", "/redoc"}
    assert visitor.open(server).all("header a[href='/docs']") and visitor.all("header a[href='/redoc']")
