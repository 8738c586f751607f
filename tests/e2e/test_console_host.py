"""The console in the running system: local host, Azurite, the day's incidents."""

from __future__ import annotations

import re
from contextlib import closing

import httpx
import pytest

from tests.e2e.conftest import until

pytestmark = pytest.mark.e2e


def enter(stack, role):
    client = httpx.Client(base_url=f"{stack.stack.host.url}/api/console", follow_redirects=True)
    origin = stack.stack.host.url
    answer = client.post("/login", data={"role": role}, headers={"origin": origin}, timeout=30)
    assert answer.status_code == 200, answer.text
    return client


def test_reviewer_claims_an_incident_and_the_chain_says_so(stack, day):
    assert day
    with closing(enter(stack, "reviewer")) as client:
        page = client.get("/incidents?state=open").text
        path = re.search(r'href="/api/console(/incidents/\d[^"]+)"', page)[1]
        shown = client.get(path)
        assert shown.status_code == 200
        csrf = re.findall(r'name="csrf" value="([0-9a-f]+)"', shown.text)[-1]
        form = {"csrf": csrf, "version": "0", "action": "claim"}
        done = client.post(path, data=form, headers={"origin": stack.stack.host.url})
        assert done.status_code == 200
        assert 'class="badge state-in_review"' in done.text

    def told():
        lines = [each for each in stack.storage.lines() if each.key[0] == "console"]
        return {"console.view_incident", "console.incident_claim"} <= {
            each.event["action"] for each in lines
        }

    until(told, 30, "the console's events in the chain")


def test_overview_counts_the_day_and_nobody_else_sees_it(stack, day):
    url = f"{stack.stack.host.url}/api/console"
    assert httpx.get(f"{url}/incidents", timeout=30).status_code == 401
    with closing(enter(stack, "viewer")) as client:
        page = client.get("/?lang=en")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        figures = [int(each) for each in re.findall(r'class="figure">(\d+)<', page.text)]
        assert figures[0] >= len(day)
        assert all(figures[1:5])
        assert client.get("/audit").status_code == 403
