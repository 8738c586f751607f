"""A day of made-up decisions for notices; a location holds digits on purpose."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shared.model import Gap, GapCode
from shared.policy import Policy, Words, default_text
from shared.policy.notices import House, Notices
from shared.policy.notices import raised as notices_raised
from tests.unit.policy.recorded import TIME, event, finding

PLANTED = "123456789018"  # the stem 12345678901 and its check digit
ENTITIES = {
    "my_number": Words("個人番号", "My Number"),
    "person_name": Words("氏名", "Person's name"),
}
ALERTS = {"dead_letter": Words("処理できないメッセージ", "A message could not be processed")}
HOUSE = House(
    Words("京都府", "Kyoto Prefecture"),
    "情報政策課 内線1234",
    ENTITIES,
    ALERTS,
    lambda event: f"https://sekisho.example.lg.jp/api/console/own/{event.id[:6]}",
)
POLICY = Policy.load([default_text()])


def notices(**overrides):
    names = {name.replace("_", "."): text for name, text in overrides.items()}
    return Notices(POLICY, HOUSE, names)


def day(count=3):
    """Blocked, in review (unread), not enforceable; then more of the first."""
    where = f"添付2.xlsx › {PLANTED}!B7"
    found = [replace(finding(fingerprint=f"k:{n}"), location=where) for n in range(3)]
    made = [
        event(0xABCDEF << 216, found, disposition="block", rule_ids=("my-number-high",)),
        event(2 << 240, disposition="review", gaps=(Gap(GapCode.ENCRYPTED, "添付1"),),
              rule_ids=("unread",), owner="p", time=TIME + timedelta(hours=1)),
        event(3 << 240, [finding("person_name")], disposition="block", place="teams_external",
              action_state="not_enforceable", rule_ids=("sensitive-person",),
              time=TIME + timedelta(hours=2)),
    ]  # fmt: skip
    more = [replace(made[0], id=f"{n << 248:064x}") for n in range(4, count + 1)]
    return [*made, *more][:count]


def raised(count=2):
    """Alerts as the outbox carries them."""
    return [notices_raised("dead_letter", f"scan-items/{n}", TIME) for n in range(count)]
