"""The host is killed for real, again and again, while the day passes: nothing lost, nothing twice.

Azurite and the stand-in stay up, as the cloud would; what they hold at the end is what is counted.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter

import pytest

from local.demo.report import chain_holds
from local.samples import samples
from tests.e2e.conftest import look, town

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
KILLS = 20  # of each day; SEKISHO_KILLS asks for more days of them (`make trust`)
DAYS = max(1, int(os.environ.get("SEKISHO_KILLS", "20")) // KILLS)
SEED = 20261124


@pytest.fixture(scope="module", params=range(DAYS))
def killed(tmp_path_factory, request):
    """The day under twenty SIGKILLs at seeded moments: the town, results, kills with work open."""
    overrides = {
        "SEKISHO_LEASE_SECONDS": "4",
        "SEKISHO_SWEEP_SCHEDULE": "*/5 * * * * *",
        "SEKISHO_RENEW_SCHEDULE": "*/3 * * * * *",
    }
    folder = tmp_path_factory.mktemp("killed")
    with town(folder, overrides=overrides, receive_visibility=4) as running:
        there = look(running)
        there.enrol()
        rng = random.Random(SEED + request.param)
        todo = list(samples())
        rng.shuffle(todo)
        sent, inflight = [], 0
        for number in range(KILLS):
            share = todo[number * len(todo) // KILLS : (number + 1) * len(todo) // KILLS]
            sent += [there.world.send(sample) for sample in share]
            time.sleep(rng.uniform(0.1, 1.6))
            inflight += len(there.storage.lines()) < len(sent)
            running.host.kill()
            running.host.start()
        yield there, there.settle(sent, 240), inflight


def test_every_item_meets_its_expectation_after_the_kills(killed):
    there, results, inflight = killed
    assert inflight >= KILLS // 2, "too few kills hit an item in flight"
    wrong = {each.sent.sample.name: each.problems for each in results if each.problems}
    assert wrong == {}, there.left_over()


def test_nothing_was_done_twice(killed):
    there, results, _ = killed
    done = Counter(
        (entry["template"], *entry["ids"].values())
        for entry in there.log()
        if entry["template"].endswith("permanentDelete") and entry["status"] == 204
    )
    assert done
    assert max(done.values()) == 1
    ids = [line.event["id"] for line in there.storage.lines()]
    assert len(ids) == len(set(ids))
    state = there.world.state()
    for user in state["users"]:
        names = Counter(item["path"] for item in user["items"] if not item["folder"])
        assert all(count == 1 for count in names.values()), "a file was delivered twice"
        mails = Counter(each["internet_message_id"] for each in user["messages"])
        assert all(count == 1 for count in mails.values()), "a mail was delivered twice"
        subjects = [each["subject"] for each in user["messages"]]
        notices = sum("メールを停止しました" in subject for subject in subjects)
        letters = sum("パスワードの入力が必要です" in subject for subject in subjects)
        stopped = sum(
            each.state is not None and each.state.name == "removed"
            for each in results
            if each.sent.owner == user["id"]
        )
        assert notices == stopped, "one notice for each stopped mail"
        own = [each for each in results if each.sent.owner == user["id"] and each.state]
        locked = sum(
            each.sent.sample.source == "gate" and each.state.name == "held" for each in own
        )
        assert letters == locked, "one letter for each upload that waits for a password"


def test_chain_is_whole_after_the_kills(killed):
    there, _, _ = killed
    assert chain_holds(there.storage.chain())
