"""The adaptive limit: it grows, is halved, and nobody asks while Graph wants to be left alone."""

from __future__ import annotations

import asyncio

import pytest

from shared.errors import ThrottledError
from shared.graph import calls
from shared.graph.pace import FIRST, MOST, PER_MAILBOX, Pace, service_of


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pace(clock):
    return Pace(clock)


async def most_at_once(pace, call, users):
    """How many of the calls were under way together."""
    running = most = 0

    async def one(user):
        nonlocal running, most
        async with pace.place(call, user):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.001)
            running -= 1

    await asyncio.gather(*(one(user) for user in users))
    return most


def test_every_call_counts_against_the_limits_of_its_service():
    found = {str(call): service_of(call) for call in calls.ALL}
    assert found["GET /users/{user}/messages/{message}"] == "outlook"
    assert found["GET /users/{user}/drive"] == "files"
    assert found["GET /users/{user}/chats/getAllMessages()"] == "teams"
    assert found["POST /subscriptions"] == "other"
    assert set(found.values()) == {"outlook", "files", "teams", "other"}


async def test_mailbox_has_four_places_whatever_its_spelling(pace):
    users = ["a@x.jp", "A@X.jp"] * 6
    assert await most_at_once(pace, calls.MESSAGE_GET, users) == PER_MAILBOX


async def test_service_has_as_many_places_as_its_limit(pace):
    many = [""] * 100
    assert await most_at_once(pace, calls.ITEM_GET, many) == int(FIRST)
    pace.heard(calls.ITEM_GET, "", 429, None)
    assert await most_at_once(pace, calls.ITEM_GET, many) == int(FIRST) // 2


async def test_limit_grows_by_one_a_round_and_is_halved_once_a_burst(pace, clock):
    for _ in range(int(FIRST) + 1):
        pace.heard(calls.ITEM_GET, "", 200, None)
    assert FIRST + 0.9 < pace.limits["files"].size < FIRST + 1.1
    for _ in range(10):
        pace.heard(calls.ITEM_GET, "", 503, 1.0)
    assert FIRST / 2 < pace.limits["files"].size < FIRST / 2 + 1
    for _ in range(20):
        clock.now += 2
        pace.heard(calls.ITEM_GET, "", 429, None)
    assert pace.limits["files"].size == 1
    for _ in range(10_000):
        pace.heard(calls.ITEM_GET, "", 200, None)
    assert pace.limits["files"].size == MOST


@pytest.mark.parametrize(("status", "wait"), [(500, 5.0), (503, None), (404, None), (412, None)])
async def test_other_failures_say_nothing_of_the_load(pace, status, wait):
    pace.heard(calls.ITEM_GET, "", status, wait)
    assert pace.limits["files"].size == FIRST
    async with pace.place(calls.ITEM_GET, ""):
        pass


async def test_throttled_mailbox_alone_is_left_alone(pace, clock):
    pace.heard(calls.MESSAGE_GET, "a@x.jp", 429, 30.0)
    with pytest.raises(ThrottledError) as error:
        async with pace.place(calls.FOLDERS, "A@x.jp"):
            pass
    assert error.value.retry_after == 30
    async with pace.place(calls.MESSAGE_GET, "b@x.jp"), pace.place(calls.ITEM_GET, ""):
        pass
    clock.now += 30
    async with pace.place(calls.MESSAGE_GET, "a@x.jp"):
        pass


async def test_throttled_service_is_left_alone_by_those_who_wait_too(pace):
    pace.limits.clear()
    entered = asyncio.Event()

    async def first():
        async with pace.place(calls.MESSAGE_GET, "a@x.jp"):
            entered.set()
            await asyncio.sleep(0.01)
            pace.heard(calls.MESSAGE_GET, "a@x.jp", 429, 30.0)

    async def late():
        await entered.wait()
        async with pace.place(calls.MESSAGE_GET, "a@x.jp"):
            pass

    done = await asyncio.gather(
        *(first() for _ in range(PER_MAILBOX)), late(), return_exceptions=True
    )
    assert isinstance(done[-1], ThrottledError)


async def test_place_of_who_gave_up_goes_to_the_next(pace):
    pace.heard(calls.ITEM_GET, "", 200, None)
    pace.limits["files"].size = 1.0
    order = []

    async def one(name, seconds):
        async with pace.place(calls.ITEM_GET, ""):
            order.append(name)
            await asyncio.sleep(seconds)

    held = asyncio.create_task(one("held", 0.01))
    await asyncio.sleep(0)
    quitter, patient = asyncio.create_task(one("quit", 0)), asyncio.create_task(one("last", 0))
    await asyncio.sleep(0)
    quitter.cancel()
    await asyncio.gather(held, quitter, patient, return_exceptions=True)
    assert order == ["held", "last"]
    assert pace.limits["files"].busy == 0
