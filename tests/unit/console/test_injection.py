"""300 injections in names, subjects, file names, notes and addresses change no page."""

from __future__ import annotations

import html

from shared.console.routes import ROUTES
from shared.console.session import ROLES
from tests.unit.console.conftest import House, path_of, text
from tests.unit.console.payloads import payloads, plant, skeleton

GETS = [route for route in ROUTES if route.method == "GET"]
OWN = ("own/", "/leak")  # pages for one person, or for a confirmed incident alone


async def pages(value, changes):
    """The skeleton of every page where every text is ``value``."""
    house = House()
    month, _, key = (await plant(house, value)).partition("/")
    everybody = house.user(*ROLES, name=value)
    found = {}
    for route in GETS:
        path = path_of(route, month=month, key=key)
        answer = await house.get(path, user=everybody, **dict.fromkeys(route.query, value))
        assert answer.status == 200 or any(each in path for each in OWN), (path, value)
        assert "\r" not in "".join(answer.headers().values())
        found[route.pattern] = skeleton(text(answer))
        changes.append(value in html.unescape(text(answer)))
    return found


async def test_300_injections_change_no_page():
    texts = payloads()
    assert len(set(texts)) == 300
    changes = []
    harmless = await pages("harmless", changes)
    for value in texts:
        assert await pages(value, changes) == harmless, value
    assert sum(changes) > 900, "the texts do stand in the pages"
