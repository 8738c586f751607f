"""The golden set of Japanese mails: every charset and header damage that was met, made here.

Each case is a mail and what a person reads in it. Written by the standard library's codecs and by
``writers``, which share no code with the readers. ``subject``, ``body`` and ``names`` are what must
be read exactly; with ``either`` the recipients' programs disagree and any reading may carry it.
"""

from __future__ import annotations

from tests.unit.extract_mail.case import Case
from tests.unit.extract_mail.golden_bodies import labelled_bodies, mislabelled_bodies, odd_bodies
from tests.unit.extract_mail.golden_headers import file_names, subjects
from tests.unit.extract_mail.golden_structures import structures

GROUPS = {
    "Bodies under their right label": labelled_bodies,
    "Bodies under a wrong label or none": mislabelled_bodies,
    "Bodies in odd or damaged encodings": odd_bodies,
    "Subjects and other headers": subjects,
    "File names": file_names,
    "Structure": structures,
}


def cases() -> list[Case]:
    """All of them; the names are unique."""
    return [case for group in GROUPS.values() for case in group()]
