"""Files: fetched with their sharing, tagged by column, stopped by tombstone; each step once."""

from __future__ import annotations

import pytest

from shared.errors import GoneError, SupersededError
from shared.model import Disposition, GapCode, OutcomeState
from shared.services import tombstone


def steps(outcome):
    return {each.name: each.result for each in outcome.steps}


async def test_fetch_gives_content_name_and_place(rig):
    item = await rig.file_item(rig.file("名簿.txt", "本文".encode()))
    fetched = await rig.drive().fetch(item)
    assert fetched.content.data == "本文".encode()
    assert fetched.content.name == "名簿.txt"
    assert fetched.context.place == "onedrive_private"
    assert fetched.etag == item.content_version


@pytest.mark.parametrize(
    ("scope", "people", "place"),
    [
        ("anonymous", (), "onedrive_anonymous"),
        ("organization", (), "onedrive_inside"),
        ("users", ("taro@city.example.jp",), "onedrive_inside"),
        ("users", ("partner@other.example.com",), "onedrive_guest"),
    ],
)
async def test_fetch_sees_who_can_reach_the_file(rig, scope, people, place):
    file = rig.file()
    before = await rig.file_item(file)
    rig.link(file, scope, people)
    item = await rig.file_item(file)
    assert item.context_hash != before.context_hash
    assert (await rig.drive().fetch(item)).context.place == place


async def test_fetch_sees_the_sharing_of_the_folder_above(rig):
    file = rig.file(folder="shared")
    rig.link(rig.user.drive.folder("shared"))
    fetched = await rig.drive().fetch(await rig.file_item(file))
    assert fetched.context.place == "onedrive_anonymous"


async def test_fetch_of_an_older_version_or_sharing_enqueues_the_current_one(rig):
    file = rig.file()
    item = await rig.file_item(file)
    rig.link(file)
    with pytest.raises(SupersededError):
        await rig.drive().fetch(item)
    rig.user.drive.write(file, b"newer")
    with pytest.raises(SupersededError):
        await rig.drive().fetch(item)
    queued = [each["item"] for each in rig.queued()]
    assert queued[0]["context_hash"] != item.context_hash
    assert queued[1]["content_version"] == file.ctag


async def test_fetch_of_a_large_file_is_a_gap_without_data(rig):
    item = await rig.file_item(rig.file(data=b"x" * 11))
    fetched = await rig.drive(limit=10).fetch(item)
    assert fetched.content.data == b""
    assert [gap.code for gap in fetched.gaps] == [GapCode.TOO_LARGE]


async def test_fetch_of_a_removed_file_is_gone(rig):
    file = rig.file()
    item = await rig.file_item(file)
    rig.user.drive.remove(file, permanently=True)
    with pytest.raises(GoneError):
        await rig.drive().fetch(item)


async def test_tag_without_the_column_is_not_enforceable(rig):
    item = await rig.file_item(rig.file())
    outcome = await rig.drive().apply(rig.claim(item, Disposition.TAG))
    assert outcome.state is OutcomeState.NOT_ENFORCEABLE
    assert "column" in steps(outcome)


async def test_tag_sets_the_column_and_reads_it_back(rig):
    rig.user.drive.columns.add("SekishoVerdict")
    file = rig.file()
    claim = rig.claim(await rig.file_item(file), Disposition.REVIEW)
    outcome = await rig.drive().apply(claim)
    assert outcome.state is OutcomeState.APPLIED
    assert file.fields == {"SekishoVerdict": "関所: 要確認"}
    changes = file.changes
    assert (await rig.drive().apply(claim)).state is OutcomeState.APPLIED
    assert file.changes == changes


async def test_block_closes_copies_replaces_and_purges(rig):
    file = rig.file("秘密.txt", b"first")
    rig.user.drive.write(file, b"second")
    rig.link(file)
    claim = rig.claim(await rig.file_item(file), Disposition.BLOCK)
    outcome = await rig.drive().apply(claim)
    assert outcome.state is OutcomeState.APPLIED
    assert file.permissions == []
    assert len(file.versions) == 1
    assert "個人番号" in file.data.decode()
    assert "秘密" not in file.name
    assert file.name.endswith(".txt")
    assert await rig.quarantine.read(outcome.evidence_ref) == b"second"
    assert steps(outcome)["older_versions"] == "read_back_gone"


