"""Release in a browser: asked for by one person, approved by another; the owner's page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.console.session import COOKIE, User
from shared.model import Context
from tests.e2e.console_browser import (  # noqa: F401 - fixtures
    DESKTOP,
    PHONE,
    browser,
    needed,
    open_page,
    picture,
    served,
)
from tests.unit.console.conftest import SECONDS
from tests.unit.console.seed import event, finding

pytestmark = [pytest.mark.e2e, needed]
REASON = "住民本人の同意を得て、転入の手続に用いるため"
CONTEXT = Context("drive", "onedrive_guest")


@pytest.fixture
def stopped(served):  # noqa: F811 - the fixture
    """Two stopped files of one owner: one of numbers, one whose rule permits an override."""

    async def make(number, entity, rule):
        made = replace(
            event(number, disposition="block", source="drive", owner="oid-owner",
                  findings=(finding(entity, number, "シート1!B7"), finding(entity, number + 1))),
            rule_ids=(rule,), context=CONTEXT, evidence_ref="quarantine/x",
        )  # fmt: skip
        await served.house.rows.insert(made)
        return await served.house.incidents.open(made)

    numbers = served.run(make(9_001, "my_number", "my-number-high"))
    return numbers, served.run(make(9_101, "person_name", "sensitive-person"))


def become(page, served, who, *roles):  # noqa: F811 - the fixture
    value = served.house.sessions.seal(User(who, who, roles, f"{who}-session", SECONDS + 60))
    page.context.add_cookies([{"name": COOKIE, "value": value, "url": served.url}])


def wide(page):
    return page.evaluate("document.documentElement.scrollWidth > window.innerWidth")


def test_release_is_asked_for_and_approved_by_another(open_page, served, stopped):  # noqa: F811
    page, numbers = open_page(DESKTOP), stopped[0]
    become(page, served, "oid-a", "reviewer")
    page.goto(f"{served.url}/incidents/{numbers}")
    page.click('button[value="claim"]')
    page.click('button[value="leak"]')
    page.wait_for_selector("#leak")
    assert not wide(page)
    page.locator("#leak").scroll_into_view_if_needed()
    picture(page, "leak-desktop-ja")
    page.click("text=解放を申し出る >> nth=0")
    page.fill("#release-reason", REASON)
    page.select_option("#release-days", "7")
    page.click('button[value="release"]')
    page.wait_for_selector("text=承認待ち")
    assert page.locator('button[value="approve"]').count() == 0
    become(page, served, "oid-b", "reviewer")
    page.goto(f"{served.url}/exceptions")
    assert not wide(page)
    picture(page, "exceptions-desktop-ja")
    page.click('button[value="approve"]')
    page.wait_for_selector("text=有効")
    page.goto(f"{served.url}/incidents/{numbers}")
    page.locator("#release").scroll_into_view_if_needed()
    picture(page, "release-desktop-ja")


@pytest.mark.parametrize("language", ["ja", "en"])
def test_owner_reads_why_and_sets_it_aside(open_page, served, stopped, language):  # noqa: F811
    page, own = open_page(PHONE), stopped[1]
    become(page, served, "oid-owner")
    page.goto(f"{served.url}/own/{own}?lang={language}")
    assert not wide(page)
    picture(page, f"own-phone-{language}")
    if language == "en":
        page.fill("#own-reason", REASON)
        page.click("main form.acts button")
        page.wait_for_selector("text=In force")
