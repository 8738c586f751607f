"""The numbers planted in the samples: fake stems, and the check digits that make them look real.

The rules are written here again from their sources, so that a mistake in the product's own is seen.
"""

from __future__ import annotations

# Stems that no one would be given: six digits that count up, then five that count down, and the
# other way round. (Plain counting or repeated digits would be as fake, but a detector rightly
# doubts those, and the samples are not about that.)
_UP, _DOWN = "0123456789" * 2, "9876543210" * 2
_PEOPLE = tuple(
    one[at : at + 6] + two[at : at + 5]
    for at in range(10)
    for one, two in ((_UP, _DOWN), (_DOWN, _UP))
)
_PARCEL = "24680246802"
_COMPANY = "111222333444"
_PHONES = ("075-000-1234", "090-0000-1111", "077-000-5678")


def my_number(stem: str) -> str:
    """Eleven digits and their check digit (行政手続個人番号法の総務省令85号5条)."""
    total = 0
    for place, digit in enumerate(reversed(stem), start=1):
        weight = place + 1 if place <= 6 else place - 5  # noqa: PLR2004 - the ordinance's Qn
        total += int(digit) * weight
    rest = total % 11
    return stem + str(0 if rest <= 1 else 11 - rest)


def corporate_number(stem: str) -> str:
    """Twelve digits and the check digit before them (法人番号の指定等に関する省令2条)."""
    total = 0
    for place, digit in enumerate(reversed(stem), start=1):
        total += int(digit) * (1 if place % 2 else 2)
    return str(9 - total % 9) + stem


def person(index: int) -> str:
    """The fake individual number of the index-th person, 12 digits."""
    return my_number(_PEOPLE[index])


def parcel() -> str:
    """A parcel's tracking number that happens to pass the individual number's check digit."""
    return my_number(_PARCEL)


def company() -> str:
    """The fake company's corporate number, 13 digits."""
    return corporate_number(_COMPANY)


def phone(index: int) -> str:
    """A phone number of a block that is not given to anyone."""
    return _PHONES[index]


def numbers() -> tuple[str, ...]:
    """Every number planted in the samples, digits only: what must be found nowhere else."""
    people = [person(index) for index in range(len(_PEOPLE))]
    phones = [each.replace("-", "") for each in _PHONES]
    return (*people, parcel(), company(), *phones)


def wide(digits: str) -> str:
    """The same in full-width digits."""
    return "".join(chr(ord("０") + int(each)) for each in digits)


def grouped(digits: str, mark: str = "-") -> str:
    """Four by four, as printed on the card's notice."""
    return mark.join(digits[at : at + 4] for at in range(0, len(digits), 4))
