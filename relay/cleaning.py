"""無害化 inside the network: what people release from the spool, which never was in the cloud.

By the same code as at the gate, in a limited process of a judge's.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from relay.settings import Settings
from relay.spool import Letter
from shared.model import Content, Gap, GapCode
from shared.sandbox.treatments import Treatments
from shared.sanitize import Links, Options, Parts
from shared.services.gate.clean import CLEAN, HELD, SAME, WHERE, judged
from shared.services.senders import senders, within

OFF, MAIL, EXTERNAL = "off", "mail", "external"
MAIL_TYPE = "message/rfc822"


@dataclass(frozen=True, slots=True)
class Cleaned:
    """``state`` is the gate's: ``clean`` (``data`` differs), ``same``, ``held`` (``gaps``: why)."""

    state: str
    data: bytes = field(default=b"", repr=False)
    gaps: tuple[Gap, ...] = ()


CRASHED = Cleaned(HELD, gaps=(Gap(GapCode.CRASHED, WHERE),))


@dataclass(frozen=True, slots=True)
class Cleaner:
    """Which mails are sanitised, and how; ``inside`` are our own domains."""

    treatments: Treatments
    which: str
    inside: frozenset[str]
    options: Options

    @classmethod
    def of(cls, settings: Settings) -> Cleaner:
        """As the options say."""
        return cls(
            Treatments(mode=settings.isolation, processes=1),
            settings.sanitise,
            settings.inside_domains,
            Options(Links(settings.sanitise_links), Parts(settings.sanitise_parts)),
        )

    def wanted(self, letter: Letter, data: bytes) -> bool:
        """A mail from outside: the envelope, ``From`` or ``Sender`` say so (each can be forged)."""
        if self.which == EXTERNAL:
            return not within(senders(letter.sender, data), tuple(self.inside))
        return self.which == MAIL

    async def clean(self, letter: Letter, data: bytes) -> Cleaned:
        """Never raises for what the bytes hold."""
        if not self.wanted(letter, data):
            return Cleaned(SAME, data)
        given = Content(data, "", MAIL_TYPE)
        state, done = judged(given, await self.treatments.sanitise(given, self.options))
        if state == HELD or done.content is None:
            return Cleaned(HELD, gaps=done.gaps)
        return Cleaned(state, done.content.data, done.gaps if state == CLEAN else ())
