"""What in a mail's text may be the password of another: words, in the order of likelihood."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from shared.model import Segment

MOST = 48
_LENGTH = 20_000  # characters that are looked at
_LABEL = re.compile(
    r"(?:パスワード|ﾊﾟｽﾜｰﾄﾞ|暗証番号|解凍キー|解除キー|開封キー|パスコード|鍵|password|passwd|passcode"
    r"|pass\s*word|\bpass\b|\bpwd?\b)"
    # Looked ahead: a heading must not take in the label of the line that follows it.
    r"(?=[^\S\n]*(?:は|が|[:：=＝→]|is\b)?[^\S\n]*\n{0,3}[^\S\n]*(?P<rest>[^\n]{1,120}))",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[「『【\"'“<＜\[]([^「」『』【】\"'”<>＜＞\[\]\s]{4,64})[」』】\"'”>＞\]]")
_WORD = re.compile(r"[!-~]{4,64}")
_ENDS = "「」『』【】\"'“”<>()[]。、．，.,:;：；"


def candidates(segments: Sequence[Segment]) -> tuple[str, ...]:
    """At most MOST words that may be one: behind a label, in brackets, or looking like one."""
    text = "\n".join(each.text for each in segments)[:_LENGTH]
    found = dict.fromkeys(each for each in _all(text) if 4 <= len(each) <= 64)  # noqa: PLR2004 - a password's length
    return tuple(found)[:MOST]


def _all(text: str) -> Iterator[str]:
    folded = unicodedata.normalize("NFKC", text)
    for each in dict.fromkeys((text, folded)):
        for match in _LABEL.finditer(each):
            yield from _forms(match["rest"])
        yield from (match[1] for match in _QUOTED.finditer(each))
    lines = [line.strip() for line in folded.splitlines()]
    yield from (line for line in lines if _WORD.fullmatch(line))  # alone on its line
    for match in _WORD.finditer(folded):
        word = match[0].strip(_ENDS)
        if re.search(r"\d", word) and re.search(r"[A-Za-z]", word) and "@" not in word:
            yield word


def _forms(rest: str) -> Iterator[str]:
    """The rest of a labelled line: its first word with and without its marks, and all of it."""
    words = rest.strip().split()
    if not words:
        return
    quoted = _QUOTED.search(rest)
    if quoted:
        yield quoted[1]
    yield words[0]
    yield words[0].strip(_ENDS)
    yield re.sub(r"(?:です|になります|となります|でございます)。?$", "", words[0])
    yield re.sub(r"(?:です|になります|となります|でございます)。?$", "", words[0]).strip(_ENDS)
    yield rest.strip()
