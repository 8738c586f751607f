"""Texts and words in the exports that no event of the golden files has."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from shared.audit.formats import FORMATS, Entry
from shared.audit.formats.cef import header
from shared.audit.formats.entry import plain
from shared.audit.formats.sheet import cell
from tests.unit.audit.told import EVENTS


@pytest.mark.parametrize("end", "\n\r\t\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029")
def test_line_end_becomes_a_space(end):
    assert plain(f"件{end}名") == "件 名"


@pytest.mark.parametrize("odd", ["\0", "\x7f", "\u202e", "\u200b", "\ud800", "\ue000", "\u0378"])
def test_character_that_nobody_sees_is_shown_as_one(odd):
    assert plain(f"件{odd}名X") == "件\ufffd名X"


def test_header_of_cef_escapes_what_would_end_a_field():
    assert header("a|b\\c=d") == "a\\|b\\\\c=d"


@pytest.mark.parametrize("before", [" ", "\u3000", "\xa0", "\ufeff", " \u3000"])
def test_formula_behind_white_space_is_a_formula(before):
    assert cell(f"{before}=1+1") == f'"\'{plain(before)}=1+1"'
    assert cell(f"{before}X=1") == f'"{plain(before)}X=1"'


def test_disposition_that_a_format_does_not_know_is_told_by_its_own_name():
    strange = Entry(1, "", replace(EVENTS["a file is tagged"], disposition="postpone"))
    made = json.loads(FORMATS["ocsf"].line(strange))
    assert (made["action_id"], made["action"]) == (99, "postpone")
    assert (made["disposition_id"], made["disposition"]) == (99, "postpone")
    assert (made["severity_id"], made["severity"]) == (1, "Informational")
    assert FORMATS["cef"].line(strange).split(b"|")[5:7] == [b"postpone drive", b"0"]


def test_quotation_mark_in_a_cell_is_doubled():
    assert cell('a "b" c') == '"a ""b"" c"'


@pytest.mark.parametrize("start", "\t\r\n")
def test_cell_that_begins_with_a_tab_or_a_line_end_is_text(start):
    assert cell(f"{start}abc") == '"\' abc"'
