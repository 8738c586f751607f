"""Documents agree with the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.docs import PAGES

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", PAGES)
def test_generated_page_is_up_to_date(name):
    assert (ROOT / name).read_text(encoding="utf-8") == PAGES[name](), "run: python -m local.docs"
