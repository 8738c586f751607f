"""The same flood as tests/unit/audit/test_flood.py, over real storage calls."""

from __future__ import annotations

import pytest

from bench._flood import Flood
from shared.storage.stores import AzureStores


@pytest.mark.integration
async def test_flood_over_azurite_is_one_event_a_decision_in_one_unforked_chain(azurite):
    async with AzureStores(connection_string=azurite.connection_string) as stores:
        found = await Flood(stores, 400, seed=20261128, risk=0.003, suffix="flood").run()
    assert found.crashes >= 3
    assert (found.results, found.delivered) == (400, 520)
    assert (found.records, found.rows, found.right) == (400, 400, True)
