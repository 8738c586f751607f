from __future__ import annotations

import datetime as dt

import pytest

from local.host.errors import HostRefusedError
from local.host.schedule import Schedule
from local.host.timers import pause_before
from local.host.timespan import parse_timespan
from local.host.wire import Retry

START = dt.datetime(2026, 11, 24, 10, 0, 0, tzinfo=dt.UTC)  # a Tuesday


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*/15 * * * * *", "2026-11-24T10:00:15+00:00"),
        ("0 */5 * * * *", "2026-11-24T10:05:00+00:00"),
        ("*/5 * * * *", "2026-11-24T10:05:00+00:00"),  # five fields: no seconds
        ("0 0 9-17 * * MON-FRI", "2026-11-24T11:00:00+00:00"),
        ("0 0 0 13 * FRI", "2027-08-13T00:00:00+00:00"),  # both must hold, unlike in crontab(5)
        ("01:30:00", "2026-11-24T11:30:00+00:00"),
        ("1.00:00:00", "2026-11-25T10:00:00+00:00"),
    ],
)
def test_schedule_next_time(text, expected):
    assert Schedule.parse(text, where="t").after(START).isoformat() == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "* *", "* * * * * * *", "61 * * * * *", "@daily"),
        *("0 0 12 ? * *", "0 0 12 L * *", "0 0 12 * * MON#1", "0 0 12 1W * *"),
    ],
)
def test_schedule_that_is_not_ncrontab_is_refused(text):
    with pytest.raises(HostRefusedError, match="subject"):
        Schedule.parse(text, where="subject")


def test_schedule_of_months_and_days_by_name_is_ncrontab():
    following = Schedule.parse("0 0 0 * JUL WED", where="t").after(START)
    assert following.isoformat() == "2027-07-07T00:00:00+00:00"


@pytest.mark.parametrize(
    ("text", "frequent"), [("*/30 * * * * *", True), ("0 * * * * *", False), ("00:00:59", True)]
)
def test_schedule_under_a_minute_is_frequent(text, frequent):
    assert Schedule.parse(text, where="t").is_frequent(START) is frequent


@pytest.mark.parametrize(
    ("text", "seconds"), [("00:01:30", 90), ("1.02:00:00", 93600), ("00:00:00.5", 0.5)]
)
def test_timespan_seconds(text, seconds):
    assert parse_timespan(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "1:2", "-00:00:01", "00:00:01Z"])
def test_timespan_of_another_shape_is_refused(text):
    with pytest.raises(ValueError, match="time span"):
        parse_timespan(text)


def test_retry_pause_is_fixed_or_doubles_to_its_most():
    assert pause_before(Retry(3, delay=2.0), 3) == 2.0
    growing = Retry(-1, least=1.0, most=5.0)
    assert [pause_before(growing, attempt) for attempt in (1, 2, 3, 4, 99)] == [1, 2, 4, 5, 5]
