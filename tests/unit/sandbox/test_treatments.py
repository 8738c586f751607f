"""Tasks in a child: done with isolation, and held by name when the child comes to no end."""

from __future__ import annotations

import os
import signal

import pytest

from shared.model import Content, GapCode
from shared.sandbox import Confinement, runner
from shared.sandbox.treatments import Treatments
from shared.sanitize import Options

PAGE = Content("<p>文字</p><script>x</script>".encode(), "a.html", "text/html")


@pytest.fixture(scope="module", params=["fork", "pool", "inline"])
def treatments(request):
    made = Treatments(mode=request.param)
    yield made
    made.close()


async def test_item_is_sanitised_the_same_in_every_mode(treatments):
    done = await treatments.sanitise(PAGE, Options())
    assert b"script" not in done.content.data
    assert done.lineage.text_kept is True
    assert done.gaps == ()


async def test_passwords_and_values_reach_the_child(treatments):
    masked = await treatments.mask(Content(b"abc 123456", "a.txt"), ("123456",))
    assert masked.count == 1
    assert b"123456" not in masked.content.data
    opened = await treatments.unlock(Content(b"plain", "a.txt"), ("x",))
    assert (opened.content.data, opened.count) == (b"plain", 0)


@pytest.mark.parametrize(
    ("code", "gaps"),
    [
        ("os.kill(os.getpid(), 11)", {GapCode.CRASHED}),
        ("os._exit(0)", {GapCode.CRASHED}),
        ("time.sleep(60)", {GapCode.TIMED_OUT}),
        ("bytearray(2 << 30)", {GapCode.TOO_LARGE}),
    ],
)
async def test_child_without_an_end_is_a_gap_by_name(monkeypatch, code, gaps):
    plant = (
        "import os, time; from shared.sandbox import tasks;"
        f" tasks.perform = lambda task, clock: {code};"
    )
    monkeypatch.setattr(
        runner, "CODE", runner.CODE.replace(" from shared", f" {plant} from shared", 1)
    )
    made = Treatments(mode="fork", confinement=Confinement(cpu=2, wall=1.5, memory=1 << 30))
    done = await made.sanitise(PAGE, Options())
    assert done.content is None
    assert {gap.code for gap in done.gaps} <= gaps
    assert done.gaps
    made.close()


async def test_killed_server_is_replaced():
    made = Treatments(mode="fork")
    await made.sanitise(PAGE, Options())
    (before,) = made.pids()
    os.kill(before, signal.SIGKILL)
    (server,) = [each._process for each in made._runners if each.pid == before]
    server.wait(5)
    assert (await made.sanitise(PAGE, Options())).content is not None
    assert made.pids() != (before,)
    made.close()
