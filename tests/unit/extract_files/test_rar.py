"""RAR archives that cannot be read whole: what can be read is, the rest has a name."""

from __future__ import annotations

import time

import pytest
import rars

from shared.extract import Limits, extract
from shared.model import Content, GapCode
from tests.unit.extract_files.archive_cases import note
from tests.unit.extract_files.rar_cases import built, rar_4, rar_5


def read(data, passwords=(), limits=None):
    return extract(Content(data), clock=time.monotonic, passwords=passwords, limits=limits)[0]


@pytest.mark.parametrize("kind", ["rar30", "rar50"])
def test_member_under_another_password_is_encrypted_and_its_name_is_read(kind):
    data = built({"表.txt": b"1" * 99}, format=kind, password="himitsu")
    for passwords in ((), ("x", "違う")):
        found = read(data, passwords)
        assert [(gap.code, gap.location) for gap in found.gaps] == [
            (GapCode.ENCRYPTED, "メンバー1.txt")
        ]
        assert "表.txt" in [segment.text for segment in found.segments]


def test_archive_with_hidden_names_is_encrypted():
    data = built({"a.txt": b"1" * 99}, password="himitsu", encrypt_headers=True)
    assert [gap.code for gap in read(data, ("x",)).gaps] == [GapCode.ENCRYPTED]


TWO = {"a.txt": note("1"), "b.txt": note("2")}


@pytest.mark.parametrize(
    "data", [rar_4({name.encode(): text for name, text in TWO.items()}), rar_5(TWO)]
)
def test_damaged_member_hides_no_other(data):
    damaged = data.replace(note("1"), note("3"))
    found = read(damaged)
    assert [(gap.code, gap.location) for gap in found.gaps] == [
        (GapCode.MALFORMED, "メンバー1.txt")
    ]
    assert "番号 2" in [segment.text for segment in found.segments]


def test_first_volume_alone_is_partial(tmp_path):
    builder = rars.RarBuilder(store=True, volume_size=2_000)
    builder.add_bytes(b"1" * 5_000, "a.txt")
    builder.write_volumes(tmp_path / "a.part1.rar")
    found = read(min(tmp_path.iterdir()).read_bytes())
    assert [(gap.code, gap.location) for gap in found.gaps] == [(GapCode.PARTIAL, "メンバー1.txt")]


def test_members_over_the_budget_are_named():
    large = built({"a.txt": b"1" * 40_000, "b.txt": note("2")})
    found = read(large, limits=Limits(expanded=10_000))
    assert [(gap.code, gap.location) for gap in found.gaps] == [
        (GapCode.TOO_LARGE, "メンバー1.txt")
    ]
    assert "番号 2" in [segment.text for segment in found.segments]
    many = rar_5({f"{n}.txt": b"x" for n in range(20)})
    assert [gap.code for gap in read(many, limits=Limits(members=10)).gaps] == [GapCode.TOO_MANY]


def test_archive_cut_off_is_a_gap():
    whole = built({"a.txt": b"".join(note(str(n)) for n in range(2_000))})
    for end in range(8, len(whole) - 20, len(whole) // 20):
        assert read(whole[:end]).gaps
