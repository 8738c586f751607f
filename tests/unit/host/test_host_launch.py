from __future__ import annotations

import re
from pathlib import Path

import pytest

from local.host.__main__ import parse
from local.host.app import Host
from local.host.errors import HostRefusedError
from local.host.functions import OUTPUTS
from local.host.hostjson import HONOURED, IGNORED, HostJson
from local.host.launch import Options, _workers
from local.host.routes import CONSTRAINTS
from local.host.worker_channel import InProcessWorker, SubprocessWorker

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "local-host.md"


def test_command_line_becomes_options(tmp_path):
    options = parse([str(tmp_path), "--port", "0", "--enable-auth", "--blob-poll", "0.3"])
    assert options == Options(tmp_path, port=0, enable_auth=True, blob_poll=0.3)


@pytest.mark.parametrize(
    "arguments", [["--receive-visibility", "0"], ["--blob-poll", "0"], ["--worker", "x"], ["--no"]]
)
def test_command_line_that_makes_no_sense_exits_with_usage(tmp_path, arguments):
    with pytest.raises(SystemExit) as caught:
        parse([str(tmp_path), *arguments])
    assert caught.value.code == 2


@pytest.mark.parametrize(
    ("options", "settings", "kinds"),
    [
        ({}, {}, [SubprocessWorker]),
        ({}, {"FUNCTIONS_WORKER_PROCESS_COUNT": "2"}, [SubprocessWorker] * 2),
        ({"workers": 3}, {"FUNCTIONS_WORKER_PROCESS_COUNT": "2"}, [SubprocessWorker] * 3),
        ({"in_process": True}, {}, [InProcessWorker]),
    ],
)
def test_workers_are_as_many_as_was_said(tmp_path, options, settings, kinds):
    assert [type(each) for each in _workers(Options(tmp_path, **options), settings)] == kinds


@pytest.mark.parametrize("count", ["0", "11", "two", "-1"])
def test_number_of_workers_that_the_platform_does_not_take_is_refused(tmp_path, count):
    with pytest.raises(HostRefusedError, match="FUNCTIONS_WORKER_PROCESS_COUNT"):
        _workers(Options(tmp_path), {"FUNCTIONS_WORKER_PROCESS_COUNT": count})


async def test_host_whose_listener_breaks_is_broken(tmp_path):
    host = Host(Options(tmp_path), {}, HostJson(), [])

    async def breaks():
        message = "planted"
        raise ValueError(message)

    async def ends():
        pass

    task = host._spawn(ends())
    task.add_done_callback(host._listener_over)
    await task
    assert not host.broken.is_set()
    task = host._spawn(breaks())
    task.add_done_callback(host._listener_over)
    await host.broken.wait()


def test_reference_names_every_option_key_constraint_and_output():
    text = REFERENCE.read_text()
    source = (Path(parse.__code__.co_filename)).read_text()
    options = re.findall(r'"(--[a-z-]+)"', source)
    assert len(options) >= 7
    lower = text.lower()
    missing = [
        each
        for each in (*options, *HONOURED, *IGNORED, *CONSTRAINTS, *OUTPUTS)
        if each not in lower
    ]
    assert missing == []


def test_reference_says_that_it_is_a_development_host():
    assert "A development host, never production." in REFERENCE.read_text()
