"""The .NET ``TimeSpan`` texts of host.json and of timer schedules."""

from __future__ import annotations

import re

_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{1,2}):(\d{1,2}(?:\.\d{1,7})?)")


def is_timespan(text: str) -> bool:
    """Whether the text has the shape ``[d.]hh:mm:ss[.fff]``."""
    return _SPAN.fullmatch(text) is not None


def parse_timespan(text: str) -> float:
    """Seconds of ``[d.]hh:mm:ss[.fff]`` (learn.microsoft.com/dotnet/api/system.timespan.parse).

    Raises:
        ValueError: the text has another shape.
    """
    match = _SPAN.fullmatch(text)
    if match is None:
        message = f"{text!r} is not a time span of the form [d.]hh:mm:ss"
        raise ValueError(message)
    days, hours, minutes, seconds = match.groups()
    return int(days or 0) * 86400 + int(hours) * 3600 + int(minutes) * 60 + float(seconds)
