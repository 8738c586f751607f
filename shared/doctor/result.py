"""One check's answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How it stands."""

    OK = "ok"
    WARN = "warn"  # works, but not for long or not as one would wish
    FAIL = "fail"
    UNKNOWN = "unknown"  # cannot be told from here; the words say from where


@dataclass(frozen=True, slots=True)
class Result:
    """``code`` is stable, for scripts; ``ja`` and ``en`` what was found; the others what to do.

    No value of a setting and no name of an item is in any of them.
    """

    code: str
    state: State
    ja: str
    en: str
    do_ja: str = ""
    do_en: str = ""
