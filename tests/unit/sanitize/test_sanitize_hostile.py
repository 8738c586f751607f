"""Damaged and random bytes: never an exception, never without end, never a half-clean result."""

from __future__ import annotations

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.sanitize import sanitize_mail, sanitize_office, sanitize_pages, sanitize_pdf
from tests.unit.sanitize.sanitize_sample import clean

SETTINGS = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
HEADS = [b"", b"{\\rtf1 ", b"<html>", b"PK\3\4", b"%PDF-1.4\n", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"]
HEADS += [b"From: a\r\nTo: b\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n", b"<svg>"]
HEADS += [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"BEGIN:VCALENDAR\r\nATTACH"]


def whole(result):
    """A result is clean bytes or a named reason, and never neither."""
    assert (result.content is not None) or result.gaps


@SETTINGS
@given(st.sampled_from(HEADS), st.binary(max_size=300), st.text(max_size=12))
def test_any_bytes_are_cleaned_or_held(head, data, name):
    whole(clean(head + data, name, compare_text=False))


@SETTINGS
@given(st.text(alphabet="<>/=\"' abonclickscriptstylhref:&#;!-\\{}*[]", max_size=200))
def test_any_markup_is_stable_after_one_pass(text):
    once = clean(b"<html>" + text.encode(), "a.html", compare_text=False)
    if once.content:
        assert clean(once.content.data, "a.html", compare_text=False).content == once.content


@SETTINGS
@given(st.text(alphabet="\\{}'*0af bindpct1\n", max_size=200))
def test_any_rtf_is_stable_after_one_pass(text):
    once = clean(b"{\\rtf1 " + text.encode(), "a.rtf", compare_text=False)
    if once.content:
        assert clean(once.content.data, "a.rtf", compare_text=False).content == once.content


def test_damaged_corpus_is_cleaned_or_held():
    """Each kind of file with bytes changed and cut off, from a fixed seed."""
    chance = random.Random(6)
    modules = (sanitize_office, sanitize_pages, sanitize_pdf, sanitize_mail)
    for sample in [each for module in modules for each in module.samples()]:
        data = bytearray(sample.data)
        for _ in range(8):
            data[chance.randrange(len(data))] = chance.randrange(256)
        whole(clean(bytes(data), sample.name, compare_text=False))
        whole(clean(sample.data[: chance.randrange(len(data))], sample.name, compare_text=False))


def test_hostile_pages_are_bounded():
    for page in (
        "<div>" * 50_000,
        "<a " + " ".join(f"a{n}=1" for n in range(20_000)) + ">",
        "<!--" * 50_000,
        "<a href=x>" * 10_000,
        "{" * 100_000,
    ):
        whole(clean(page.encode(), "a.html", compare_text=False))
    whole(clean(b"{\\rtf1" + b"{" * 100_000, "a.rtf", compare_text=False))
