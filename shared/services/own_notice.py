"""A notice of ours among the mails: a header under our HMAC, and the label that it gets.

Whoever got a notice can copy its header: onto a mail that nobody is told of, and that is judged,
stopped and recorded like every other. So a notice that is itself found to hold something makes no
notice of a notice, for ever.
"""

from __future__ import annotations

from shared.services.marker import Markers, Verdict

HEADER = "X-Sekisho-Notice"
LABEL = "sekisho_notice"
"""Among the labels of a mail's context."""

_PLACE, _DISPOSITION, _HEAD = "notice", "NOTICE", 65_536


def mark(markers: Markers) -> str:
    """What the header says."""
    return markers.verdict(_PLACE, "", "", _DISPOSITION).marker


def is_notice(data: bytes, markers: Markers) -> bool:
    """Whether a mail says, under our HMAC, that it is a notice."""
    head = data[:_HEAD].replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    for line in head.split(b"\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == HEADER.lower().encode():
            said = value.strip().decode("ascii", errors="replace")
            return markers.genuine(Verdict(_DISPOSITION, "", said), _PLACE, "")
    return False
