"""10,000 results, each delivered 1.3 times, shuffled, to four workers that keep dying."""

from __future__ import annotations

from bench._flood import START, Flood
from local.memory import Account, MemoryStores


async def test_flood_of_results_is_one_event_a_decision_in_one_unforked_chain():
    flood = Flood(MemoryStores(Account(lambda: START)), 10_000, seed=20261128, risk=0.0005)
    found = await flood.run()
    assert found.crashes > 20
    assert (found.results, found.delivered) == (10_000, 13_000)
    assert (found.records, found.rows, found.right) == (10_000, 10_000, True)
