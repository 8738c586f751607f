"""The judges' own processes: the same answer as in the cloud; one that dies takes nothing along."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.samples.numbers import person
from relay.judging import Bench
from relay.settings import Settings
from relay.spool import INCOMING, Letter, new_id
from shared.errors import GoneError
from tests.integration.relay.parts import RelayProcess

HEAD = "From: a@x.example\r\nTo: b@city.example\r\nSubject: x\r\n\r\n"


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("judging")
    relay = RelayProcess(folder, "UseDevelopmentStorage=true", 9)
    return Settings.load(relay.config, {})


@pytest.fixture
async def bench(settings):
    made = Bench(settings)
    made._spool.prepare()
    yield made
    made.close()


def accept(bench, text):
    name = new_id()
    letter = Letter("a@x.example", ("b@city.example",), datetime.now(UTC))
    bench._spool.put(INCOMING, name, letter, (HEAD + text).encode())
    return name


def gone(pid):
    about = Path(f"/proc/{pid}/stat")
    return not about.exists() or about.read_text().split()[2] == "Z"


async def test_judges_decide_survive_a_kill_and_leave_nobody_behind(bench):
    """One test, because a judge takes seconds to start."""
    clean, bad = accept(bench, "会議の件です。\r\n"), accept(bench, f"個人番号 {person(2)}\r\n")
    allowed, judged = await bench.judge(INCOMING, clean)
    assert judged
    assert allowed.decision.disposition.name == "ALLOW"
    assert allowed.content_digest
    stopped, _ = await bench.judge(INCOMING, bad)
    assert stopped.decision.disposition.name == "BLOCK"
    assert stopped.context.place == "relay_spool"
    assert person(2) not in repr(stopped)
    (pid,) = bench._pool._processes
    os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(0.2)
    again, judged = await bench.judge(INCOMING, clean)
    assert (again, judged) == (allowed, True)
    with pytest.raises(GoneError):
        await bench.judge(INCOMING, "0" * 24)
    (pid,) = bench._pool._processes
    bench.close()
    for _ in range(100):
        if gone(pid):
            break
        await asyncio.sleep(0.1)
    else:
        pytest.fail("a judge was left behind")


async def test_mail_that_takes_every_process_along_is_unread(bench, monkeypatch):
    name = accept(bench, "x\r\n")

    def dying():
        pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
        pool.submit(os._exit, 1)
        return pool

    monkeypatch.setattr(bench, "_fresh", dying)
    bench._pool = dying()
    intent, judged = await bench.judge(INCOMING, name)
    assert not judged
    assert [gap.code.value for gap in intent.decision.gaps] == ["crashed"]
    assert intent.decision.disposition.name == "REVIEW"
