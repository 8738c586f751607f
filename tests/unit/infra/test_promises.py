"""Each promise of infra/ holds in every way of deploying it, and is broken by what weakens it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.unit.infra import promises
from tests.unit.infra.house import WAYS, as_it_is, changed

WEAKER = yaml.safe_load((Path(__file__).parent / "weaker.yaml").read_text(encoding="utf-8"))
CASES = [
    pytest.param(name, each["way"], each["file"], each["old"], each["new"], id=f"{name}-{index}")
    for name, cases in WEAKER.items()
    for index, each in enumerate(cases)
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("promise", WEAKER)
def test_infra_keeps_its_promise(promise, way):
    assert list(getattr(promises, promise)(as_it_is(way))) == []


@pytest.mark.parametrize(("promise", "way", "file", "old", "new"), CASES)
def test_infra_weakened_breaks_its_promise(promise, way, file, old, new):
    assert list(getattr(promises, promise)(changed(way, (file, old, new)))), (file, new)
