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


def unread(code: str, what: tuple[str, str], error: Exception) -> Result:
    """A check that could not look: by the error's class, for its words may quote an item."""
    kind = type(error).__name__
    return Result(
        code,
        State.UNKNOWN,
        f"{what[0]}を読めません（{kind}）。",
        f"{what[1]} cannot be read ({kind})",
        "ストレージの結果を先に直し、この ID に読み取りを許可してください。",
        "Mend what storage shows first, and let this identity read it.",
    )
