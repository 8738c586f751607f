"""Japanese mails: what a person reads in them is what is extracted."""

from __future__ import annotations

import pytest

from shared.extract import extract
from shared.model import Content, GapCode
from tests.unit.extract_mail.case import Case
from tests.unit.extract_mail.golden import cases
from tests.unit.extract_mail.reference import BEGIN, END, REFERENCE, table

GOLDEN = cases()


def test_golden_set_has_the_promised_size_and_names_each_case_once():
    assert len(GOLDEN) >= 120
    assert len({case.name for case in GOLDEN}) == len(GOLDEN)


def _read(case: Case):
    extraction, _ = extract(Content(case.data, media_type="message/rfc822"), clock=lambda: 0.0)
    return extraction


def _normal(text: str) -> str:
    return text.replace("\r\n", "\n").replace("−", "－")


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.name)
def test_golden_mail_is_read_as_a_person_reads_it(case: Case):
    segments = _read(case).segments
    whole = "\n".join(_normal(segment.text) for segment in segments)
    first = "\n".join(_normal(s.text) for s in segments if s.location in {"本文", "本文（HTML）"})
    assert _normal(case.body).strip() in (whole if case.either else first)
    if case.subject:
        place = "件名"
        subjects = [segment.text for segment in segments if segment.location.endswith(place)]
        assert any(case.subject in text.split("\n") for text in subjects)
    names = {
        name
        for segment in segments
        if segment.location.endswith("名前")
        for name in segment.text.split("\n")
    }
    assert set(case.names) <= names


@pytest.mark.parametrize(
    "case", [case for case in GOLDEN if not case.either], ids=lambda case: case.name
)
def test_golden_mail_has_no_damaged_character_where_programs_agree(case: Case):
    first = [s.text for s in _read(case).segments if "読み" not in s.location]
    assert not any("\ufffd" in text.split("\n")[0] for text in first)


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.name)
def test_golden_mail_breaks_no_reader(case: Case):
    codes = {gap.code for gap in _read(case).gaps}
    assert GapCode.MALFORMED not in codes
    assert GapCode.AMBIGUOUS not in codes or "twice" in case.name


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.name)
def test_golden_mail_locations_show_no_content(case: Case):
    for segment in _read(case).segments:
        assert not any(name in segment.location for name in case.names)
        assert not case.subject or case.subject not in segment.location


def test_table_of_golden_mails_is_the_one_in_the_reference():
    inside = REFERENCE.read_text().partition(BEGIN)[2].partition(END)[0].strip()
    assert inside == table(), "run: python tests/unit/extract_mail/reference.py"
