"""Obviously false My Numbers: the check digit computed over stems that begin 00000 or 99999."""

from __future__ import annotations


def my_number(stem: int) -> str:
    """Twelve digits: an 11-digit stem and its check digit (Ordinance No. 85 of 2014, article 5)."""
    digits = [int(d) for d in f"{stem:011d}"]
    total = sum(d * (n + 1 if n <= 6 else n - 5) for n, d in enumerate(reversed(digits), start=1))
    rest = total % 11
    return f"{stem:011d}{0 if rest <= 1 else 11 - rest}"
