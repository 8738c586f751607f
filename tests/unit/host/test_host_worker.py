"""The contract with Microsoft's worker library, and the channel to it."""

from __future__ import annotations

import asyncio
import inspect
import re
from importlib import metadata
from pathlib import Path

import azure_functions_runtime
import pytest
from azure_functions_runtime import native_invocation

from local.host import protos, wire
from local.host.process import HostProcess

LIBRARY = Path(azure_functions_runtime.__file__).parent
# Read in indexing: these modules, and of handle_event the two requests that the engine makes.
INDEXING = ["functions.py", "loader.py", "utils/helpers.py", "utils/tracing.py"]
REQUESTS = ["worker_init_request", "functions_metadata_request"]


def _named():
    texts = [(LIBRARY / each).read_text() for each in INDEXING]
    texts += [
        inspect.getsource(getattr(azure_functions_runtime.handle_event, each)) for each in REQUESTS
    ]
    return set(re.findall(r"\bprotos\.([A-Z]\w*(?:\.\w+)?)", "\n".join(texts)))


def test_stand_ins_have_every_name_that_indexing_reads():
    names = _named()
    assert len(names) >= 10
    for name in names:
        subject = protos
        for part in name.split("."):
            subject = inspect.getattr_static(subject, part)


def test_library_is_the_pinned_one_and_its_entry_has_the_shape_that_is_called():
    assert metadata.version("azure-functions-runtime") == "1.3.0"
    parameters = inspect.signature(native_invocation.invocation_request_native).parameters
    assert list(parameters)[:4] == ["invocation_id", "function_id", "inputs", "trigger_metadata"]
    assert {"retry_count", "max_retry_count"} <= set(parameters)


def test_stand_in_field_that_was_not_set_is_none_but_dunders_are_errors():
    message = protos.RpcFunctionMetadata(name="x")
    assert (message.name, message.retry_options) == ("x", None)
    with pytest.raises(AttributeError):
        _ = message.__len__


@pytest.mark.parametrize(
    "message",
    [
        wire.Ready([wire.Indexed("f", ["{}"], wire.Retry(2, delay=1.0))]),
        wire.Failed("why"),
        wire.Invocation("1", "f", "m", wire.Value.of("bytes", b"\x00\xff"), {}, 1, 2),
        wire.Invocation("1", "f", "r", wire.HttpRequest("GET", "u", {}, {}, {"名": "値"}, b"")),
        wire.Result("1", ok=True, returned=wire.HttpResponse(200, {"a": "b"}, b"x", ["c=1"])),
        wire.Result("1", ok=False, error="e", outputs=[("o", wire.Value.of("string", "件"))]),
    ],
)
async def test_wire_message_arrives_as_it_was_sent(message):
    reader = asyncio.StreamReader()

    class Writer:
        write = staticmethod(reader.feed_data)

    wire.write(Writer(), message)
    assert await wire.read(reader) == message


async def test_wire_end_is_an_error_that_the_channel_knows():
    reader = asyncio.StreamReader()
    reader.feed_data(b"\x10\x00\x00\x00half")
    reader.feed_eof()
    with pytest.raises(asyncio.IncompleteReadError):
        await wire.read(reader)


def test_host_process_shows_the_logs_tail_where_it_does_not_start(tmp_path):
    host = HostProcess(tmp_path, env={}, log_path=tmp_path / "log")
    with pytest.raises(RuntimeError, match=r"no host\.json"):
        host.start()
    assert host.pid is None
    host.stop()  # nothing to do, and no error
