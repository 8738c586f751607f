"""The console in a browser: overview → incident → state change → audit, without a mouse.

Skipped by name where there is no Chromium. SEKISHO_PICTURES=1 writes the pictures.
"""

from __future__ import annotations

import re

import pytest

from shared.console.words import catalogue
from tests.e2e.console_browser import DESKTOP, PHONE, VIEWS, enter, focus, needed, picture

pytestmark = needed


@pytest.mark.parametrize(("view", "size"), VIEWS)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_reviewer_walks_from_overview_to_a_verdict_by_keyboard(
    open_page, served, language, view, size
):
    words = catalogue(language)
    page = open_page(size, locale=language)
    enter(page, served, language, "reviewer")
    picture(page, f"overview-{view}-{language}")
    focus(page, words["nav.incidents"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/incidents")
    picture(page, f"incidents-{view}-{language}")
    page.goto(f"{served.url}/incidents?state=open")
    page.locator("tbody a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/incidents/\d"))
    number = page.url.partition("/incidents/")[2]
    picture(page, f"incident-{view}-{language}")
    for action in ("claim", "confirm", "close"):
        focus(page, words[f"act.{action}"])
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert words[f"did.{action}"] in page.inner_text(".timeline")
    assert page.inner_text(".badges .state-closed") == words["state.closed"]
    served.record()
    auditor = open_page(size, locale=language)
    enter(auditor, served, language, "auditor")
    auditor.goto(f"{served.url}/audit?item={number}")
    text = auditor.inner_text("main")
    for action in ("view_incident", "incident_claim", "incident_confirm", "incident_close"):
        assert words[f"action.console.{action}"] in text
    picture(auditor, f"audit-{view}-{language}")


@pytest.mark.parametrize(("view", "size"), VIEWS)
def test_no_page_is_wider_than_the_screen(open_page, served, view, size):
    one = f"/incidents/{served.house.ids[0]}"
    for role, paths in (
        ("reviewer", ("", "/incidents", one, "/quarantine", "/policy")),
        ("admin", ("/letters", "/subscriptions")),
        ("auditor", ("/audit",)),
    ):  # fmt: skip
        page = open_page(size)
        enter(page, served, "ja", role)
        for path in paths:
            page.goto(served.url + path)
            wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wide <= 0, path
            assert page.locator("h1").count() == 1
            if view == "desktop" and path in {"/policy", "/quarantine", "/letters"}:
                picture(page, path.strip("/"))


def test_every_field_has_a_label_and_every_target_is_large_enough(open_page, served):
    page = open_page(PHONE)
    enter(page, served, "ja", "reviewer")
    for path in ("/incidents", f"/incidents/{served.house.ids[1]}"):
        page.goto(served.url + path)
        for field in page.locator("select, input:not([type=hidden]), textarea").all():
            assert page.locator(f"label[for={field.get_attribute('id')}]").count() == 1
        for target in page.locator("button, .button, select").all():
            assert target.bounding_box()["height"] >= 44


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(open_page, served, scheme):
    """WCAG 2.2 criterion 1.4.3: 4.5 to 1, computed for every element that holds text."""
    page = open_page(DESKTOP, color_scheme=scheme)
    enter(page, served, "ja", "reviewer")
    for path in ("", "/incidents", f"/incidents/{served.house.ids[2]}", "/policy"):
        page.goto(served.url + path)
        if not path:
            picture(page, f"overview-{scheme}")
        assert page.evaluate(CONTRAST) == []


CONTRAST = """() => {
  const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const linear = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = e => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  const ratio = e => {
    const style = getComputedStyle(e);
    const pair = [light(parse(e.closest('svg') ? style.fill : style.color)), light(ground(e))];
    return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
  };
  const written = e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  return [...document.querySelectorAll('body *')].filter(e => written(e) && ratio(e) < 4.5)
    .map(e => [e.tagName, String(e.className), e.textContent.trim().slice(0, 20), ratio(e)]);
}"""
