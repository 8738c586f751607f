"""Killed before or after any storage operation: what landed is delivered once or still there."""

from __future__ import annotations

import pytest

from local.memory import Crash, MemoryStores
from shared.errors import GoneError
from shared.model import Disposition, OutcomeState
from shared.services import sidecar
from shared.services.gate import GateService
from shared.services.sidecar import Sidecar
from shared.storage.alerts import Alerts
from shared.storage.evidence import Evidence


class Killer:
    """The hook of the stores: dies at one operation, counted from its last reset."""

    def __init__(self):
        self.at, self.count = None, 0

    def arm(self, at):
        self.at, self.count = at, 0

    async def __call__(self, operation, moment):
        del operation
        number, self.count = self.count, self.count + 1
        del moment
        if number == self.at:
            self.at = None
            raise Crash


@pytest.fixture
def killer():
    return Killer()


@pytest.fixture
def gate(rig, killer):
    stores = MemoryStores(rig.account, killer)
    return GateService(
        rig.graph,
        landing=stores.blobs("landing"),
        envelopes=stores.blobs("envelopes"),
        quarantine=Evidence(
            stores.blobs("quarantine"), Alerts(stores.table("alerts"), rig.clock), "quarantine"
        ),
    )


def delivered(rig):
    return [each.data for each in rig.user.drive.items.values() if not each.folder]


async def again(work):
    """As the queue does: until it ends."""
    try:
        return await work()
    except Crash:
        return await work()


@pytest.mark.parametrize("disposition", list(Disposition))
async def test_gate_killed_at_any_storage_operation(rig, gate, killer, disposition):
    landing, envelopes = rig.stores.blobs("landing"), rig.stores.blobs("envelopes")
    at, armed = 0, True
    while armed:
        name, data = f"files/{at}", f"content {at}".encode()
        await sidecar.write(envelopes, name, Sidecar((rig.UPN,), path=f"{at}.txt"))
        await landing.put(name, data)
        (item,) = await gate.items_for(name)
        claim = rig.claim(item, disposition)
        killer.arm(at)

        async def work(claim=claim):
            return await gate.apply(claim)

        outcome = await again(work)
        armed = killer.at is None
        killer.arm(None)
        assert outcome.state is OutcomeState.APPLIED
        assert delivered(rig).count(data) == (disposition <= Disposition.TAG)
        held = await landing.properties(name) is not None
        assert held is (disposition is Disposition.REVIEW)
        if disposition is Disposition.BLOCK:
            assert await rig.quarantine.read(outcome.evidence_ref) == data
        at += 1
    assert at > 5


async def test_drop_killed_at_any_storage_operation_is_adopted_once(rig, gate, killer):
    landing = rig.stores.blobs("landing")
    at, armed = 0, True
    while armed:
        drop, data = f"drop/{rig.UPN}/{at}.txt", f"content {at}".encode()
        await landing.put(drop, data)
        killer.arm(at)
        try:
            await gate.items_for(drop)
        except Crash:
            await gate.items_for(drop)
        armed = killer.at is None
        killer.arm(None)
        blobs = [name async for name in landing.names()]
        holding = [name for name in blobs if (await landing.get(name)).data == data]
        assert len(holding) == 1
        assert holding[0].startswith("files/")
        (item,) = await gate.items_for(holding[0])
        assert (await gate.fetch(item)).content.name == f"{at}.txt"
        at += 1
    assert at > 5
    with pytest.raises(GoneError):
        await landing.get(f"drop/{rig.UPN}/0.txt")