async def test_block_names_inherited_sharing_as_not_removable(rig):
    file = rig.file(folder="shared")
    rig.link(rig.user.drive.folder("shared"))
    outcome = await rig.drive().apply(rig.claim(await rig.file_item(file), Disposition.BLOCK))
    assert steps(outcome)["inherited_grants"] == "not_removable:1"
    assert tombstone.marker(file.data)


async def test_tombstone_is_recognised_and_is_our_own_write(rig):
    file = rig.file()
    service = rig.drive()
    claim = rig.claim(await rig.file_item(file), Disposition.BLOCK)
    held = await rig.ledger.claim(claim.item, claim.first_seen)
    await rig.ledger.complete(held, await service.apply(claim))
    item = await rig.file_item(file)
    assert await rig.ledger.is_own_write(item)
    fetched = await service.fetch(item)
    assert service.recognises(rig.claim(item, Disposition.ALLOW), fetched, "any")


async def test_tombstone_shared_anew_loses_the_new_grant(rig):
    file = rig.file()
    service = rig.drive()
    await service.apply(rig.claim(await rig.file_item(file), Disposition.BLOCK))
    rig.link(file)
    item = await rig.file_item(file)
    assert not await rig.ledger.is_own_write(item)
    fetched = await service.fetch(item)
    claim = rig.claim(item, Disposition.ALLOW, context=fetched.context)
    assert not service.recognises(claim, fetched, "any")
    outcome = await service.apply(claim)
    assert (outcome.action, outcome.state) == ("revoke", OutcomeState.APPLIED)
    assert file.permissions == []


async def test_a_copied_or_edited_tombstone_is_not_recognised(rig):
    file = rig.file()
    service = rig.drive()
    await service.apply(rig.claim(await rig.file_item(file), Disposition.BLOCK))
    other = rig.file("other.txt", file.data)
    item = await rig.file_item(other)
    fetched = await service.fetch(item)
    assert fetched.marker
    assert not service.recognises(rig.claim(item, Disposition.ALLOW), fetched, "any")
    rig.user.drive.write(file, file.data.replace("どうすれば".encode(), "１２３".encode()))
    item = await rig.file_item(file)
    fetched = await service.fetch(item)
    assert not service.recognises(rig.claim(item, Disposition.ALLOW), fetched, "any")


async def test_block_of_a_newer_content_is_superseded_and_followed(rig):
    file = rig.file()
    claim = rig.claim(await rig.file_item(file), Disposition.BLOCK)
    rig.user.drive.write(file, b"a clean text")
    outcome = await rig.drive().apply(claim)
    assert outcome.state is OutcomeState.SUPERSEDED
    assert file.data == b"a clean text"
    assert len(rig.queued()) == 1


async def test_block_killed_at_any_call_ends_as_if_it_had_not(rig):
    """Every Graph call in turn is the last one that a process makes, before or after its effect."""
    number, finished = 0, False
    while not finished:
        for moment in ("before", "after"):
            file = rig.file(f"{number}{moment}.txt", b"one")
            rig.user.drive.write(file, b"two")
            rig.link(file)
            claim = rig.claim(await rig.file_item(file), Disposition.BLOCK)
            rig.graph.calls.clear()
            rig.graph.die_at = (number, moment)
            try:
                outcome = await rig.drive().apply(claim)
                finished = True
            except rig.Killed:
                rig.graph.die_at = None
                outcome = await rig.drive().apply(claim)
            rig.graph.die_at = None
            assert outcome.state is OutcomeState.APPLIED, (number, moment, outcome)
            assert tombstone.genuine(file.data, claim.item.place_key(), rig.markers)
            assert (len(file.versions), file.permissions) == (1, [])
            assert await rig.quarantine.read(outcome.evidence_ref) == b"two"
            assert tombstone.is_name(file.name)
            assert rig.queued() == []
            again = await rig.drive().apply(claim)
            assert again == outcome
        number += 1
    assert number > 10
