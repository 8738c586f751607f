"""Shared fixtures: a real Azurite a session."""

from __future__ import annotations

import pytest

from local.azurite import Azurite


@pytest.fixture(scope="session")
def azurite(tmp_path_factory):
    """One Azurite for the session; tests keep apart by container, queue and table names."""
    with Azurite(tmp_path_factory.mktemp("azurite")) as running:
        yield running


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """What shares something dear stays in one process (``pytest -n 2 --dist loadgroup``).

    Tests of the one town that the session starts are a group, so are those of a folder; the long
    ones, which mostly wait, begin first.
    """
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    items.sort(key=lambda item: not item.nodeid.startswith("tests/e2e/"))


def _group(item):
    path = item.path.relative_to(item.config.rootpath)
    if "e2e" in path.parts:
        return "town" if "stack" in item.fixturenames else path.stem
    return "/".join(path.parts[:3]) if "unit" in path.parts else path.parts[1]
