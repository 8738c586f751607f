"""Fingerprints of registered documents: a filled-in form is known as that form.

Winnowing (Schleimer, Wilkerson, Aiken, SIGMOD 2003): of the hashes of all 5-grams the least in
each window of 16 is kept, so that any 20 characters in common are noticed wherever they stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

GRAM, WINDOW = 5, 16
_PRIME = np.uint64(0x9E3779B97F4A7C15)
_SKIPPED = frozenset(" \t\r\n\u3000\u200b\ufeff_＿・.…-ー―")


def winnow(text: str, key: bytes) -> frozenset[int]:
    """The keyed 64-bit hashes that stand for a text; spaces, rules and dots do not count."""
    kept = "".join(character for character in text if character not in _SKIPPED)
    if len(kept) < GRAM:
        return frozenset()
    points = np.frombuffer(kept.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    hashes = _grams(points.astype(np.uint64), key)
    if len(hashes) <= WINDOW:
        return frozenset([int(hashes.min())])
    windows = np.lib.stride_tricks.sliding_window_view(hashes, WINDOW)
    return frozenset(np.unique(windows.min(axis=1)).tolist())


def _grams(points: NDArray[np.uint64], key: bytes) -> NDArray[np.uint64]:
    seed = np.uint64(
        int.from_bytes(blake2b(b"winnow", digest_size=8, key=key[:64]).digest(), "little")
    )
    count = len(points) - GRAM + 1
    hashes = np.full(count, seed, dtype=np.uint64)
    for at in range(GRAM):
        hashes = (hashes ^ points[at : at + count]) * _PRIME
        hashes ^= hashes >> np.uint64(29)
    return hashes


@dataclass(frozen=True, slots=True)
class Form:
    """A registered document: its name and its hashes."""

    name: str
    hashes: frozenset[int]


def known(
    text: str, forms: Mapping[str, frozenset[int]], key: bytes, *, least: float = 0.6
) -> tuple[tuple[str, float], ...]:
    """(name, share of the form that is in the text) of the forms seen, the fullest first.

    A filled-in form still has its printed text, so the share is of the *form's* hashes.
    """
    found = winnow(text, key)
    shares = ((name, len(hashes & found) / len(hashes)) for name, hashes in forms.items() if hashes)
    return tuple(sorted((s for s in shares if s[1] >= least), key=lambda s: (-s[1], s[0])))
