"""Each kind of notice as a mail program shows it, in both languages; nothing is cut off or missing.

With SEKISHO_PICTURES=1 the pictures in docs/images are written anew.
"""

from __future__ import annotations

import os

import pytest

from shared.policy.notices import KINDS
from tests.e2e.console_browser import IMAGES, browser, needed  # noqa: F401 - a fixture
from tests.unit.notices.notice_facts import day, notices, raised
from tests.unit.notices.test_notices import DAY

pytestmark = [pytest.mark.e2e, needed]


@pytest.mark.parametrize("kind", KINDS)
def test_notice_fits_a_mail_window(browser, kind):  # noqa: F811 - the fixture
    events = raised() if kind == "alert" else day()
    notice = notices().render(kind, events, day=DAY)
    page = browser.new_page(viewport={"width": 760, "height": 600})
    page.set_content(notice.html)
    assert page.evaluate("document.documentElement.scrollWidth") <= 760
    assert page.locator("div[lang]").count() == 2
    for language in ("ja", "en"):
        part = page.locator(f"div[lang={language}]")
        assert part.locator("h2").count() >= 3
        assert part.locator("li:empty").count() == 0
    if os.environ.get("SEKISHO_PICTURES") == "1":
        page.screenshot(path=IMAGES / f"notice-{kind}.png", full_page=True)
    page.close()
