"""The examples of README, sandbox-serve(8) and sandbox-api(7) as they stand there: pairs of a language and a text."""

import re

from sandbox_run import CHECKOUT

README = (CHECKOUT / "README.md").read_text()
MANUAL = (CHECKOUT / "man/sandbox-serve.8").read_text()
API = (CHECKOUT / "man/sandbox-api.7").read_text()


def of_manual(manual):
    for text in re.findall(r"^\.Bd .*?\n(.*?)^\.Ed", manual, re.M | re.S):
        text = text.replace(r"\(aq", "'").replace(r"\e", "\\")
        yield "python" if text.startswith("import ") else "sh", text


BLOCKS = [*re.findall(r"^```(\w+)\n(.*?)^```$", README, re.M | re.S), *of_manual(MANUAL), *of_manual(API)]
