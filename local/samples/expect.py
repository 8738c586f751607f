"""What must become of each sample: data, written down before anything was run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import yaml


@dataclass(frozen=True, slots=True)
class Expectation:
    """One line of ``expectations.yaml``.

    ``dispositions`` are those that are right (mostly one), ``state`` what is read back from the
    stand-in or the storage, ``entities`` and ``gaps`` what must be among the findings and gaps.
    """

    name: str
    dispositions: tuple[str, ...]
    state: str
    entities: tuple[str, ...]
    gaps: tuple[str, ...]
    ja: str
    en: str


@cache
def expectations() -> dict[str, Expectation]:
    """By sample name."""
    text = resources.files("local.samples").joinpath("expectations.yaml").read_text("utf-8")
    return {
        name: Expectation(
            name,
            tuple(body["disposition"].split(" | ")),
            body["state"],
            tuple(body.get("entities", ())),
            tuple(body.get("gaps", ())),
            body["ja"],
            body["en"],
        )
        for name, body in yaml.safe_load(text).items()
    }
