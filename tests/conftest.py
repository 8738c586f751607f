"""Shared fixtures: a real Azurite a session."""

from __future__ import annotations

import pytest

from local.azurite import Azurite


@pytest.fixture(scope="session")
def azurite(tmp_path_factory):
    """One Azurite for the session; tests keep apart by container, queue and table names."""
    with Azurite(tmp_path_factory.mktemp("azurite")) as running:
        yield running
