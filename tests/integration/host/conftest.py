"""The sample app under the local host, and the storage beside it."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from tests.integration.host.host_bench import Bench


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(item.fspath).is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.integration)


@pytest.fixture
def bench(azurite, tmp_path):
    """A run of its own."""
    one = Bench(azurite.connection_string, tmp_path)
    with one.blobs, one.queues:
        yield one


@pytest.fixture(scope="session")
def shared_bench(azurite, tmp_path_factory):
    """A run shared by the tests that do not disturb each other."""
    one = Bench(azurite.connection_string, tmp_path_factory.mktemp("host"))
    with one.blobs, one.queues:
        yield one


@pytest.fixture(scope="session")
def host(shared_bench):
    """The sample app running, shared by the tests that leave it running."""
    with shared_bench.host() as running:
        yield running


@pytest.fixture
def app_folder(tmp_path):
    """Make an app folder: ``app_folder(source, host_json, local_settings)``."""

    def make(source, host_json=None, local=None):
        folder = tmp_path / f"app-{uuid.uuid4().hex[:6]}"
        folder.mkdir()
        (folder / "host.json").write_text(json.dumps(host_json or {"version": "2.0"}))
        (folder / "function_app.py").write_text(source)
        if local is not None:
            (folder / "local.settings.json").write_text(json.dumps(local))
        return folder

    return make
