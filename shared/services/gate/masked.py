"""The masked copy, for a phone: made of what is delivered, and read back before it goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from shared.errors import PermanentError
from shared.model import Content, Decision, Extraction, Finding, GapCode, Segment
from shared.sandbox.tasks import Done
from shared.sanitize import with_note

OBLIGATION = "masked_copy"
"""A rule that asks for this obligation gets one."""
SUFFIX = "（一部を伏せた写し）"
_NOTE = (
    "――――――――――\r\n"
    "【関所】これは、保護する情報を伏せた（●）写しです。原本は庁内で保管しています。\r\n"
    "原本が必要なときは、情報システム担当に申し出てください。\r\n"
    "\r\n"
    "This is a copy with protected information covered (●). The original waits inside;\r\n"
    "ask your information systems desk if you need it.\r\n"
)


@dataclass(frozen=True, slots=True)
class Masking:
    """Values are looked up anew in memory: a finding does not hold them, and nothing else may."""

    mask: Callable[[Content, tuple[str, ...]], Awaitable[Done]]
    extract: Callable[[Content], Awaitable[Extraction]]
    detect: Callable[[Sequence[Segment]], tuple[Finding, ...]]

    async def copy(self, content: Content, decision: Decision, *, mail: bool) -> Content | None:
        """The masked copy; None where it cannot be made, or where reading it back finds a value.

        What could not be read cannot be covered: an item with gaps has no masked copy.
        """
        if decision.gaps:
            return None
        wanted = {finding.fingerprint for finding in decision.findings}
        before = await self.extract(content)
        found = [each for each in self.detect(before.segments) if each.fingerprint in wanted]
        values = tuple(dict.fromkeys(_texts(before.segments, found)))
        done = await self.mask(content, values)
        if done.content is None:
            return None
        after = await self.extract(done.content)
        left = {each.fingerprint for each in self.detect(after.segments)} & wanted
        unread = {gap.code for gap in after.gaps} - {GapCode.IMAGE_ONLY}  # pages are pictures now
        if left or unread:
            return None
        return _told(done.content, mail=mail)


def _texts(segments: Sequence[Segment], findings: Sequence[Finding]) -> Iterator[str]:
    """The texts that the findings speak of; two places of one name give both texts."""
    for finding in findings:
        for segment in segments:
            here = finding.location in {segment.location, segment.where(finding.start)}
            if here and finding.end <= len(segment.text):
                yield segment.text[finding.start : finding.end]


def _told(content: Content, *, mail: bool) -> Content:
    """With the note that the original waits inside: in a mail, or in a file's name."""
    if mail:
        try:
            return replace(content, data=with_note(content.data, _NOTE))
        except Exception:  # noqa: BLE001 - the core's own errors; a mail without note is none of ours
            message = "a masked mail takes no note"
            raise PermanentError(message) from None
    stem, dot, extension = content.name.rpartition(".")
    return replace(
        content, name=f"{stem or extension}{SUFFIX}{dot if stem else ''}{extension if stem else ''}"
    )
