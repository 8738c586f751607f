"""What a password opens, by the libraries that there are; what none opens says so."""

from __future__ import annotations

import base64
import time

import msoffcrypto
import pytest

from shared.extract import Limits
from shared.model import Content, GapCode
from shared.sanitize import unlock
from tests.unit.extract_files.archive_cases import lzh
from tests.unit.extract_files.rar_cases import built
from tests.unit.extract_files.rc4_writer import doc_locked, header_97, key_97
from tests.unit.extract_files.test_encrypted_files import RARS, SEVEN_ZIP, SEVEN_ZIP_NAMES_TOO
from tests.unit.extract_files.test_hostile_files import claiming
from tests.unit.sanitize.sanitize_locked import PASSWORD, office, pdf
from tests.unit.sanitize.sanitize_mail import archive
from tests.unit.sanitize.sanitize_office import xlsm
from tests.unit.sanitize.sanitize_pdf import plain
from tests.unit.sanitize.sanitize_sample import TOOLS, inside

WRONG = ("falsch", *(f"falsch-{number}" for number in range(9)))


def opened(data, name, *passwords, limits=None):
    given = Content(data, name)
    return unlock(given, passwords, TOOLS, time.monotonic, limits or Limits())


def codes(done):
    return [gap.code for gap in done.gaps]


@pytest.mark.parametrize(("kind", "options"), RARS, ids=str)
def test_rar_of_every_generation_becomes_a_zip_after_wrong_passwords(kind, options):
    members = {"様式/a.txt": b"words " * 200, "b.txt": b"x" * 500}
    if kind < "rar30":  # no Unicode names
        members = {"a.txt": b"words " * 200, "b.txt": b"x" * 500}
    data = built(members, format=kind, password=PASSWORD, **options)
    done = opened(data, "a.rar", *WRONG, PASSWORD)
    assert codes(done) == []
    assert (done.content.name, done.count) == ("a.zip", 2)
    assert dict(inside(done.content)) == members
    assert codes(opened(data, "a.rar", *WRONG)) == [GapCode.ENCRYPTED]


@pytest.mark.parametrize("data", [SEVEN_ZIP, SEVEN_ZIP_NAMES_TOO], ids=["content", "names"])
def test_7z_of_its_own_program_becomes_a_zip(data):
    raw = base64.b64decode(data)
    done = opened(raw, "a.7z", *WRONG, "himitsu")
    assert dict(inside(done.content))["a.txt"].decode() == "番号 00000001"
    assert codes(opened(raw, "a.7z", *WRONG)) == [GapCode.ENCRYPTED]


def test_lzh_has_no_encryption_but_what_is_in_it_may():
    done = opened(lzh("票.pdf", pdf(plain())), "a.lzh", *WRONG, PASSWORD)
    ((name, data),) = inside(done.content)
    assert (name, done.content.name, done.count) == ("票.pdf", "a.zip", 1)
    assert b"/Encrypt" not in data


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.rar", built({"a.txt": b"x"})),
        ("a.lzh", lzh("a.txt", b"x")),
        ("cut.rar", built({"a.txt": b"x" * 900})[:-40]),
        ("cut.lzh", lzh("a.txt", b"x" * 900)[:-1] + b"y" * 900),
        ("a.pdf", plain()),
    ],
)
def test_what_is_open_or_damaged_is_left_as_it_is(name, data):
    """Others say of it what is to be said."""
    done = opened(data, name, PASSWORD)
    assert done.content.data == data
    assert done.count == 0


def test_rar_over_a_limit_is_named():
    bomb = built({"a.txt": b"\0" * 3_000_000}, password=PASSWORD)
    small = Limits(expanded=1_000_000)
    assert codes(opened(bomb, "a.rar", PASSWORD, limits=small)) == [GapCode.TOO_LARGE]
    many = built({f"{number}.txt": b"x" for number in range(20)}, password=PASSWORD)
    few = Limits(members=9)
    assert codes(opened(many, "a.rar", PASSWORD, limits=few)) == [GapCode.TOO_MANY]


def test_archive_without_an_extension_gets_that_of_what_it_is_now():
    assert (
        opened(built({"a.txt": b"1"}, password=PASSWORD), "資料", PASSWORD).content.name
        == "資料.zip"
    )


def test_password_that_opened_one_is_tried_first_on_the_rest(monkeypatch):
    """A try on an Office file costs a fifth of a second: of many files only one pays for all."""
    asked = []
    load = msoffcrypto.format.ooxml.OOXMLFile.load_key

    def counted(self, password=None, **more):
        asked.append(password)
        return load(self, password=password, **more)

    monkeypatch.setattr(msoffcrypto.format.ooxml.OOXMLFile, "load_key", counted)
    book = office(xlsm().data())
    done = opened(
        archive([(f"{number}.xlsm", book) for number in range(3)]), "a.zip", "a", "b", PASSWORD
    )
    assert (codes(done), done.count) == ([], 3)
    assert asked == ["a", "b", PASSWORD, PASSWORD, PASSWORD]


def test_compound_file_of_which_nobody_can_say_whether_it_is_encrypted_is_held():
    locked = claiming(doc_locked(PASSWORD, key_97, header_97)("x"), "1Table")
    done = opened(locked, "a.doc", PASSWORD)
    assert (done.content, codes(done)) == (None, [GapCode.MALFORMED])
