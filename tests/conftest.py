"""Shared fixtures: a real Azurite a session."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from local.azurite import Azurite

# A busy machine is no failure: how long an example takes is a bench's business.
settings.register_profile(
    "any machine",
    parent=settings.default,  # CI's own, or the one that was asked for
    deadline=None,
    suppress_health_check=[*settings.default.suppress_health_check, HealthCheck.too_slow],
)
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def azurite(tmp_path_factory):
    """One Azurite for the session; tests keep apart by container, queue and table names."""
    with Azurite(tmp_path_factory.mktemp("azurite")) as running:
        yield running


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """The long ones, which mostly wait, begin first."""
    items.sort(key=lambda item: not item.nodeid.startswith("tests/e2e/"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """What shares something dear stays in one process: a folder, or a file of those end to end."""
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - only with processes

    class Rooms(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            path = nodeid.partition("::")[0].split("/")
            return "/".join(path[:3]) if path[1] in {"unit", "e2e"} else path[1]

    return Rooms(config, log)
