"""The host is killed for real, again and again, while the day passes: nothing lost, nothing twice.

Azurite and the stand-in stay up, as the cloud would; what they hold at the end is what is counted.
More days of it: ``make trust ONLY=kills``.
"""

from __future__ import annotations

import pytest

from local.demo.report import chain_holds
from tests.e2e.killing import KILLS, killed_day
from tests.e2e.twice import done_twice, removals

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """The day under twenty SIGKILLs at seeded moments."""
    with killed_day(tmp_path_factory.mktemp("killed"), 0) as found:
        yield found


def test_every_item_meets_its_expectation_after_the_kills(killed):
    assert killed.inflight >= KILLS // 2, "too few kills hit an item in flight"
    wrong = {each.sent.sample.name: each.problems for each in killed.results if each.problems}
    assert wrong == {}, killed.there.left_over()


def test_nothing_was_done_twice(killed):
    assert removals(killed.there)
    assert done_twice(killed.there, killed.results) == []


def test_chain_is_whole_after_the_kills(killed):
    assert chain_holds(killed.there.storage.chain())
