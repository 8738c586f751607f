"""``sanitise``: one item through its cleaner, and the comparison of its words before and after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from shared.model import Content, Gap, GapCode
from shared.sanitize import dispatch
from shared.sanitize.textdiff import lost_lines
from shared.sanitize.values import Budget, Limits, Lineage, Options, Tools
from shared.sanitize.work import HoldError, Part, Work


@dataclass(frozen=True, slots=True)
class Sanitised:
    """The clean item (None: held, and ``gaps`` say why), and where it comes from.

    With ``Parts.NOTE`` there can be content *and* gaps: notes stand in place of what is named.
    """

    content: Content | None
    lineage: Lineage
    gaps: tuple[Gap, ...] = ()


def sanitise(
    content: Content,
    *,
    tools: Tools,
    clock: Callable[[], float],
    options: Options | None = None,
    limits: Budget | None = None,
) -> Sanitised:
    """Take everything active out of an item, or hold it.

    Args:
        content: The item, with its name and declared type.
        tools: Sniffing, reading and decoding, wired by the shell.
        clock: Gives seconds (monotonic).
        options: What policy chooses.
        limits: The budget of the item and all that is nested in it.

    Returns:
        The clean item and its lineage; ``content`` is None where something cannot be sanitised.
        Never raises for what the bytes hold.
    """
    work = Work(
        tools=tools,
        options=options or Options(),
        limits=limits or Limits(),
        clock=clock,
        dispatch=dispatch.clean,
    )
    original = tools.digest(content.data)
    try:
        part = Part(content.data, content.name, content.media_type)
        _, clean = dispatch.clean(part, work)
    except HoldError as hold:
        gaps = (*(Gap(*held) for held in work.held), Gap(hold.code, hold.location))
        return Sanitised(None, _lineage(work, original, ""), gaps)
    result = Content(clean.data, clean.name, clean.media_type)
    lineage = _lineage(work, original, tools.digest(clean.data))
    if work.options.compare_text and tools.extract is not None:
        lineage = _compared(lineage, content, result, work)
    return Sanitised(result, lineage, tuple(Gap(*held) for held in work.held))


def _lineage(work: Work, original: str, clean: str) -> Lineage:
    return Lineage(original, clean, work.removals(), work.statements(), tuple(work.parts))


def _compared(lineage: Lineage, before: Content, after: Content, work: Work) -> Lineage:
    """With the comparison of words; unchanged bytes are not read."""
    if before.data == after.data:
        return replace(lineage, text_kept=True)
    read = work.tools.extract
    assert read is not None
    try:
        old, new = read(before), read(after)
    except Exception:  # noqa: BLE001 - a reader's failure is not this item's: the words are uncompared
        return lineage
    unread = {gap.code for gap in new.gaps} - {gap.code for gap in old.gaps}
    lost = max(lost_lines(old, new, work.unseen), len(unread - {GapCode.IMAGE_ONLY}))
    return replace(lineage, text_kept=lost == 0, text_lost=lost)
