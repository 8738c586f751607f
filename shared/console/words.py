"""The words of the pages, by key; Japanese first."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from pathlib import Path

from shared.storage.index_counts import JAPAN

LANGUAGES = ("ja", "en")
FOLDER = Path(__file__).parent / "locales"


@cache
def catalogue(language: str) -> dict[str, str]:
    """Every word of a language."""
    words: dict[str, str] = json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    return words


class Words:
    """One page's language."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else LANGUAGES[0]
        self._words = catalogue(self.language)

    @property
    def other(self) -> str:
        """The language that the toggle leads to."""
        return LANGUAGES[1 - LANGUAGES.index(self.language)]

    def __call__(self, key: str, **values: object) -> str:
        """The words of ``key`` (KeyError for one that does not exist), filled in."""
        return self._words[key].format(**values)

    def name(self, kind: str, value: object) -> str:
        """The word for a value that data brings, such as an entity; the value itself if new."""
        return self._words.get(f"{kind}.{value}", str(value))

    def result(self, step: str, value: str) -> str:
        """What became of a step of an action; a gap by its word, an id or a code as it is."""
        said, mark, more = value.partition(":")
        word = self._words.get(f"{'gap' if step == 'sanitise' else 'result'}.{said}")
        if word is None or not mark:
            return word or value
        return self("result.with", what=word, more=self.result(step, more.strip()))

    def age(self, moment: object, now: datetime) -> str:
        """How long ago, in the largest whole unit."""
        if not isinstance(moment, datetime):
            return "—"
        minutes = max(int((now - moment).total_seconds() // 60), 0)
        for unit, size in (("days", 1440), ("hours", 60), ("minutes", 1)):
            if minutes >= size or unit == "minutes":
                count = minutes // size
                return self(f"age.{unit}" if count != 1 else f"age.{unit}_one", count=count)
        raise AssertionError

    def time(self, moment: object) -> str:
        """A time as the office's clock shows it."""
        if not isinstance(moment, datetime):
            return "—"
        local = moment.astimezone(JAPAN)
        if self.language == "ja":
            return f"{local:%Y年%m月%d日 %H:%M}"
        return f"{local.day} {local:%b %Y, %H:%M} JST"
