"""Names and addresses from faker with a fixed seed; nobody's."""

from __future__ import annotations

from dataclasses import dataclass

from faker import Faker

from local.samples.numbers import person

_SEED = 20261124


@dataclass(frozen=True, slots=True)
class Person:
    """A made-up resident with a made-up number."""

    name: str
    kana: str
    town: str
    number: str


def people(count: int) -> list[Person]:
    """The first ``count`` residents (at most twenty), always the same."""
    fake = Faker("ja_JP")
    fake.seed_instance(_SEED)
    return [
        Person(fake.name(), fake.kana_name(), fake.town(), person(index)) for index in range(count)
    ]
