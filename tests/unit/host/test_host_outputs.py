from __future__ import annotations

import re

import pytest

from local.host.errors import BindingError
from local.host.outputs import fill, split_messages
from local.host.wire import Value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("{name}.json", "x.json"),
        ("{NAME}", "x"),
        ("{a.b}/{name}", "deep/x"),
    ],
)
def test_fill_takes_values_from_the_trigger(text, expected):
    assert fill(text, {"name": "x", "A": {"B": "deep"}}) == expected


def test_fill_makes_up_guids_and_times():
    assert re.fullmatch(r"[0-9a-f-]{36}", fill("{rand-guid}", {}))
    assert fill("{rand-guid}", {}) != fill("{rand-guid}", {})
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ", fill("{DateTime}", {}))


@pytest.mark.parametrize("text", ["{absent}", "{name.below}"])
def test_fill_without_a_value_is_an_error_that_holds_no_content(text):
    with pytest.raises(BindingError) as caught:
        fill(text, {"name": "件名"})
    assert "件名" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "messages"),
    [
        (Value.of("string", "text"), ["text"]),
        (Value.of("string", '{"a": 1}'), ['{"a": 1}']),
        (Value.of("string", '["a", {"b": "名"}]'), ["a", '{"b": "名"}']),
        (Value.of("string", "[not json"), ["[not json"]),
        (Value.of("json", "[1, 2]"), ["1", "2"]),
        (Value.of("bytes", b"[1, 2]"), [b"[1, 2]"]),
        (Value.of("string", "[]"), []),
    ],
)
def test_array_is_one_message_an_element(value, messages):
    assert split_messages(value) == messages
