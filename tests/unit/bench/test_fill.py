"""What the bench of the console puts into Azurite is what the product's own writer would."""

from __future__ import annotations

import pytest

from bench._fill import fill
from bench.console import events, rows
from shared.storage.stores import AzureStores

pytestmark = pytest.mark.integration
TABLE = {"incidents": "benchincidents", "incidentindex": "benchindex"}


async def test_filled_rows_are_read_back_as_the_product_writes_them(azurite):
    every = rows(events(120)).items()
    made = {(TABLE[name], part): some for (name, part), some in every if part[:2] != "d|"}
    await fill(azurite, made)
    async with AzureStores(connection_string=azurite.connection_string) as stores:
        for (name, partition), wanted in made.items():
            table = stores.table(name)
            found = [row async for row in table.query(partition)]
            there = [(row.key, row.values) for row in found]
            assert there == sorted((row.key, row.values) for row in wanted)
            own = stores.table("benchown")
            await own.put(wanted[0])  # by the product's writer: no column and no type differs
            again = await own.get(partition, wanted[0].key)
            assert {k: (v, type(v)) for k, v in again.values.items()} == next(
                {k: (v, type(v)) for k, v in row.values.items()}
                for row in found
                if row.key == wanted[0].key
            )
