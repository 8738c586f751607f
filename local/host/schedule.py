"""NCRONTAB: six fields with seconds first, or five, or a time span; in UTC."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from croniter import croniter

from local.host.errors import HostRefusedError
from local.host.timespan import is_timespan, parse_timespan

_FIELDS = 6  # second minute hour day month weekday


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a timer fires (learn.microsoft.com/azure/azure-functions/functions-bindings-timer)."""

    text: str
    interval: float | None = None

    @classmethod
    def parse(cls, text: str, *, where: str) -> Schedule:
        """A checked schedule.

        Raises:
            HostRefusedError: not NCRONTAB (Quartz's ``? L W #`` are not, if croniter reads them).
        """
        if is_timespan(text):
            return cls(text, parse_timespan(text))
        fields = text.split()
        if len(fields) == _FIELDS - 1:
            fields = ["0", *fields]
        joined = " ".join(fields)
        if (
            len(fields) != _FIELDS
            or re.search(r"[?#@]|\b[LW]\b|\d[LW]", joined)
            or not croniter.is_valid(joined, second_at_beginning=True)
        ):
            message = f"{where}: {text!r} is neither NCRONTAB nor a time span"
            raise HostRefusedError(message)
        return cls(joined)

    def after(self, moment: dt.datetime) -> dt.datetime:
        """The first time strictly after the moment. Day of month and day of week must both hold."""
        if self.interval is not None:
            return moment + dt.timedelta(seconds=self.interval)
        following: dt.datetime = croniter(
            self.text, moment, second_at_beginning=True, day_or=False
        ).get_next(dt.datetime)
        return following

    def is_frequent(self, moment: dt.datetime) -> bool:
        """Under a minute apart: the platform does not remember such schedules."""
        first = self.after(moment)
        return self.after(first) - first < dt.timedelta(minutes=1)
