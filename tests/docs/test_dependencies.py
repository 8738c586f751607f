"""Each dependency has its reason on the page."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8")


def listed(name):
    lines = (ROOT / name).read_text().splitlines()
    return [line.split("=")[0].strip() for line in lines if line and line[0] not in "#-"]


NAMES = [
    *listed("requirements.in"),
    *listed("requirements-dev.in"),
    *listed("requirements-relay.in"),
    *listed("requirements-trust.in"),
]


@pytest.mark.parametrize("package", NAMES)
def test_dependency_has_a_reason(package):
    assert package.lower().removeprefix("types-") in PAGE.lower()


def test_lock_files_are_hashed_and_name_no_host():
    for name in (
        "requirements.txt",
        "requirements-dev.txt",
        "requirements-relay.txt",
        "requirements-trust.txt",
        "package-lock.json",
    ):
        text = (ROOT / name).read_text()
        assert "sha256:" in text or "sha512-" in text
        assert "index-url" not in text
        assert "resolved" not in text
