"""無害化: bytes to clean bytes with a lineage, or held by name; pure; one format a file.

The one call of this room::

    sanitise(content, tools=Tools(sniff, extract, decode), clock=monotonic) -> Sanitised

``Sanitised.content`` is the clean item, or None: then ``gaps`` name what could not be sanitised,
and the item is to be held, never passed. ``Sanitised.lineage`` says what was removed and why, and
whether the visible words are still there. The call never raises for what the bytes hold, and
sanitising its result changes nothing more.

This room imports nothing of ``shared.extract`` (the two are siblings); the shell wires them::

    Tools(sniff=shared.extract.sniff.sniff, extract=…, decode=shared.extract.charset.decode)

It needs a limited process as much as reading does: hostile bytes reach libxml2, qpdf and libjpeg.
"""

from __future__ import annotations

from shared.sanitize.mailnote import sanitised_note, with_note
from shared.sanitize.mask import Masked, mask
from shared.sanitize.run import Sanitised, sanitise
from shared.sanitize.unlock import Opened, unlock
from shared.sanitize.values import (
    Budget,
    Limits,
    Lineage,
    Links,
    Options,
    PartHash,
    Parts,
    Removal,
    Tools,
)
from shared.sanitize.words import WORDS, Word

__all__ = [
    "WORDS",
    "Budget",
    "Limits",
    "Lineage",
    "Links",
    "Masked",
    "Opened",
    "Options",
    "PartHash",
    "Parts",
    "Removal",
    "Sanitised",
    "Tools",
    "Word",
    "mask",
    "sanitise",
    "sanitised_note",
    "unlock",
    "with_note",
]
