from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shared.audit.head import any_of, es256_signer, public_pem
from shared.model import AuditEvent, Finding, Item, Level
from shared.storage.alerts import Alerts
from shared.storage.audit_log import AuditLog, Sizes
from shared.storage.audit_reader import AuditReader
from shared.storage.chain_watch import ChainWatch
from shared.storage.folder import Folder


def pem():
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


OLD, NEW = pem(), pem()


def event(number, clock, findings=()):
    item = Item("mail", f"m{number}", "box", "ck")
    return AuditEvent(
        item.key("p1"), clock(), item, "tag", "tag", "enforce", "p1", ("r",), "tag", "applied",
        (), findings, (), "own_mailbox", "o", 1.5, "t",
    )  # fmt: skip


class House:
    """A log that is written, and a watch over it."""

    def __init__(self, stores, account, clock):
        self.stores, self.account, self.clock = stores, account, clock
        self.number = 0
        self.reader = AuditReader(stores.blobs("audit"))
        self.signed_by(OLD)

    def signed_by(self, private, *former):
        self.log = AuditLog(
            self.stores.table("auditevents"), self.stores.blobs("audit"),
            self.stores.lease("work"), self.clock, signer=es256_signer(private),
            sizes=Sizes(blocks=3, inline=20_000), sleep=lambda _: asyncio.sleep(0),
        )  # fmt: skip
        keys = [public_pem(each) for each in (private, *former)]
        self.watch = ChainWatch(
            self.reader, self.stores.table("auditevents"),
            Alerts(self.stores.table("alerts"), self.clock), self.clock, any_of(keys),
        )  # fmt: skip

    async def write(self, count, findings=()):
        for _ in range(count):
            self.number += 1
            await self.log.record(event(self.number, self.clock, findings))
            self.clock.turn(20)
        await self.log.publish_head()
        await self.log.idle()

    def blob(self, name):
        return self.account.containers["audit"][name]

    async def alerts(self):
        rows = self.stores.table("alerts").query("chain_break")
        return [row.values["ref"] async for row in rows]


@pytest.fixture
def house(stores, account, clock):
    return House(stores, account, clock)


async def test_watch_notes_how_far_the_whole_log_holds(house):
    await house.write(10)
    found = await house.watch.run()
    assert (found.result, found.up_to, found.full_up_to, found.by) == ("whole", 13, 13, "timer")
    assert found == await house.watch.read()
    await house.write(4)
    house.clock.turn(900)
    later = await house.watch.run()
    assert (later.up_to, later.time) == (18, house.clock())
    assert await house.alerts() == []


async def test_watch_tells_of_a_break_once_and_says_where(house):
    await house.write(10)
    await house.watch.run()
    blob = house.blob("chain/00000001.jsonl")
    blob.data = bytearray(bytes(blob.data).replace(b'"seconds":1.5', b'"seconds":2.5', 1))
    for _ in range(2):
        found = await house.watch.run()
        assert (found.result, found.seq, found.kind) == ("broken", 1, "edit")
    assert await house.alerts() == ["record 1: edit"]
    assert (await house.watch.read()).full_up_to == 13


async def test_watch_sees_that_verified_records_were_cut_off(house):
    await house.write(10)
    await house.watch.run()
    for name in sorted(house.account.containers["audit"]):
        if name > "chain/00000002" and name.startswith("chain/"):
            del house.account.containers["audit"][name]
    for name in [n for n in house.account.containers["audit"] if n.startswith("heads/")]:
        del house.account.containers["audit"][name]
    found = await house.watch.run()
    assert (found.result, found.kind) == ("broken", "truncation")


async def test_watch_reads_an_old_part_again_by_and_by(house, monkeypatch):
    monkeypatch.setattr("shared.storage.audit_reader.PIECE", 1500)
    house.watch = replace(house.watch, budget=3000)
    await house.write(12)
    first = await house.watch.run()
    assert (first.up_to, first.full_time) == (15, None)
    for _ in range(10):
        found = await house.watch.run()
        if found.full_time:
            break
    assert (found.full_up_to, found.full_time) == (15, house.clock())
    blob = house.blob("chain/00000001.jsonl")
    blob.data = bytearray(bytes(blob.data).replace(b'"seconds":1.5', b'"seconds":2.5', 1))
    found = await house.watch.run()
    assert (found.result, found.seq) == ("broken", 1)


async def test_watch_comes_to_the_end_of_a_long_log_in_several_runs(house, monkeypatch):
    monkeypatch.setattr("shared.storage.audit_reader.PIECE", 1500)
    house.watch = replace(house.watch, budget=500)
    await house.write(20)
    reached = []
    for _ in range(40):
        found = await house.watch.run()
        assert found.result == "whole"
        reached.append(found.up_to)
        if found.full_time:
            break
    assert reached == sorted(reached)
    assert (len(set(reached)) > 2, found.up_to) == (True, 26)


async def test_watch_still_knows_the_key_of_before_a_rotation(house):
    await house.write(3)
    house.signed_by(NEW, OLD)
    await house.write(3)
    assert (await house.watch.run()).result == "whole"
    house.signed_by(NEW)
    house.account.tables["auditevents"].pop(("chain", "verified"))
    found = await house.watch.run()
    assert (found.result, found.kind) == ("broken", "fork")


async def test_head_that_cannot_be_read_is_a_break(house):
    await house.write(3)
    name = next(n for n in house.account.containers["audit"] if n.startswith("heads/"))
    house.blob(name).data = bytearray(b"{}")
    found = await house.watch.run()
    assert (found.result, found.kind, found.words) == ("broken", "fork", "a head cannot be read")
    assert len(await house.alerts()) == 1


async def test_event_kept_aside_is_compared_with_its_digest(house):
    finding = Finding("my_number", "x" * 200, 0, 12, 1.0, Level.HIGH, "1*", "k:" + "0" * 64)
    await house.write(1)
    await house.write(1, (finding,) * 200)
    await house.write(1)
    assert (await house.watch.run()).result == "whole"
    name = next(n for n in house.account.containers["audit"] if n.startswith("events/"))
    house.blob(name).data[5] ^= 1
    found = await house.watch.run()
    assert (found.kind, found.seq) == ("edit", 2)
    del house.account.containers["audit"][name]
    found = await house.watch.run()
    assert (found.kind, found.seq) == ("delete", 2)


async def test_outcome_of_a_command_is_noted(house):
    await house.write(3)
    checked = await house.reader.check(verifier=house.watch.verifier)
    found = await house.watch.note(checked, "command", full=True)
    assert (found.by, found.result, found.full_up_to) == ("command", "whole", 3)
    assert (await house.watch.run()).up_to == 3


async def test_folder_gives_what_the_container_holds(house, tmp_path):
    await house.write(10)
    for name, held in house.account.containers["audit"].items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(held.data))
    here = AuditReader(Folder(tmp_path))
    assert [each async for each in here.blobs.names("chain/")] == [
        each async for each in house.reader.blobs.names("chain/")
    ]
    checked = await here.check(verifier=house.watch.verifier)
    assert checked == await house.reader.check(verifier=house.watch.verifier)
    assert await here.expected() == 13
    assert await here.blobs.read_range("../outside", 0) == b""
