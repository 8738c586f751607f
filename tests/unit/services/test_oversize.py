"""What is larger than the limit is a gap by name and gets what policy says of one."""

from __future__ import annotations

import pytest

from shared.graph.calls import TEAM_MESSAGES
from shared.model import Disposition, OutcomeState
from shared.services.threads import item_of


async def mail(rig):
    message = rig.message(rig.mime(body="x" * 500))
    return rig.mail(limit=400), rig.mail_item(message)


async def calendar(rig):
    event = await rig.event(body={"contentType": "text", "content": "x" * 500})
    return rig.calendar(limit=400), rig.event_item(event)


async def teams(rig):
    made = await rig.admin("POST", "teams", {"name": "t"})
    path = f"teams/{made['id']}/channels/{made['channels'][0]['id']}"
    await rig.admin("POST", f"{path}/messages", {"from": rig.UPN, "text": "x" * 500})
    graph = await rig.graph.send(TEAM_MESSAGES, {"team": made["id"]})
    (message,) = graph.json()["value"]
    return rig.teams(limit=400), item_of(message)


@pytest.mark.parametrize("source", [mail, calendar, teams])
async def test_item_over_the_limit_is_a_gap_and_can_be_stopped(rig, source):
    service, item = await source(rig)
    fetched = await service.fetch(item)
    assert [each.code for each in fetched.gaps] == ["too_large"]
    assert fetched.content.data == b""
    outcome = await service.apply(rig.claim(item, Disposition.BLOCK))
    assert outcome.state is OutcomeState.APPLIED
