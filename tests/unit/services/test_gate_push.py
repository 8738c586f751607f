"""Pushing a folder: names and times as they were, each file once, whatever is killed or torn."""

from __future__ import annotations

import os
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.memory import Crash, MemoryStores
from shared.services.gate import pushing
from shared.services.gate.pushing import Journal, Push, State, files_of, settled
from tests.unit.services.gate_parts import Whole

MODIFIED = 1_700_000_000


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "共有"
    (made / "受付").mkdir(parents=True)
    for name, data in (("受付/申請書.txt", "申請"), ("名簿.csv", "名前,課\n"), ("空.txt", "")):
        (made / name).write_text(data, encoding="utf-8")
        os.utime(made / name, (MODIFIED, MODIFIED))
    return made


@pytest.fixture
def push(rig, tmp_path):
    return make(rig, tmp_path)


def make(rig, tmp_path, stores=None, **given):
    stores = stores or rig.stores
    return Push(
        stores.blobs("landing"),
        stores.blobs("envelopes"),
        Journal(tmp_path / "state.jsonl"),
        rig.clock,
        rig.UPN,
        **given,
    )


async def every(push, folder):
    return {each.path: await push.file(each) for each in files_of(folder)}


async def test_folder_arrives_in_onedrive_with_names_folders_and_times(rig, push, folder):
    assert set((await every(push, folder)).values()) == {State.PUSHED}
    whole = Whole(rig)
    assert {each.action for each in await whole.scan_landed()} == {"deliver"}
    assert whole.files().keys() == {"申請書.txt", "名簿.csv", "空.txt"}
    drive = rig.user.drive
    (form,) = [each for each in drive.items.values() if each.name == "申請書.txt"]
    assert drive.path(form).endswith("/受付")
    told = f"{datetime.fromtimestamp(MODIFIED, UTC):%Y-%m-%dT%H:%M:%SZ}"
    assert form.own_times["lastModifiedDateTime"] == told


async def test_second_push_sends_nothing_and_a_changed_file_alone(rig, push, folder, tmp_path):
    await every(push, folder)
    assert set((await every(push, folder)).values()) == {State.KNOWN}
    (folder / "名簿.csv").write_text("名前,課,係\n", encoding="utf-8")
    again = await every(make(rig, tmp_path), folder)
    assert again.pop("名簿.csv") is State.PUSHED
    assert set(again.values()) == {State.KNOWN}


async def test_lost_state_file_sends_nothing_twice(rig, push, folder, tmp_path):
    await every(push, folder)
    (tmp_path / "state.jsonl").unlink()
    assert set((await every(make(rig, tmp_path), folder)).values()) == {State.THERE}
    whole = Whole(rig)
    await whole.scan_landed()
    (tmp_path / "state.jsonl").unlink()
    assert set((await every(make(rig, tmp_path), folder)).values()) == {State.THERE}
    assert await whole.scan_landed() == []
    assert len(whole.files()) == 3


async def test_push_killed_at_any_operation_delivers_each_file_once(rig, folder, tmp_path):
    number, died = 0, True
    while died:
        died = False
        stores = MemoryStores(rig.account, dying(number))
        target = make(rig, tmp_path, stores, into=f"k{number}")
        try:
            await every(target, folder)
        except Crash:
            died = True
            await every(make(rig, tmp_path, into=f"k{number}"), folder)
        (tmp_path / "state.jsonl").unlink()
        number += 1
    assert number > 6
    whole = Whole(rig)
    await whole.scan_landed()
    drive = rig.user.drive
    forms = [drive.path(each) for each in drive.items.values() if each.name == "申請書.txt"]
    assert len(forms) == len(set(forms)) == number


def write(raw):
    Path(os.fsdecode(raw)).write_text("x")


def dying(number):
    left = [number + 1]

    async def hook(operation, moment):
        del operation
        left[0] -= moment == "after"
        if moment == "after" and left[0] == 0:
            raise Crash

    return hook


async def test_torn_state_file_is_read_as_far_as_it_goes(rig, push, folder, tmp_path):
    await every(push, folder)
    with (tmp_path / "state.jsonl").open("ab") as out:
        out.write(b'\n{"path":"torn')
    assert set((await every(make(rig, tmp_path), folder)).values()) == {State.KNOWN}


async def test_composed_decomposed_and_old_names_stay_what_they_are(rig, tmp_path):
    folder = tmp_path / "古い"
    folder.mkdir()
    composed, decomposed = "がぎぐ.txt", unicodedata.normalize("NFD", "がぎぐ.txt")
    assert composed != decomposed
    for name in (composed, decomposed):
        (folder / name).write_text(name, encoding="utf-8")
    raw = os.fsencode(folder) + b"/" + "表計算ソ.txt".encode("cp932")
    write(raw)
    target = make(rig, tmp_path)
    assert set(await every(target, folder)) == {composed, decomposed, "表計算ソ.txt"}
    whole = Whole(rig)
    await whole.scan_landed()
    assert set(whole.files()) == {composed, decomposed, "表計算ソ.txt"}


async def test_links_lock_files_and_what_is_too_large_are_left_by_name(push, folder, monkeypatch):
    (folder / "~$名簿.xlsx").write_text("x")
    (folder / "Thumbs.db").write_text("x")
    (folder / "link.txt").symlink_to(folder / "名簿.csv")
    monkeypatch.setattr(pushing, "LARGEST", 8)
    states = await every(push, folder)
    assert states.keys() == {"受付/申請書.txt", "名簿.csv", "空.txt"}
    assert states["名簿.csv"] is State.TOO_LARGE


async def test_file_that_changes_while_it_is_read_waits(push, folder):
    (found,) = [each for each in files_of(folder) if each.path == "名簿.csv"]
    (folder / "名簿.csv").write_text("もっと長い中身\n", encoding="utf-8")
    assert await push.file(found) is State.CHANGING
    assert not settled({}, found)
    assert settled({str(found.file): found.stamp}, found)
