"""The watch at a small size: lost, doubled and shuffled notifications change nothing."""

from __future__ import annotations

from bench._tenant import run

ACCOUNTS, NOTIFICATIONS = 200, 600


async def test_watch_of_two_hundred_accounts_loses_nothing_and_acts_once():
    found = await run(ACCOUNTS, NOTIFICATIONS, seed=7, told=lambda *_: None)
    assert found.dropped > 0
    assert found.doubled > 0
    assert found.found_by_sweep > 0
    assert found.subscriptions == found.renewed == 3 * ACCOUNTS
    assert found.blocked > 0
    assert (found.lost, found.double_acted, found.dead_letters) == (0, 0, 0)
    assert found.audit_events >= found.mails
