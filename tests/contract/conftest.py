"""The description of Graph that the contract tests hold traffic against."""

from __future__ import annotations

import os

import pytest

from tests.contract.validator import load, slice_path


@pytest.fixture(scope="session")
def contract():
    """Skips with its reason where the description is absent; in CI its absence is a failure."""
    path = slice_path()
    if not path.exists():
        message = f"no description of Graph at {path} (SEKISHO_GRAPH_SLICE names another place)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return load(path)
