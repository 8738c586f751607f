"""The journal: a key is new once, the oldest goes first, a crash leaves what can be sent again."""

from __future__ import annotations

import pytest

from relay.journal import DELIVERED, FAILED, KEPT_DAYS, NOTICE, ORDER, READY, SENDING, Journal


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path):
    made = Journal(path)
    yield made
    made.close()


def test_key_is_new_once_whatever_became_of_it(journal):
    assert journal.add("k", ORDER, 1.0, 10.0)
    assert not journal.add("k", ORDER, 1.0, 11.0)
    journal.done("k", 12.0, DELIVERED, "250 2.0.0")
    journal.told("k", 13.0)
    assert not journal.add("k", ORDER, 1.0, 14.0)
    assert journal.get("k").state == DELIVERED


def test_oldest_mail_is_due_first_and_pauses_are_kept(journal):
    for key, first in (("new", 30.0), ("old", 10.0), ("middle", 20.0)):
        journal.add(key, ORDER, first, 40.0)
    journal.later("old", 41.0, 100.0, "451 4.3.0")
    assert [each.key for each in journal.due(50.0, 9)] == ["middle", "new"]
    assert [each.key for each in journal.due(100.0, 9)] == ["old", "middle", "new"]
    assert journal.get("old").attempts == 1
    assert [each.key for each in journal.open()] == ["old", "middle", "new"]


def test_crash_while_sending_is_counted_and_sent_again(path):
    first = Journal(path)
    first.add("k", ORDER, 1.0, 1.0)
    first.sending("k", 2.0)
    again = Journal(path)  # the first was killed: nothing is closed
    assert again.get("k").state == SENDING
    assert again.recover() == 1
    assert again.get("k").state == READY
    assert again.recover() == 0
    assert again.counts() == {"ready": 1, "uncertain": 1}
    first.close()
    again.close()


def test_answer_is_told_once_and_again_when_asked(journal):
    journal.add("k", ORDER, 1.0, 1.0)
    journal.done("k", 2.0, FAILED, "550 5.1.1")
    assert [(each.key, each.code) for each in journal.untold(9)] == [("k", "550 5.1.1")]
    journal.told("k", 3.0)
    assert journal.untold(9) == []
    journal.tell_again("k")
    assert len(journal.untold(9)) == 1


def test_put_back_starts_anew(journal):
    journal.add("k", ORDER, 1.0, 1.0)
    journal.later("k", 2.0, 99.0, "451")
    journal.done("k", 3.0, FAILED, "550")
    journal.again("k", 4.0)
    entry = journal.get("k")
    assert (entry.state, entry.attempts, entry.next_at) == (READY, 0, 0.0)


def test_settled_is_forgotten_long_after_and_failures_are_not(journal):
    for key, state in (("done", DELIVERED), ("failed", FAILED), ("untold", DELIVERED)):
        journal.add(key, NOTICE, 1.0, 1.0)
        journal.done(key, 2.0, state, "250")
        if key != "untold":
            journal.told(key, 2.0)
    assert journal.prune(2.0 + KEPT_DAYS * 86_400 - 1) == 0
    assert journal.prune(3.0 + KEPT_DAYS * 86_400) == 1
    assert journal.get("done") is None
    assert journal.get("failed") is not None
