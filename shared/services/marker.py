"""Sekisho's marker on an item: nobody else can write one, and it holds for one content only.

An HMAC over the item's place, the digest of its content, the policy, the disposition and a release
(DESIGN, law 5). A marker that verifies says "this very content was handled here"; any change of the
content, the policy or the item makes it worthless, so it cannot be copied to evade the scan.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.codec import decode, encode
from shared.errors import MalformedError

# One named property for all of Sekisho's marks on Outlook items.
_SET = "5a1c9a3e-7e0b-4c0e-9a61-6f0b5e3d2c71"
PROPERTY = f"String {{{_SET}}} Name SekishoVerdict"
NOTICE_PROPERTY = f"String {{{_SET}}} Name SekishoNotice"
_LONGEST = 2048


@dataclass(frozen=True, slots=True)
class Verdict:
    """What stands on an item: the disposition, the policy that gave it, and the marker."""

    disposition: str
    policy: str
    marker: str

    def text(self) -> str:
        """As JSON, for an extended property."""
        return encode(self).decode()

    @classmethod
    def read(cls, text: str) -> Verdict | None:
        """The verdict in a property, or None (anyone can write there)."""
        if not text or len(text) > _LONGEST:
            return None
        try:
            return decode(text, cls)
        except MalformedError:
            return None


@dataclass(frozen=True, slots=True)
class Markers:
    """Makes markers with the first key and accepts those of any (old keys, while they rotate)."""

    keys: Sequence[bytes] = field(repr=False)

    def verdict(
        self, place_key: str, content_digest: str, policy: str, disposition: str, release: str = ""
    ) -> Verdict:
        """The verdict to write on an item."""
        mac = _mac(self.keys[0], place_key, content_digest, policy, disposition, release)
        return Verdict(disposition, policy, f"v1.{release}.{mac}")

    def genuine(self, verdict: Verdict, place_key: str, content_digest: str) -> bool:
        """Whether we made this verdict for this item and content; compared in constant time."""
        version, _, rest = verdict.marker.partition(".")
        release, _, mac = rest.rpartition(".")
        found = False
        for key in self.keys:
            wanted = _mac(
                key, place_key, content_digest, verdict.policy, verdict.disposition, release
            )
            found |= hmac.compare_digest(wanted.encode(), mac.encode(errors="replace"))
        return found and version == "v1"


def release_of(verdict: Verdict) -> str:
    """The release that a marker names; empty for an ordinary one."""
    return verdict.marker.partition(".")[2].rpartition(".")[0]


def _mac(key: bytes, *parts: str) -> str:
    said = "".join(f"{len(part)}:{part}" for part in ("sekisho marker v1", *parts))
    mac = hmac.digest(key, said.encode(errors="surrogatepass"), "sha256")
    return base64.urlsafe_b64encode(mac).decode().rstrip("=")
