"""Release in a browser: asked for by one person, approved by another; the owner's page."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import pytest

from shared.console.session import COOKIE, User
from shared.console.words import catalogue
from shared.model import Context
from tests.e2e.console_browser import (  # noqa: F401 - fixtures
    DESKTOP,
    PHONE,
    VIEWS,
    browser,
    focus,
    needed,
    open_page,
    picture,
    press,
    served,
)
from tests.unit.console.conftest import SECONDS
from tests.unit.console.seed import event, finding

pytestmark = [pytest.mark.e2e, needed]
SECTION = "section[aria-labelledby=release]"
REASON = "住民本人の同意を得て、転入の手続に用いるため"
REASONS = {"ja": REASON, "en": "With the resident's consent, for the papers of a move"}
NAMES = {"oid-a": "確認 花子", "oid-b": "審査 太郎", "oid-c": "監査 次郎", "oid-owner": "市民課 葵"}
CONTEXT = Context("drive", "onedrive_guest")
NUMBERS = itertools.count(9_001, 200)  # of events; a test's own, for the pages outlive it


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

    number = next(NUMBERS)
    numbers = served.run(make(number, "my_number", "my-number-high"))
    return numbers, served.run(make(number + 100, "person_name", "sensitive-person"))


def become(page, served, who, *roles):  # noqa: F811 - the fixture
    value = served.house.sessions.seal(User(who, NAMES[who], roles, f"{who}-session", SECONDS + 60))
    page.context.add_cookies([{"name": COOKIE, "value": value, "url": served.url}])


def item_of(served, number):  # noqa: F811 - the fixture
    row = served.run(served.house.incidents.get(number))
    return served.run(served.house.desk.event(str(row.values["event"]))).item.id


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


@pytest.mark.parametrize(("view", "size"), VIEWS)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_release_walk_needs_no_mouse(open_page, served, stopped, language, view, size):  # noqa: F811 - fixtures
    """Overview → incident → release, approved by another → audit, by Tab, Enter and letters."""
    words, number = catalogue(language), stopped[0]
    page = open_page(size, locale=language)
    become(page, served, "oid-a", "reviewer")
    page.goto(f"{served.url}/?lang={language}")
    focus(page, words["nav.incidents"])
    press(page, "**/incidents")
    focus(page, f"a[href$='{number}']")
    press(page, re.compile(r"/incidents/\d"))
    focus(page, words["act.claim"])
    press(page)
    focus(page, words["release.ask"])
    page.keyboard.press("Enter")
    focus(page, "#release-reason")
    page.keyboard.type(REASONS[language])
    focus(page, "#release-days")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    picture(page, f"release-ask-{view}-{language}")
    focus(page, words["step.release"], tries=0)
    press(page)
    assert words["exception_state.requested"] in page.inner_text(SECTION)
    become(page, served, "oid-b", "reviewer")
    page.goto(served.url)
    focus(page, words["nav.exceptions"])
    press(page, "**/exceptions")
    focus(page, words["step.approve"])
    press(page)
    page.goto(f"{served.url}/incidents/{number}")
    assert words["exception_state.granted"] in page.inner_text(SECTION)
    page.locator("#release").scroll_into_view_if_needed()
    picture(page, f"release-{view}-{language}")
    served.record()
    become(page, served, "oid-c", "auditor")
    page.goto(served.url)
    focus(page, words["nav.audit"])
    press(page, "**/audit")
    focus(page, "#item")
    page.keyboard.type(item_of(served, number))
    focus(page, words["audit.search"])
    press(page)
    text = page.inner_text("main")
    for action in ("exception_requested", "exception_granted", "quarantine"):
        assert words[f"action.{action}"] in text
    assert not wide(page)
    picture(page, f"audit-release-{view}-{language}")


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
