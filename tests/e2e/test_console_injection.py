"""The 300 injections in a real browser: nothing runs, with the page's policy and without it.

Whatever ran would open a dialog, complain in the browser's console, or ask for another address.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from shared.console.routes import ROUTES
from tests.e2e.console_browser import DESKTOP, needed, sign_in
from tests.e2e.console_server import Served
from tests.unit.console.conftest import path_of
from tests.unit.console.payloads import payloads, plant

pytestmark = needed
EVERY = 6  # each sixth incident's page is opened; lists show all of them


@pytest.fixture(scope="module")
def hostile():
    """A town in which every text is an injection, each of the 300 in one incident."""
    with Served(0) as running:

        async def fill():
            return [
                await plant(running.house, value, number) for number, value in enumerate(payloads())
            ]

        running.house.ids = running.run(fill())
        yield running


@pytest.mark.parametrize("bypass", [False, True], ids=["policy", "no-policy"])
def test_nothing_executes_in_a_browser(open_page, hostile, bypass):
    page = open_page(DESKTOP, bypass_csp=bypass)
    strangers = []
    home = urlsplit(hostile.url).netloc
    page.on(
        "request",
        lambda asked: strangers.append(asked.url) if urlsplit(asked.url).netloc != home else None,
    )
    sign_in(page, hostile, name=payloads()[0])
    seen = 0
    for route in ROUTES:
        if route.method != "GET" or "month" in route.pattern:
            continue
        url = f"{hostile.url}/{path_of(route)}"
        for _ in range(20):
            page.goto(url)
            seen += page.locator("tbody tr").count()
            further = page.locator("a[rel=next]")
            if not further.count():
                break
            url = further.get_attribute("href")
            url = f"http://{home}{url}"
    for number in hostile.house.ids[:: EVERY * (2 if bypass else 1)]:
        page.goto(f"{hostile.url}/incidents/{number}")
        assert page.locator("script, iframe, object, embed, base").count() == 0
        assert page.locator("h1").is_visible()
    assert seen >= 3 * 300
    assert strangers == []
