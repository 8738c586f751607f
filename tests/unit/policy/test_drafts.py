"""Drafts of a leak's report, whole, as an official would get them.

``SEKISHO_GOLDEN=write`` writes the golden files anew.
"""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from shared.model import Gap, GapCode
from shared.policy.leak import Deadlines, deadlines, draft, persons
from tests.unit.policy.recorded import TIME, event, finding

GOLDEN = Path(__file__).parent / "drafts"
ENTITIES = {"my_number": "個人番号", "person_name": "氏名"}
PLACES = {"own_mailbox": "本人のメールボックス", "teams_external": "外部とのチーム"}


def numbers(*names):
    return [finding(fingerprint=each) for each in names]


def people(*names):
    return [finding("person_name", fingerprint=each) for each in names]


SITUATIONS = {
    "nothing known": [],
    "numbers": [
        event(1, numbers("k:1", "k:2") + people("k:9"), disposition="block"),
        event(2, numbers("k:2", "k:3"), disposition="block", place="teams_external",
              action_state="unchanged", time=TIME - timedelta(hours=13)),
        event(3, numbers("k:3"), disposition="block", action_state="not_enforceable",
              place="elsewhere", time=TIME + timedelta(hours=1)),
        event(4, disposition="tag", gaps=(Gap(GapCode.BOMB, "x"), Gap(GapCode.BOMB, "y"))),
    ],
    "a key was changed": [event(1, numbers("a:1", "a:2", "b:1"), disposition="review", place="")],
    "names alone": [event(1, [*people("k:1", "k:2"), finding("passport_number")])],
    "no person found": [event(1, [finding("secret_key")])],
}  # fmt: skip


@pytest.mark.parametrize("what", SITUATIONS)
def test_draft_is_as_its_golden_file(what):
    improper = what == "a key was changed"
    text = draft(SITUATIONS[what], TIME + timedelta(hours=15), ENTITIES, PLACES, improper=improper)
    path = GOLDEN / f"{what.replace(' ', '-')}.md"
    if os.environ.get("SEKISHO_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (numbers("k:1", "k:1", "k:2"), (2, 2, True)),
        (numbers("a:1", "a:2", "b:1"), (2, 3, False)),
        (numbers("k:1") + people("k:2", "k:3"), (1, 1, True)),
        (people("k:2", "k:3"), (2, 2, False)),
        (people("a:2", "b:3", "b:4"), (2, 3, False)),
        ([finding("secret_key")], (0, 0, False)),
    ],
)
def test_persons_are_counted_by_number_else_by_name(found, expected):
    told = persons(found)
    assert (told.low, told.high, told.exact) == expected


def test_deadlines_are_days_from_the_day_of_knowing_as_the_first():
    known = datetime(2026, 2, 27, 14, 59, tzinfo=UTC)  # still the 27th in Japan
    assert deadlines(known) == Deadlines(
        date(2026, 2, 27), date(2026, 3, 1), date(2026, 3, 3), date(2026, 3, 28)
    )
    assert deadlines(known + timedelta(minutes=1), improper=True) == Deadlines(
        date(2026, 2, 28), date(2026, 3, 2), date(2026, 3, 4), date(2026, 4, 28)
    )
    assert deadlines(known).days_left(date(2026, 3, 1)) == (2, 27)
