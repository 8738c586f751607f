"""What a password opened at the gate is sanitised like what came open, before anybody has it."""

from __future__ import annotations

import io
import re
import zipfile

import pikepdf
import pytest

from shared.model import Content
from shared.services.gate.locked import Answer
from tests.unit.extract_files.rar_cases import built
from tests.unit.sanitize.sanitize_locked import PASSWORD, office, pdf
from tests.unit.sanitize.sanitize_office import xlsm
from tests.unit.sanitize.sanitize_pdf import SCRIPT, poisoned
from tests.unit.sanitize.sanitize_sample import WORDS, inside, text_of
from tests.unit.services.gate_parts import Whole, locked_zip, mail
from tests.unit.services.test_gate_passwords import delivered, held

ACTIVE = re.compile(rb"vbaProject|macroEnabled|/JavaScript|/OpenAction", re.IGNORECASE)


def script():
    return poisoned(lambda made: made.Root.__setitem__("/OpenAction", SCRIPT))


def plain(name, data):
    """All that a program would see in a file, without compression."""
    if name.endswith("pdf"):
        out = io.BytesIO()
        with pikepdf.open(io.BytesIO(data)) as document:
            document.save(out, qdf=True, object_stream_mode=pikepdf.ObjectStreamMode.disable)
        return out.getvalue()
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return b"".join(each.encode() + package.read(each) for each in package.namelist())


@pytest.mark.parametrize(
    ("name", "make", "wanted"),
    [
        ("申請.xlsm", lambda: office(xlsm().data()), ["申請.xlsx"]),
        ("票.pdf", lambda: pdf(script()), ["票.pdf"]),
        (
            "束.zip",
            lambda: locked_zip(PASSWORD, [("様式/a.xlsm", xlsm().data()), ("b.pdf", script())]),
            ["様式/a.xlsx", "b.pdf"],
        ),
        (
            "束.rar",
            lambda: built({"a.xlsm": xlsm().data(), "b.pdf": script()}, password=PASSWORD),
            ["a.xlsx", "b.pdf"],
        ),
        (
            "二重.zip",
            lambda: locked_zip(PASSWORD, [("中.xlsm", office(xlsm().data()))]),
            ["中.xlsx"],
        ),
    ],
)
async def test_what_a_password_opened_is_sanitised_before_it_is_delivered(rig, name, make, wanted):
    whole = Whole(rig)
    (lock,) = await held(whole, mail("資料", "本文です。\n", attach=[(name, make())]))
    assert await whole.locks.open(whole.locks.token(lock), (PASSWORD,)) is Answer.OPENED
    actions = [each.action for each in await whole.scan_landed()]
    assert actions == ["deliver"], whole.results[-1][0].intent.decision
    (sent,) = delivered(whole)
    found = dict(inside(Content(sent, "a.eml")))
    found.pop("無害化.txt", None)
    assert [each for each in found if each.rpartition(".")[2] in {"xlsx", "xlsm", "pdf"}] == wanted
    for each in wanted:
        assert not ACTIVE.search(plain(each, found[each])), each
        assert WORDS in text_of(Content(found[each], each))
    assert "マクロ" in text_of(Content(sent, "a.eml", "message/rfc822")) or name == "票.pdf"
