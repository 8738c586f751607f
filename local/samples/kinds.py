"""What a sample is."""

from __future__ import annotations

from dataclasses import dataclass, field

MAIL = "mail"
DRIVE = "drive"
GATE = "gate"


@dataclass(frozen=True, slots=True)
class Sample:
    """One item of the day.

    ``name`` is an opaque id, never shown to the product. ``data`` is MIME where ``file_name`` ends
    in ``.eml``, a document otherwise. ``link`` is the scope of a sharing link on a drive's file
    (``anonymous``, ``organization`` or none).
    """

    name: str
    source: str
    title: str
    file_name: str
    data: bytes = field(repr=False)
    link: str = ""

    @property
    def is_mail(self) -> bool:
        """Whether ``data`` is a MIME message."""
        return self.file_name.endswith(".eml")
