"""The reference page is what the rules say."""

from __future__ import annotations

from pathlib import Path

from shared.detect.reference import page

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "recognizers.md"


def test_reference_page_is_current():
    assert PAGE.read_text("utf-8") == page(), "make it again with the command in its first lines"
