from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.codec import decode, encode
from shared.errors import (
    BusyError,
    LeaseLostError,
    MalformedError,
    RefusedError,
    ThrottledError,
    UnavailableError,
)
from shared.model import Envelope, Item
from shared.storage.alerts import Alerts
from shared.storage.dead_letters import DeadLetter, DeadLetters
from shared.storage.delivery import deliver, wait
from tests.unit.alerted import alerted


@pytest.fixture
def envelope(clock):
    return Envelope("item", clock(), Item("mail", "m", "box", "ck"), trace="t")


@pytest.fixture
def dead(stores, clock):
    alerts = Alerts(stores.table("alerts"), clock)
    return DeadLetters(stores.blobs("deadletters"), alerts, stores.queue, clock)


@pytest.fixture
def send(stores, dead, clock):
    async def go(raw, error=None, rng=0.5):
        seen = []

        async def work(envelope):
            seen.append(envelope)
            if error:
                raise error

        await deliver(
            raw, work, name="scan-items", queue=stores.queue("scan-items"), dead=dead,
            clock=clock, rng=lambda: rng,
        )  # fmt: skip
        return seen

    return go


def queued(stores):
    return [decode(m.body, Envelope) for m in stores.account.queues.get("scan-items", [])]


async def letters(dead):
    return [await dead.read(name) async for name in dead.names("scan-items")]


async def test_delivered_message_leaves_nothing_behind(send, envelope, stores, dead):
    assert await send(encode(envelope)) == [envelope]
    assert (queued(stores), await letters(dead)) == ([], [])


async def test_transient_failure_comes_back_later_as_the_same_envelope(
    send, envelope, stores, clock
):
    await send(encode(envelope), UnavailableError("x"))
    (again,) = queued(stores)
    assert again == replace(envelope, attempt=1, not_before=again.not_before)
    assert again.not_before == stores.account.queues["scan-items"][0].visible > clock()


async def test_message_that_woke_early_is_put_back_untouched(send, envelope, stores, clock):
    early = replace(envelope, attempt=3, not_before=clock() + timedelta(seconds=90))
    assert await send(encode(early)) == []
    assert queued(stores) == [early]
    assert stores.account.queues["scan-items"][0].visible == early.not_before


async def test_message_whose_time_has_come_is_worked(send, envelope, clock):
    ripe = replace(envelope, not_before=clock())
    assert await send(encode(ripe)) == [ripe]


@pytest.mark.parametrize("hours", [25, 24 * 30])
async def test_old_message_is_tried_once_then_kept(send, envelope, dead, clock, hours):
    clock.turn(hours * 3600)
    assert await send(encode(envelope)) == [envelope]
    assert await letters(dead) == []
    await send(encode(envelope), UnavailableError("x"))
    (letter,) = await letters(dead)
    assert letter.reason == "too old: UnavailableError"


async def test_permanent_failure_is_kept_with_an_alert(send, envelope, stores, dead):
    await send(encode(envelope), MalformedError("x"))
    (letter,) = await letters(dead)
    assert base64.b64decode(letter.raw) == encode(envelope)
    assert set(alerted(stores.account)) == {"dead_letter"}


async def test_refusal_is_a_security_alert(send, envelope, stores):
    await send(encode(envelope), RefusedError("x"))
    assert set(alerted(stores.account)) == {"refused"}


async def test_undecodable_message_is_kept_as_it_was(send, dead):
    assert await send(b"\xff not an envelope") == []
    (letter,) = await letters(dead)
    assert base64.b64decode(letter.raw) == b"\xff not an envelope"


async def test_unforeseen_failure_is_left_to_the_platform(send, envelope, stores, dead):
    with pytest.raises(ZeroDivisionError):
        await send(encode(envelope), ZeroDivisionError())
    assert (queued(stores), await letters(dead)) == ([], [])


async def test_dead_letter_is_kept_once_however_often(dead, envelope, stores, clock):
    first = await dead.bury("scan-items", encode(envelope))
    clock.turn(2 * 24 * 3600)
    assert await dead.bury("scan-items", encode(envelope)) == first
    assert first.startswith("scan-items/2026/11/24/")
    assert len(alerted(stores.account)) == 1


async def test_replay_starts_anew_and_gets_its_24_hours(send, dead, envelope, stores, clock):
    name = await dead.bury("scan-items", encode(replace(envelope, attempt=7)))
    clock.turn(8 * 24 * 3600)
    await dead.replay(name)
    (again,) = queued(stores)
    assert (again.attempt, again.first_seen, again.replayed) == (0, envelope.first_seen, clock())
    assert await letters(dead) == []
    stores.account.queues["scan-items"].clear()
    await send(encode(again), UnavailableError("x"))
    assert [each.attempt for each in queued(stores)] == [1]


async def test_hundred_dead_letters_survive_eight_days_and_replay_to_a_hundred(
    dead, envelope, stores, clock
):
    raws = [encode(replace(envelope, trace=str(n))) for n in range(99)] + [b"poison"]
    for raw in raws:
        await dead.bury("scan-items", raw)
    clock.turn(8 * 24 * 3600)
    for name in [name async for name in dead.names()]:
        await dead.replay(name)
    bodies = [m.body for m in stores.account.queues["scan-items"]]
    assert len(bodies) == 100
    assert b"poison" in bodies


async def test_dead_letter_holds_the_error_name_only(dead):
    name = await dead.bury("q", b"x", "MalformedError")
    letter = await dead.read(name)
    assert letter == DeadLetter("q", "MalformedError", letter.time, base64.b64encode(b"x").decode())


@pytest.mark.parametrize("error", [BusyError("x"), LeaseLostError("x")])
def test_wait_is_short_while_somebody_else_is_at_it(error):
    assert [wait(error, 20, lambda v=v: v) for v in (0.0, 0.5, 1.0)] == [2.0, 6.0, 10.0]


def test_wait_grows_exponentially_with_full_jitter_up_to_ten_minutes():
    error = UnavailableError("x")
    assert [wait(error, n, lambda: 1.0) for n in (0, 1, 2, 6, 7, 400)] == [5, 10, 20, 320, 600, 600]
    assert wait(error, 5, lambda: 0.5) == 80.0
    assert wait(error, 5, lambda: 0.0) == 1.0


def test_wait_never_undercuts_what_the_service_asked_for():
    assert wait(ThrottledError("x", retry_after=900.0), 0, lambda: 0.0) == 900.0
