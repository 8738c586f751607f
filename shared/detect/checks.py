"""Check digits of Japanese identifiers, by name; each takes the ASCII digits of a whole number.

Weighted sums over many numbers at once go through NumPy (``passes``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

_VECTOR_FROM = 24
_MY_NUMBER = (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
_ASCII_MY_NUMBER = 48 * sum(_MY_NUMBER)
_ASCII_LICENCE = 48 * 41
"""What the ASCII codes add to the weighted sums (digits are taken as they come)."""
_OFFICES = frozenset(
    b"%d" % code
    for code in (
        *range(10, 15), *range(20, 26), 30, *range(40, 50), *range(50, 56), *range(60, 66),
        *range(70, 75), *range(80, 84), *range(90, 98),
    )
)  # fmt: skip


def my_number(digits: bytes) -> bool:
    """個人番号, 12 digits: 平成26年総務省令第85号 第5条 (weights 6…2 and 7…2, modulus 11)."""
    a, b, c, d, e, f, g, h, i, j, k, last = digits
    rest = (
        6 * (a + g)
        + 5 * (b + h)
        + 4 * (c + i)
        + 3 * (d + j)
        + 2 * (e + k)
        + 7 * f
        - _ASCII_MY_NUMBER
    ) % 11
    return (0 if rest <= 1 else 11 - rest) == last - 48


def corporate_number(digits: bytes) -> bool:
    """法人番号, 13 digits: 平成26年財務省令第70号 第2条 (the first digit, modulus 9)."""
    total = sum((d - 48) * (2 if i & 1 else 1) for i, d in enumerate(reversed(digits[1:])))
    return 9 - total % 9 == digits[0] - 48


def luhn(digits: bytes) -> bool:
    """ISO/IEC 7812-1 annex B; also 保険者番号 and 公費負担者番号 (modulus 10, weights 2 and 1)."""
    total = 0
    for i, d in enumerate(reversed(digits)):
        value = (d - 48) << (i & 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - the sum of two decimal digits
    return total % 10 == 0


def drivers_licence(digits: bytes) -> bool:
    """運転免許証, 12 digits: the office's prefix, and the 11th digit (modulus 11)."""
    a, b, c, d, e, f, g, h, i, j, check, _ = digits
    if digits[:2] not in _OFFICES:
        return False
    rest = (
        5 * (a + g) + 4 * (b + h) + 3 * (c + i) + 2 * (d + j) + 7 * e + 6 * f - _ASCII_LICENCE
    ) % 11
    return (11 - rest) % 11 % 10 == check - 48


def parcel(digits: bytes) -> bool:
    """A parcel's number (7DR, Yamato and others): the last digit is the rest modulo 7."""
    return int(digits[:-1]) % 7 == digits[-1] - 48


def ean(digits: bytes) -> bool:
    """JAN/EAN-8 and -13, ISBN-13 (GS1: modulus 10, weights 3 and 1)."""
    body = sum((d - 48) * (1 if i & 1 else 3) for i, d in enumerate(reversed(digits[:-1])))
    return (10 - body % 10) % 10 == digits[-1] - 48


def local_government(digits: bytes) -> bool:
    """全国地方公共団体コード, 6 digits (weights 6,5,4,3,2, modulus 11)."""
    total = sum(w * (d - 48) for w, d in zip((6, 5, 4, 3, 2), digits, strict=False))
    return (11 - total % 11) % 10 == digits[5] - 48


def mrz(field: bytes) -> int:
    """The check digit of a machine readable field (ICAO Doc 9303-3: 7, 3, 1, modulus 10)."""
    return sum(_mrz_value(c) * (7, 3, 1)[i % 3] for i, c in enumerate(field)) % 10


def _mrz_value(code: int) -> int:
    if code == ord("<"):
        return 0
    return code - 48 if code <= ord("9") else code - 55


type Check = Callable[[bytes], bool]
CHECKS: Final[Mapping[str, Check]] = {
    "my_number": my_number,
    "corporate_number": corporate_number,
    "luhn": luhn,
    "drivers_licence": drivers_licence,
    "parcel": parcel,
    "ean": ean,
    "local_government": local_government,
}


def passes(name: str, numbers: Sequence[bytes]) -> list[bool]:
    """``CHECKS[name]`` of each; all ``my_number`` values must have 12 digits."""
    if name == "my_number" and len(numbers) >= _VECTOR_FROM:
        return _my_numbers(numbers)
    check = CHECKS[name]
    return [check(number) for number in numbers]


def _my_numbers(numbers: Sequence[bytes]) -> list[bool]:
    import numpy as np  # noqa: PLC0415 - loaded with the first engine only

    digits = np.frombuffer(b"".join(numbers), dtype=np.uint8).reshape(-1, 12).astype(np.int32) - 48
    rest = digits[:, :11] @ np.array(_MY_NUMBER, dtype=np.int32) % 11
    expected = np.where(rest <= 1, 0, 11 - rest)
    passed: list[bool] = (expected == digits[:, 11]).tolist()
    return passed
