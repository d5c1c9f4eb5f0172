"""A visitor of the web page, who uses a browser as a person would."""

import base64
import functools
import json
import pathlib
import subprocess

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

import waiting
from sandbox_run import CHECKOUT

DESKTOP, PHONE = (1440, 900), (360, 740)


class Visitor:
    """Somebody before the page. What is seen is read from the page, what is done goes through real input events."""

    def __init__(self, driver):
        self.driver = driver
        self.origin = None

    # Where.

    def open(self, server, path="/"):
        """Opens a page of a server, and waits until it can be used."""
        host, port = server.address
        self.origin = f"http://{host}:{port}"
        self.driver.get(self.origin + path)
        return self

    def ready(self):
        """Waits until the page knows the policies."""
        self.until(lambda: self.text("#policy-limits"))
        return self

    def reload(self):
        self.driver.refresh()
        return self

    def screen(self, size):
        width, height = size
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                 mobile=size == PHONE)
        return self

    def prefers(self, scheme):
        """Light or dark; and nothing that glides: what is scrolled to is there at once."""
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme},
                                                         {"name": "prefers-reduced-motion", "value": "reduce"}])
        return self

    def cdp(self, command, **parameters):
        return self.driver.execute_cdp_cmd(command, parameters)

    # What is seen.

    def script(self, code, *arguments):
        return self.driver.execute_script(code, *arguments)

    def until(self, condition):
        """The condition's value, as soon as it is true."""
        return WebDriverWait(self.driver, waiting.SECONDS, poll_frequency=0.05,
                             ignored_exceptions=[StaleElementReferenceException]).until(lambda _: condition())

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        """The text that is visible there; "" when there is none."""
        found = self.all(selector)
        return found[0].text if found else ""

    def content(self, selector):
        """All text of it, as a copy would hold it."""
        return self.find(selector).get_property("textContent")

    def shown(self, selector):
        return any(element.is_displayed() for element in self.all(selector))

    @property
    def state(self):
        return self.find("#result").get_attribute("data-state")

    @property
    def verdict(self):
        return self.find("#result").get_attribute("data-verdict")

    @property
    def focused(self):
        return self.script("return document.activeElement.id")

    def lines(self, selector=".cm-line"):
        editor = self.find("#editor").shadow_root
        return [line.get_property("textContent") for line in editor.find_elements(By.CSS_SELECTOR, selector)]

    @property
    def code(self):
        """The code in the editor; only what is near the visible part, as the editor keeps no more in the page."""
        return "\n".join(self.lines())

    @property
    def line(self):
        """The number of the line in which the cursor is."""
        return int(self.lines(".cm-activeLineGutter")[0])

    # What is done.

    def click(self, selector):
        self.find(selector).click()
        return self

    def keys(self, *keys):
        """Presses keys, wherever the focus is. ("Control", "Enter") is a chord."""
        for key in keys:
            action = webdriver.ActionChains(self.driver)
            chord = [getattr(Keys, name.upper(), name) for name in key] if isinstance(key, tuple) else [key]
            for each in chord[:-1]:
                action.key_down(each)
            action.send_keys(chord[-1])
            for each in chord[:-1]:
                action.key_up(each)
            action.perform()
        return self

    def editor(self):
        return self.find("#editor").shadow_root.find_element(By.CSS_SELECTOR, ".cm-content")

    def type(self, code):
        """Types code into the editor, in place of what is there. Lines that are indented by the editor itself need no
        spaces: each line is typed without its own."""
        self.editor().click()
        self.keys(("Control", "a"), Keys.DELETE)
        for line in code.splitlines(keepends=True):
            self.keys(line.lstrip(" ").replace("\n", Keys.ENTER))
        return self

    def paste(self, code):
        """Puts code into the editor as a paste does: as it is."""
        self.editor().click()
        self.keys(("Control", "a"))
        self.script("""const data = new DataTransfer();
            data.setData("text/plain", arguments[1]);
            arguments[0].dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true}));""",
                    self.editor(), code)
        return self

    def fill(self, selector, text):
        field = self.find(selector)
        field.clear()
        field.send_keys(text)
        return self

    def pick(self, title):
        """Picks an example, or an entry of the history, by what it is called."""
        titles = {item.find_element(By.CSS_SELECTOR, ".item-title").get_property("textContent"): item
                  for item in reversed(self.all(".item"))}
        titles[title].click()
        return self

    def run(self):
        """Presses Run, and waits for what comes of it."""
        self.click("#run")
        return self.finished()

    def finished(self):
        self.until(lambda: self.state not in ("running", "empty"))
        return self

    def paste_and_run(self, code):
        return self.paste(code).run()

    # What a machine sees.

    def violations(self):
        """The faults that axe-core finds, a line each."""
        self.script(axe())
        found = self.driver.execute_async_script("""const done = arguments[arguments.length - 1];
            axe.run(document, {resultTypes: ["violations"]}).then(done, (error) => done({error: String(error)}));""")
        assert "violations" in found, found
        assert found["passes"], "axe-core has looked at nothing"
        return [f"{violation['id']}: {node['target']}: {node['failureSummary']}"
                for violation in found["violations"] for node in violation["nodes"]]

    def picture(self):
        return base64.b64decode(self.cdp("Page.captureScreenshot")["data"])

    def requests(self):
        """The addresses that the browser asked for since this was last called, without those that a page's policy kept it
        from asking for."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        refused = {message["params"]["requestId"] for message in messages
                   if message["method"] == "Network.loadingFailed" and message["params"].get("blockedReason") == "csp"}
        return [message["params"]["request"]["url"] for message in messages
                if message["method"] == "Network.requestWillBeSent" and message["params"]["requestId"] not in refused]

    def complaints(self):
        """What the console said since this was last called, except for answers that were not 200."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["source"] != "network"]


@functools.cache
def axe():
    directory = subprocess.run(["node", CHECKOUT / "src/serve/web/packages.mjs"], check=True, capture_output=True,
                               text=True).stdout.strip()
    return pathlib.Path(directory, "node_modules/axe-core/axe.min.js").read_text()
