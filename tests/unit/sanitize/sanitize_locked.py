"""Hostile files under a password: the corpus again, as PPAP sends it."""

from __future__ import annotations

import io
import time
from dataclasses import replace

import msoffcrypto
import pikepdf

from shared.extract import Limits
from shared.model import Content
from shared.sanitize import unlock
from tests.unit.extract_files.rar_cases import built
from tests.unit.sanitize.sanitize_mail import mail
from tests.unit.sanitize.sanitize_sample import TOOLS, WORDS, Sample
from tests.unit.services.gate_parts import locked_zip

PASSWORD = "himitsu-3"
_TODAY = ("vba.docm", "vba.xlsm", "vba.pptm")
_FILES = {"docx", "docm", "xlsx", "xlsm", "pptx", "pptm", "doc", "xls", "rtf", "html", "svg"}


def office(data):
    out = io.BytesIO()
    msoffcrypto.OfficeFile(io.BytesIO(data)).encrypt(PASSWORD, out)
    return out.getvalue()


def pdf(data):
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as document:
        document.save(out, encryption=pikepdf.Encryption(owner="o", user=PASSWORD))
    return out.getvalue()


def samples(corpus):
    """Office files and PDFs by themselves; ZIP and RAR archives of all kinds; a mail with both."""
    usable = [each for each in corpus if not each.held and each.words == WORDS]
    named = {each.name: each for each in usable}
    yield from (replace(named[name], data=office(named[name].data)) for name in _TODAY)
    pages = [replace(each, data=pdf(each.data)) for each in usable if each.kind == "pdf"]
    yield from pages
    files = [(f"{n}-{e.name}", e.data) for n, e in enumerate(usable) if e.kind in _FILES]
    closed = [(each.name, each.data) for each in pages[:3]]
    yield Sample("locked.zip", locked_zip(PASSWORD, files[::2] + closed), "macro")
    others = dict(files[1::4])
    yield Sample("locked.rar", built(others, format="rar50", password=PASSWORD), "macro")
    both = [("資料.zip", locked_zip(PASSWORD, files[::9])), ("名簿.pdf", closed[0][1])]
    yield Sample("locked.eml", mail(files=both), "macro")


def opened(sample):
    """Bytes, name and type after the password; it must open, and no other password may open it."""
    given = Content(sample.data, sample.name, sample.media_type)
    wrong = unlock(given, ("falsch",), TOOLS, time.monotonic, Limits())
    assert wrong.content is None, sample.name
    done = unlock(given, ("falsch", PASSWORD), TOOLS, time.monotonic, Limits())
    assert done.content is not None, (sample.name, done.gaps)
    assert done.count, sample.name
    return done.content.data, done.content.name, done.content.media_type
