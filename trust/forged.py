"""Forged and replayed notifications: refused or known again, an event each, answers alike.

In this process: the webhook's own function, two workers that share nothing but the stores, and
seals and tokens as the stand-in makes them. Over HTTP it is ``tests/e2e/test_forged.py``.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from unittest import mock

import azure.functions as func

import functions.notifications as webhook
from local.graph.rich import CONTENTS, TOKENS, Signer
from tests.unit.graph.sealed_house import NEW, STRANGE, House, notification, sealed
from trust.lines import Line, Told

COUNT, GENUINE, SEED = 1_000, 20, 20261129
ADDRESS = "https://example.invalid/api/graph/notifications"


@dataclass(frozen=True, slots=True)
class Kind:
    """A way to forge: ``make`` gives the body of number n."""

    name: str
    make: Callable[[int], bytes]


def _kinds(genuine: list[bytes]) -> list[Kind]:
    """Every way, replays apart; ``genuine`` are bodies that passed by."""
    stranger = Signer()

    def swapped(number: int) -> bytes:
        """The key of one genuine seal, the data of another: what no HMAC holds together."""
        one, other = (json.loads(genuine[(number + by) % GENUINE]) for by in (0, 1))
        part, content = one["value"][0], other["value"][0]["encryptedContent"]
        part["encryptedContent"] |= {each: content[each] for each in ("data", "dataSignature")}
        return json.dumps(one).encode()

    made = [
        Kind("no clientState of ours", lambda n: notification(sealed(), state="x", number=n)),
        Kind("unknown subscription", _unknown),
        Kind("no notification", lambda n: b'{"value": [' + str(n).encode()),
        Kind("seal of another content", swapped),
        Kind("seal for another certificate", lambda _: notification(sealed(to=STRANGE))),
        Kind("token of another signer", lambda _: notification(sealed(signer=stranger))),
        Kind(
            "certificate named as ours",
            lambda _: notification(sealed(to=STRANGE, encryptionCertificateId=NEW.id)),
        ),
    ]
    for each in sorted(TOKENS | CONTENTS):
        name = f"{'token' if each in TOKENS else 'seal'}: {each}"
        made.append(Kind(name, lambda _, each=each: notification(sealed(forgery=each))))  # type: ignore[misc] # the loop's value
    return made


def _unknown(number: int) -> bytes:
    """Of a subscription and an account that were never made, with a state in the right form."""
    part = {
        "subscriptionId": f"s{number}",
        "clientState": f"teams.{number:032x}.nonce.{'A' * 43}",
        "changeType": "created",
        "resource": f"chats('{number}')/messages('{number}')",
    }
    return json.dumps({"value": [part]}).encode()


async def _answer(house: House, body: bytes) -> tuple[object, ...]:
    request = func.HttpRequest("POST", ADDRESS, body=body)
    with mock.patch.object(webhook, "intake", return_value=house.intake):
        answer = await webhook.notifications(request)
    return answer.status_code, answer.get_body(), answer.mimetype, tuple(answer.headers.items())


async def _measure(told: Told) -> dict[str, object]:
    house = House(workers=2)
    genuine = [notification(sealed(), number=n) for n in range(GENUINE)]
    answers: Counter[tuple[object, ...]] = Counter()
    for _ in range(2):  # Graph itself tells some things twice
        for body in genuine:
            answers[await _answer(house, body)] += 1
        await house.resolve()
    items = len(house.bodies("scan-items"))
    quiet = await _events(house)
    kinds = _kinds(genuine)
    forged = [(each.name, each.make) for each in kinds]
    forged.append(("replay", lambda n: genuine[n % GENUINE]))
    plan = [forged[n % len(forged)] for n in range(COUNT)]
    random.Random(SEED).shuffle(plan)
    of: Counter[str] = Counter()
    for number, (name, make) in enumerate(plan, 1):
        of[name] += 1
        answers[await _answer(house, make(number))] += 1
        if number % 50 == 0:
            await house.resolve()
            told("forged", number, COUNT)
    await house.resolve()
    return {
        "sent": COUNT,
        "kinds": dict(of),
        "events": await _events(house) - quiet,
        "events_before": quiet,
        "items_of_genuine": items,
        "items_of_forged": len(house.bodies("scan-items")) - items,
        "jobs": len(house.bodies("graph-jobs")),
        "answers": len(answers),
    }


async def _events(house: House) -> int:
    return sum([len(await house.events(kind)) for kind in ("refused", "replayed")])


def run(size: str, told: Told) -> list[Line]:
    """The same for every size; a call of Graph would raise, and be no event."""
    del size
    found = asyncio.run(_measure(told))
    none = all(found[each] == 0 for each in ("items_of_forged", "jobs", "events_before"))
    whole = found["events"] == COUNT and found["items_of_genuine"] == GENUINE
    kinds = found["kinds"]
    assert isinstance(kinds, dict)
    return [
        Line(
            "偽造・再送の通知 1,000 通：取得も処理もせず、1 通に 1 つの事象、応答は本物と同じ",
            "1,000 forgeries and replays refused: no fetch, no action, an event each, same answers",
            f"{len(kinds)} kinds, {found['sent']:,} sent: {found['events']:,} events, "
            f"{found['items_of_forged']} items, {found['answers']} kind of answer",
            none and whole and found["answers"] == 1,
            found,
        )
    ]
