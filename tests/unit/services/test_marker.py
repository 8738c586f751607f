"""Markers: ours alone, for one item, one content, one policy."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from shared.services.marker import Markers, Verdict, release_of

OLD, NEW = b"o" * 32, b"n" * 32
MARKERS = Markers((NEW, OLD))
parts = st.text(alphabet="ab:.1", max_size=6)


@given(*[parts] * 5, *[parts] * 2)
def test_marker_holds_for_its_own_place_and_content_only(place, digest, policy, name, rel, p2, d2):
    verdict = MARKERS.verdict(place, digest, policy, name, rel.replace(".", ""))
    assert MARKERS.genuine(verdict, place, digest)
    assert MARKERS.genuine(verdict, p2, d2) is ((p2, d2) == (place, digest))


def test_marker_of_the_old_key_holds_while_keys_rotate():
    verdict = Markers((OLD,)).verdict("p", "d", "1", "TAG")
    assert MARKERS.genuine(verdict, "p", "d")
    assert not Markers((NEW,)).genuine(verdict, "p", "d")


def test_no_field_of_a_verdict_can_be_changed():
    verdict = MARKERS.verdict("p", "d", "1", "TAG", "released")
    assert release_of(verdict) == "released"
    forged = [
        replace(verdict, policy="2"),
        replace(verdict, disposition="ALLOW"),
        replace(verdict, marker=verdict.marker.replace("released", "other")),
        replace(verdict, marker=verdict.marker.replace("v1", "v2")),
        replace(verdict, marker=verdict.marker[:-1]),
        replace(verdict, marker=""),
        replace(verdict, marker="\ud800"),
    ]
    assert not any(MARKERS.genuine(each, "p", "d") for each in forged)


def test_keys_are_in_no_repr():
    assert "nnn" not in repr(MARKERS)


def test_verdict_survives_its_text():
    verdict = MARKERS.verdict("p", "d", "1", "TAG")
    assert Verdict.read(verdict.text()) == verdict


@given(st.text(max_size=60))
def test_any_text_is_a_verdict_or_none(text):
    found = Verdict.read(text)
    assert found is None or not MARKERS.genuine(found, "p", "d")


def test_text_that_is_too_long_is_not_even_read():
    assert Verdict.read(Verdict("x" * 3000, "", "").text()) is None
