"""Firefox without its windows, driven by WebDriver BiDi (https://w3c.github.io/webdriver-bidi/), which it speaks by itself:
Debian has no geckodriver."""

import itertools
import json
import re
import subprocess

import websocket

import waiting

# Before any script of a page: what its policy refuses is kept.
WATCH = """() => {
    window.refusedByPolicy = [];
    addEventListener("securitypolicyviolation", (event) =>
        window.refusedByPolicy.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
}"""


class Firefox:
    """One browser with one tab."""

    def __init__(self, profile):
        # Nothing of Mozilla's is asked for.
        (profile / "user.js").write_text('user_pref("browser.startup.homepage", "about:blank");\n'
                                         'user_pref("remote.active-protocols", 1);\n')
        self.process = subprocess.Popen(["firefox-esr", "--headless", "--no-remote", "--profile", profile,
                                         "--remote-debugging-port", "0", "about:blank"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.ids = itertools.count(1)
        self.requests = []
        self.errors = []
        for line in self.process.stderr:
            if address := re.search(r"WebDriver BiDi listening on (ws://\S+)", line):
                break
        else:
            raise AssertionError("firefox-esr ended before it could be driven")
        self.socket = websocket.create_connection(f"{address[1]}/session", timeout=waiting.SECONDS, suppress_origin=True)
        self.ask("session.new", capabilities={})
        self.ask("session.subscribe", events=["network.beforeRequestSent", "log.entryAdded"])
        self.ask("script.addPreloadScript", functionDeclaration=WATCH)
        self.tab = self.ask("browsingContext.getTree")["contexts"][0]["context"]

    def close(self):
        self.socket.close()
        self.process.terminate()
        self.process.stderr.close()
        self.process.wait()

    def ask(self, method, **parameters):
        """The answer to a command; the events that come before it are kept."""
        number = next(self.ids)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == number:
                assert message["type"] == "success", message
                return message["result"]
            if message.get("method") == "network.beforeRequestSent":
                self.requests.append(message["params"]["request"]["url"])
            elif message.get("method") == "log.entryAdded" and message["params"]["level"] == "error":
                self.errors.append(message["params"]["text"])

    def open(self, url):
        self.ask("browsingContext.navigate", context=self.tab, url=url, wait="complete")

    def script(self, code, frame=None):
        """The value of an expression, as JSON has it. In a frame that may run no scripts it is read from outside."""
        target = {"context": frame, "sandbox": "test"} if frame else {"context": self.tab}
        answer = self.ask("script.evaluate", expression=f"JSON.stringify({code})", target=target, awaitPromise=True)
        assert answer["type"] == "success", answer
        return json.loads(answer["result"].get("value", "null"))

    def until(self, code, frame=None):
        """The value of an expression, as soon as it is true."""
        seen = []
        waiting.until(lambda: seen.append(self.script(code, frame)) or seen[-1])
        return seen[-1]

    def click(self, selector):
        x, y = self.script("""((node) => { node.scrollIntoView({block: "center", behavior: "instant"});
            const {left, top, width, height} = node.getBoundingClientRect(); return [left + width / 2, top + height / 2]; })
            (document.querySelector(%s))""" % json.dumps(selector))
        self.ask("input.performActions", context=self.tab, actions=[{"type": "pointer", "id": "mouse", "actions": [
            {"type": "pointerMove", "x": round(x), "y": round(y)}, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]}])

    def keys(self, text, *held):
        """Presses keys, while others are held."""
        actions = [{"type": "keyDown", "value": key} for key in held]
        for key in text:
            actions += [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        actions += [{"type": "keyUp", "value": key} for key in held]
        self.ask("input.performActions", context=self.tab, actions=[{"type": "key", "id": "keyboard", "actions": actions}])
