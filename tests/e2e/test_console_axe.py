"""axe-core over every page: two languages, desktop and phone, light and dark.

WCAG 2.2 AA (JIS X 8341-3 is its basis in Japan) and axe's own best practices; nothing serious or
critical. axe is put in past the page's own policy, which lets no script in.
"""

from __future__ import annotations

import pytest

from tests.e2e.console_browser import AXE, VIEWS, addresses, needed, sign_in

pytestmark = [
    needed,
    pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed (make setup)"),
]
BAD = {"serious", "critical"}
RUN = """async only => (await axe.run(document, {
  resultTypes: ["violations"], rules: {"target-size": {enabled: true}},
  ...(only.length ? {runOnly: only} : {}),
})).violations.map(
  v => [v.impact, v.id, v.nodes.slice(0, 3).map(n => [n.target.join(" "), n.failureSummary])])"""


# A dark page differs from a light one in nothing but colours.
ONLY = {"light": [], "dark": ["color-contrast", "link-in-text-block"]}


def issues(page, url, only=()):
    """What axe finds on a page that is serious; ``only`` names rules."""
    page.goto(url)
    page.add_script_tag(path=AXE)
    return [each for each in page.evaluate(RUN, list(only)) if each[0] in BAD]


@pytest.mark.parametrize(("view", "size"), VIEWS)
@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(open_page, served, view, size, language, scheme):
    page = open_page(size, color_scheme=scheme, bypass_csp=True)
    found = {}
    for path in ("/login", "/nothing"):
        found[path] = issues(page, f"{served.url}{path}?lang={language}", ONLY[scheme])
    sign_in(page, served)
    for path in (*addresses(served), "/nothing", "/incidents?state=released&source=calendar"):
        mark = "&" if "?" in path else "?"
        url = f"{served.url}{path}{mark}lang={language}"
        found[path] = issues(page, url, ONLY[scheme])
    assert {path: bad for path, bad in found.items() if bad} == {}, view


def test_axe_does_find_what_is_wrong(open_page, served):
    """The search can fail, so it is shown something to find."""
    page = open_page({"width": 800, "height": 600}, bypass_csp=True)
    page.goto(f"{served.url}/login")
    page.evaluate("document.querySelector('main').innerHTML += '<input><img src=x>'")
    page.add_script_tag(path=AXE)
    assert {"label", "image-alt"} <= {each[1] for each in page.evaluate(RUN, []) if each[0] in BAD}
