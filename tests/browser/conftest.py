"""Fixtures of the tests of the web page: Chromium without its windows (Debian's chromium-headless-shell: the same engine,
in half the processor time), and a visitor who uses it as a person would. The service is the real one, started as the
tests of tests/http start it.

After each test the browser's own records are read: no request may have gone to another origin, and the console may
hold nothing but what the network said (the 401 or 503 that a test is about).
"""

import os

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

import waiting
from proxies import proxy  # noqa: F401
from run_fixtures import pytest_configure  # noqa: F401
from serve_fixtures import launch, policies, serve, server, shared_server, token  # noqa: F401
from visitor import DESKTOP, Visitor

ARGUMENTS = ["--disable-gpu", "--disable-dev-shm-usage"]


@pytest.fixture(scope="session")
def driver():
    """One browser for all tests of this process."""
    options = webdriver.ChromeOptions()
    # The one in /usr/bin is a shell that waits for this: it would be ended in its place, and the browser be left.
    options.binary_location = "/usr/lib/chromium/chromium-headless-shell"
    # Chromium's own sandbox refuses to start as root.
    for argument in ARGUMENTS + (["--no-sandbox"] if os.geteuid() == 0 else []):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    options.add_experimental_option("perfLoggingPrefs", {"enablePage": False})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    driver.set_script_timeout(waiting.SECONDS)
    yield driver
    driver.quit()


@pytest.fixture
def visitor(driver, request, tmp_path):
    """Somebody who has never been here before, before a desk."""
    visitor = Visitor(driver).screen(DESKTOP).prefers("light")
    visitor.requests(), visitor.complaints()
    yield visitor
    requests, complaints = visitor.requests(), visitor.complaints()
    if visitor.origin:
        visitor.cdp("Storage.clearDataForOrigin", origin=visitor.origin, storageTypes="all")
        visitor.script("sessionStorage.clear()")
    for handle in driver.window_handles[1:]:
        driver.switch_to.window(handle)
        driver.close()
    driver.switch_to.window(driver.window_handles[0])
    driver.get("about:blank")
    own = (f"{visitor.origin}/", "data:", "about:", "blob:null", f"blob:{visitor.origin}/")
    assert [url for url in requests if not url.startswith(own)] == []
    assert complaints == []


@pytest.fixture(scope="session")
def data_rootfs():
    """A root file system with the modules of the policy "data"."""
    if not os.environ.get("SANDBOX_ROOTFS_DATA"):
        pytest.skip("SANDBOX_ROOTFS_DATA is not set: no root file system with numpy, pandas and matplotlib")
    return os.environ["SANDBOX_ROOTFS_DATA"]


@pytest.fixture
def page(visitor, server):
    """The page of a service that has nothing configured, ready for use."""
    return visitor.open(server).ready()
