#!/usr/bin/python3
"""The sentences in the sources, as far as they stand there: every text of some words, with its parts joined. Each rule
is a slip that was made once. Says what the Test Anything Protocol wants.

    messages.py SOURCE_DIRECTORY
"""

import pathlib
import re
import sys

LITERAL = r'"(?:[^"\\\n]|\\.)*"'
TEXT = re.compile(rf"{LITERAL}(?:\s*(?:PRI\w+\s*)?{LITERAL})*")
SQL = re.compile(r"(?:SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA) ")
# Whole descriptions, of several sentences.
ELSEWHERE = {"metrics_text.c"}
NUMBER = r"%\.?\d*(?:hh|h|ll|l|z|j)?[diug]|%PRI[a-z]\d+"
PLURAL = re.compile(rf"(?:{NUMBER}) (?!is\b|was\b|has\b|less\b|lacks\b|knows\b)[a-z]+s\b")

# Bounds that are constants of the program or have a least value above 1; what counts in a form that clients read; what
# has another text for one.
NEVER_ONE = {
    "the body is larger than %lld bytes",
    "the request's header is larger than %lld bytes",
    "%lld jobs",
    "at most %d bytes",
    "at most %zu bytes",
    "of up to %zu bytes",
    "more than %zu bytes",
    "%d bytes at most",
    "at most %d characters",
    "at most %d modules",
    "up to %d letters",
    "more than %d bytes",
    "more than %d parts",
    "more than %d policies",
    "more than %zu files",
    "%zu files; at most %d",
    "or %zu bytes",
    "1 to %d bytes",
    "must have %d to %d bytes",
    "1 to %d names",
    "at most %zu levels",
    "more than %zu values",
    "the kernel's %d instructions",
    "%PRIid64 characters; code_chars",
    "they take %zu bytes",
    "the call has %zu bytes",
    "%PRIid64 bytes left out",
    "%s %PRIid64 bytes, of each whole pages",
    "%llu files may be open",
    "skipped %zu links",
}

RULES = {
    "no number stands before a plural that it may not have":
        lambda text: PLURAL.search(text) and not any(known in text for known in NEVER_ONE),
    "no word stands twice": lambda text: re.search(r"(?<![%\w])([a-z]+) \1\b", text),
    "a sentence ends without a stop": lambda text: re.search(r"\w[.!]$", text),
    "no space before a comma, two in a row, or none behind one":
        lambda text: re.search(r"\w [,;](?!\w)|\w  \w|\w[,;][a-z]{3}", text),
    "whoever may try again is told so once":
        lambda text: len(re.findall(r"\b(?:try|come|ask) (?:it )?again\b", text)) > 1 or "come again" in text,
    "main() alone points to the help":
        lambda text: "--help" in text and not text.startswith("%s; see sandbox-"),
    "a or an": lambda text: re.search(r"\b[Aa] [aeio][a-z]|\b[Aa]n [bcdfgjkpqtvwyz][a-z]", text),
    "plain words": lambda text: re.search(
        r"\bbut for\b|(?<!there )\b(?:is|are) no (?!longer|more|larger|smaller|way|\w+ to\b)[A-Za-z]+", text),
}


def unescape(literal):
    joined = "".join(part if part.startswith("PRI") else part[1:-1]
                     for part in re.findall(rf"{LITERAL}|PRI\w+", literal))
    return joined.replace('\\"', '"')


def texts(path):
    """(line, text) of each text of three words and more, other than in comments."""
    source = re.sub(r"/\*.*?\*/", lambda comment: re.sub(r"[^\n]", " ", comment[0]), path.read_text("utf-8"),
                    flags=re.S)
    source = source.replace("'\"'", "'q'")
    source = re.sub(r"^#(?:include|define SB_).*$", "", source, flags=re.M)
    for match in TEXT.finditer(source):
        text = unescape(match[0]).replace("%PRId", "%PRIid").replace("%PRIu", "%PRIid")
        if len(re.findall(r"[a-z]{2,}", text)) >= 3 and " " in text and "\\n" not in text and not SQL.match(text):
            yield source.count("\n", 0, match.start()) + 1, text


def main():
    root = pathlib.Path(sys.argv[1])
    # src/zygote has no messages: its texts are docstrings of Python.
    paths = [path for path in sorted(root.glob("src/**/*.[ch]"))
             if path.name not in ELSEWHERE and path.parent.name != "zygote"]
    found = [(path.relative_to(root), line, text) for path in paths for line, text in texts(path)]
    print(f"1..{len(RULES) + 1}")
    print("ok 1 - there are messages" if len(found) > 300 else f"not ok 1 - there are messages: {len(found)}")
    for number, (rule, is_slip) in enumerate(RULES.items(), 2):
        slips = [f"# {path}:{line}: {text}" for path, line, text in found if is_slip(text)]
        print(f"{'not ok' if slips else 'ok'} {number} - {rule}", *slips, sep="\n")


main()
