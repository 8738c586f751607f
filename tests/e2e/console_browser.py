"""A browser for the console's tests: Debian's Chromium, a page of a fresh profile, who one is.

Pictures are written to docs/images/ only with SEKISHO_PICTURES=1, so that a test run changes no
file of the repository.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from shared.console.routes import ROUTES
from shared.console.session import COOKIE, ROLES
from tests.e2e.console_server import Served
from tests.unit.console.conftest import path_of

CHROMIUM = shutil.which("chromium") or ""
ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
VIEWS = [("desktop", DESKTOP), ("phone", PHONE)]

needed = pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")


@pytest.fixture(scope="module")  # while it is open, its event loop is in the way of other tests'
def browser():
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def served():
    with Served() as running:
        yield running


@pytest.fixture
def open_page(browser):
    """A page of a fresh profile; what it complained of in its console must be nothing."""
    contexts, complaints = [], []

    def make(size, **options):
        context = browser.new_context(viewport=size, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: (complaints.append("dialog"), dialog.dismiss()))
        return page

    yield make
    for context in contexts:
        context.close()
    assert [each for each in complaints if "status of 4" not in each] == []


def enter(page, served, language, role):
    """Through the sign-in page, as a person does."""
    page.goto(f"{served.url}/login?lang={language}")
    page.click(f'button[value="{role}"]')
    page.wait_for_selector("nav a[aria-current]")


def focus(page, what, tries=80):
    """Press Tab until what has the focus shows the words, or is what the selector means.

    Its ring must be seen. ``tries=0``: it has the focus already.
    """
    selector = what if what.startswith("#") or "[" in what else ""
    for number in range(tries + 1):
        if number:
            page.keyboard.press("Tab")
        there = page.evaluate(FOCUSED, [what, selector])
        if there:
            assert there == "4px", f"no ring around {what!r}"
            return
    pytest.fail(f"the keyboard does not reach {what!r}")


FOCUSED = """([words, selector]) => {
  const it = document.activeElement;
  const found = selector ? it.matches(selector) : it.textContent.trim() === words;
  return found && it !== document.body ? getComputedStyle(it).outlineWidth : '';
}"""


def press(page, url=None):
    """Enter, and wait for the page that follows."""
    with page.expect_navigation(url=url, timeout=60_000):
        page.keyboard.press("Enter")


def sign_in(page, served, *roles, name="確認 花子"):
    """With a session's cookie, for roles together that the sign-in page does not offer."""
    house = served.house
    value = house.sessions.seal(house.user(*(roles or ROLES), name=name))
    page.context.add_cookies([{"name": COOKIE, "value": value, "url": served.url}])


def addresses(served, incident=0):
    """An address of every page that there is; of a new page without being told."""
    month, _, key = served.house.ids[incident].partition("/")
    gets = [route for route in ROUTES if route.method == "GET"]
    return ["/" + path_of(route, month=month, key=key) for route in gets]


def picture(page, name):
    if os.environ.get("SEKISHO_PICTURES"):
        page.screenshot(path=IMAGES / f"console-{name}.png", full_page="phone" not in name)
