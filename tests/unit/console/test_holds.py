"""What an incident's page says of how it was found, how it is stopped, and of a legal hold."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from shared.console.words import catalogue
from shared.model import Item
from shared.services.held import HELD
from tests.unit.console.conftest import text
from tests.unit.console.seed import NOW, event


async def opened(house, made):
    await house.rows.insert(made)
    return await house.incidents.open(made)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({}, "notification"),
        ({"found": "sweep"}, "sweep"),
        ({"found": "baseline"}, "baseline"),
        ({"item": Item("gate", "a", "0", "v")}, "gate"),
        ({"item": Item("mail", "a", "u", "v", generation=7)}, "anew"),
        ({"item": Item("drive", "a", "u", f"{HELD}{'0' * 64}")}, "anew"),
    ],
)
async def test_page_says_how_an_item_was_found(house, change, word):
    key = await opened(house, replace(event(1), **change))
    for language in ("ja", "en"):
        words = catalogue(language)
        page = text(await house.get(f"incidents/{key}", "viewer", lang=language))
        said = re.search(rf"<dt>{words['incident.found_by']}</dt><dd>([^<]*)</dd>", page)
        assert said[1] == words[f"found.{word}"]


async def test_page_of_an_incident_without_its_event_does_not_guess_how_it_was_found(house):
    key = await house.incidents.open(event(1))
    page = text(await house.get(f"incidents/{key}", "viewer", lang="en"))
    assert "<dt>Found by</dt><dd>—</dd>" in page


async def test_legal_hold_is_shown_and_offers_no_deletion(house):
    key = await opened(house, event(1, disposition="block", evidence="quarantine/x"))
    for version, action in enumerate(("claim", "confirm")):
        await house.post(f"incidents/{key}", "reviewer", action=action, version=version)
    before = text(await house.get(f"incidents/{key}", "reviewer"))
    assert 'value="ask_delete"' in before
    assert "法的保全" not in before
    await house.incidents.hold(key, "訴訟 令和8年(ワ)第1号", NOW)
    page = text(await house.get(f"incidents/{key}", "reviewer"))
    assert "訴訟 令和8年(ワ)第1号" in page
    assert 'value="ask_delete"' not in page
    assert "法的保全" in text(await house.get("quarantine", "reviewer"))
    await house.incidents.hold(key, "", NOW)
    page = text(await house.get(f"incidents/{key}", "reviewer"))
    assert 'value="ask_delete"' in page
    assert '<span class="badge hold">' not in page


async def test_hold_of_everything_is_said_and_nothing_is_deleted(house):
    key = await opened(house, event(1, disposition="block", evidence="quarantine/x"))
    for version, action in enumerate(("claim", "confirm")):
        await house.post(f"incidents/{key}", "reviewer", action=action, version=version)
    said = catalogue("ja")["quarantine.hold"]
    assert said not in text(await house.get("quarantine", "reviewer"))
    house.desk = replace(house.desk, hold=True)
    assert said in text(await house.get("quarantine", "reviewer"))
    assert 'value="ask_delete"' not in text(await house.get(f"incidents/{key}", "reviewer"))
    answer = await house.post(f"incidents/{key}", "reviewer", action="ask_delete", version=2)
    assert answer.status == 409
    assert not (await house.incidents.get(key)).values.get("copy")


@pytest.mark.parametrize("why", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
async def test_reason_of_a_hold_is_text_and_nothing_else(house, why):
    key = await opened(house, event(1, disposition="block", evidence="quarantine/x"))
    await house.incidents.hold(key, why, NOW)
    for path in (f"incidents/{key}", "quarantine"):
        page = text(await house.get(path, "reviewer"))
        assert why not in page
        assert not re.search(r"<script|<img src=x", page)


@pytest.mark.parametrize("action", ["block", "hold", "quarantine"])
async def test_quarantine_says_how_a_thing_is_stopped(house, action):
    made = event(1, disposition="block", source="gate", evidence="quarantine/x")
    await opened(house, replace(made, action=action))
    page = text(await house.get("quarantine", "reviewer", lang="en"))
    assert f'<span class="badge held-{action}">{catalogue("en")[f"held.{action}"]}</span>' in page
