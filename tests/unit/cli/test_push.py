"""``sekisho push`` as a person sees it."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from local.memory import Account, MemoryStores
from shared.cli import pushing, run
from tests.unit.services.conftest import UPN, Clock


@pytest.fixture
def account(monkeypatch):
    made = Account(Clock())

    @asynccontextmanager
    async def stores(name):
        assert name == "SEKISHO_WORK"
        yield MemoryStores(made)

    monkeypatch.setattr(pushing.stores, "stores", stores)
    return made


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "共有"
    made.mkdir()
    (made / "申請.txt").write_text("申請", encoding="utf-8")
    return made


def test_push_says_what_it_sent_and_sends_nothing_twice(account, folder, tmp_path, capsys):
    command = ["push", str(folder), "--to", UPN, "--state", str(tmp_path / "s.jsonl")]
    assert run(command) == 0
    assert "送信 pushed: 1" in capsys.readouterr().out
    assert run(command) == 0
    assert "変更なし unchanged: 1" in capsys.readouterr().out
    assert len(account.containers["landing"]) == 1


def test_push_names_what_it_left_and_exits_1(account, folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("shared.services.gate.pushing.LARGEST", 1)
    command = ["push", str(folder), "--to", UPN, "--state", str(tmp_path / "s.jsonl")]
    assert run(command) == 1
    assert "大きすぎる too large: 申請.txt" in capsys.readouterr().err
    assert not account.containers.get("landing")


def test_push_for_nobody_is_refused(account, folder, tmp_path):
    command = ["push", str(folder), "--to", "nobody", "--state", str(tmp_path / "s.jsonl")]
    assert run(command) != 0
    assert not account.containers.get("landing")
