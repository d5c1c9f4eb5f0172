"""The picture of the page that README shows.

    SANDBOX_TEST_PICTURE=$PWD/tests/browser/page.png ./dev test browser -k picture    # takes it again
    pngquant --force --output tests/browser/page.png tests/browser/page.png              # and makes it small
"""

import os
import pathlib

from sandbox_run import CHECKOUT

CODE = '''\
import os, socket

print("I am process", os.getpid())
for path in ("/etc/shadow", "/root/.ssh"):
    print(path, os.path.exists(path))
try:
    socket.create_connection(("1.1.1.1", 53))
except OSError as error:
    print(error)

hoard = []
while True:
    hoard.append("x" * 1_000_000)
'''


def test_the_picture_in_readme_is_of_the_page_as_it_is(page):
    page.cdp("Emulation.setScrollbarsHidden", hidden=True)
    page.screen((1440, 800)).paste_and_run(CODE)
    assert "/etc/shadow False" in page.content(".stdout pre") and page.verdict == "memory"
    page.script("scrollTo(0, 0)")
    picture = page.picture()
    page.cdp("Emulation.setScrollbarsHidden", hidden=False)
    assert picture.startswith(b"\x89PNG")
    if path := os.environ.get("SANDBOX_TEST_PICTURE"):
        pathlib.Path(path).write_bytes(picture)
        return
    shown = CHECKOUT / "tests/browser/page.png"
    assert shown.stat().st_size < 150_000
    assert f"(tests/browser/{shown.name})" in (CHECKOUT / "README.md").read_text()
