"""A clock that tests turn, stores in memory, and items."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from local.memory import Account, MemoryStores

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now

    def turn(self, seconds):
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def account(clock):
    return Account(clock)


@pytest.fixture
def stores(account):
    return MemoryStores(account)
