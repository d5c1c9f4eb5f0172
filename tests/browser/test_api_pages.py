"""/docs and /redoc show the service's own OpenAPI document, from this origin alone."""

import json


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


def test_pages_lead_to_each_other(visitor, server):
    visitor.open(server, "/docs")
    links = {link.get_attribute("href").removeprefix(visitor.origin) for link in visitor.all("nav a")}
    assert links == {"/", "/docs", "/redoc"}
    assert visitor.open(server).all("header a[href='/docs']") and visitor.all("header a[href='/redoc']")
