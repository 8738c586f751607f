"""氏名 in running text: a family and a given name side by side, by SudachiPy's dictionary.

Labelled names are the rule file's business (``rules/person_name.yaml``). Here, windows of 160
characters around other evidence are looked at, never whole texts (2.5 MB/s): measured on 5,343
sentences, a pair of family and given name is a person in 87 of 100 cases, a bare family name in
43, so only pairs count.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from shared.detect.recognizer import Recognizer
from shared.detect.recognizers.sensitive_information import IDENTIFYING
from shared.detect.scene import Candidate, Draft, Scene, Tally
from shared.detect.shapes import Span
from shared.model import Level

_REACH = 80
_MOST_WINDOWS = 50
_NAME = ("名詞", "固有名詞", "人名")
_LOCAL = threading.local()


@cache
def _dictionary() -> Any:
    from sudachipy import Dictionary  # noqa: PLC0415 - 200 MB, only where names are asked for

    return Dictionary(dict="core")


def pairs(text: str) -> Iterator[Span]:
    """Where a family name is followed by a given name (a space between or none)."""
    tokenizer = getattr(_LOCAL, "tokenizer", None)
    if tokenizer is None:
        tokenizer = _LOCAL.tokenizer = _dictionary().tokenizer()
    family: Span | None = None
    for morpheme in tokenizer.tokenize(text):
        kind = morpheme.part_of_speech()
        if kind[:3] == _NAME and kind[3] == "姓":
            family = morpheme.begin(), morpheme.end()
        elif family and kind[:3] == _NAME and kind[3] == "名":
            yield family[0], morpheme.end()
            family = None
        elif morpheme.surface() not in {" ", "\u3000"}:
            family = None


class PersonName(Recognizer):
    """Names near other evidence; not run over texts that hold none."""

    entity = "person_name"

    def join(self, scene: Scene, drafts: Sequence[Draft]) -> list[Draft]:
        """One draft for each pair in the windows (50 at most) that no other draft covers."""
        taken = [(draft.candidate.start, draft.candidate.end) for draft in drafts]
        found: set[Span] = set()
        for low, high in _windows(scene, drafts):
            for start, end in pairs(scene.text[low:high]):
                span = low + start, low + end
                if not any(a < span[1] and span[0] < b for a, b in taken):
                    found.add(span)
        return [self._draft(scene, span) for span in sorted(found)]

    def _draft(self, scene: Scene, span: Span) -> Draft:
        tally = Tally(self.rule)
        tally.add("name_pair")
        value = "".join(scene.text[slice(*span)].split()).encode()
        candidate = Candidate("name_pair", *span, value)
        return Draft(candidate, self.entity, tally.score, tally.level(), tuple(tally.reasons))


def _windows(scene: Scene, drafts: Sequence[Draft]) -> Iterator[Span]:
    reached = count = 0
    for draft in drafts:
        if draft.entity not in IDENTIFYING or (draft.level or Level.LOW) < Level.MEDIUM:
            continue
        low = max(reached, draft.candidate.start - _REACH)
        high = min(len(scene.text), draft.candidate.end + _REACH)
        if low < high and count < _MOST_WINDOWS:
            count += 1
            reached = high
            yield low, high
