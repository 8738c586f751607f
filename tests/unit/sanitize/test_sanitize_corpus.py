"""The corpus of hostile files: nothing active is left, all words are kept, every result opens."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from html.parser import HTMLParser

import docx
import openpyxl
import pptx
import pypdfium2

from shared.model import GapCode
from tests.unit.sanitize.sanitize_sample import clean, codes, inside, text_of

OFFICE = {"docx", "docm", "xlsx", "xlsm", "pptx", "pptm", "doc", "xls", "ppt", "rtf"}
OPENERS = {"docx": docx.Document, "xlsx": openpyxl.load_workbook, "pptx": pptx.Presentation}


def named(results, kinds):
    """Numbered name → bytes of every file of these kinds, in archives and mails too."""
    files = [each for _, result in results if result.content for each in inside(result.content)]
    found = [(name.rpartition(".")[2], data) for name, data in files]
    return {f"{n:03}.{kind}": data for n, (kind, data) in enumerate(found) if kind in kinds}


def test_corpus_has_enough_of_every_kind(corpus):
    count = Counter(sample.kind for sample in corpus)
    assert len(corpus) >= 60
    kinds = {"html", "docx", "docm", "xlsx", "xlsm", "pptx", "pptm", "doc", "xls", "ppt"}
    assert kinds | {"pdf", "rtf", "svg", "zip", "eml"} <= set(count)
    assert len({sample.name for sample in corpus}) == len(corpus)


def test_corpus_is_held_only_where_it_must_be(cleaned):
    wrong = [
        (sample.name, [gap.code.value for gap in result.gaps], codes(result))
        for sample, result in cleaned
        if (result.content is None) != sample.held or (result.content is None) != bool(result.gaps)
    ]
    assert wrong == []


def test_corpus_removals_are_named(cleaned):
    wrong = [
        (sample.name, sample.code, codes(result))
        for sample, result in cleaned
        if sample.code and sample.code not in codes(result)
    ]
    assert wrong == []


def test_corpus_words_are_kept(results):
    wrong = [
        sample.name
        for sample, result in results
        if result.content and sample.words not in text_of(result.content)
    ]
    assert wrong == []


def test_corpus_lineage_says_of_each_whether_words_were_kept(cleaned):
    """What is lost was in what is meant to go: programs, scripts, attachments, macro sheets."""
    lost = {s.name for s, r in cleaned if r.content and r.lineage.text_kept is not True}
    meant = {"xlm.xlsm", "svg.html", "script.svg", "entity.svg", "attached-note.pdf"}
    assert lost == meant | {"memo.txt", "run.bat", "shortcut.txt"}


def test_corpus_sanitised_twice_does_not_change(cleaned):
    wrong = []
    for sample, result in cleaned:
        if result.content:
            again = clean(result.content.data, result.content.name, result.content.media_type)
            if again.content != result.content or again.lineage.removals:
                wrong.append((sample.name, codes(again), again.gaps))
    assert wrong == []


def test_office_results_show_nothing_to_oletools(results, office_check, tmp_path):
    found = office_check(tmp_path / "clean", named(results, OFFICE))
    assert {name: what for name, what in found.items() if what} == {}


def test_oletools_sees_the_originals(corpus, office_check, tmp_path):
    """The check itself is checked: it must find most of what was planted."""
    originals = {s.name: s.data for s in corpus if s.kind in OFFICE}
    found = office_check(tmp_path / "hostile", originals)
    for name in (
        "vba.docm",
        "vba.xlsm",
        "vba.pptm",
        "vba.doc",
        "vba.xls",
        "dde.docx",
        "template.docx",
    ):
        assert found[name], name
    for name in ("object.rtf", "ole.docx", "customui.docx", "ole.pptx", "ole.xlsx"):
        assert found[name], name


def test_office_packages_list_nothing_active(results):
    """A look at the packages by zipfile alone (olevba does not see macro sheets in them)."""
    active = re.compile(
        r"vbaproject|vbadata|macrosheet|activex|embeddings|customui|externallink|connections"
        r"|targetmode=.external|macroenabled|ddelink|oleobj|instrtext>\s*(?:dde|include|quote)",
        re.IGNORECASE,
    )
    for name, data in named(results, OFFICE).items():
        if data.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(data)) as package:
                text = "".join(
                    f"{part} {package.read(part).decode()}"
                    for part in package.namelist()
                    if part.endswith((".xml", ".rels", ".vml"))
                )
            assert active.findall(text) == [], name


def test_pdf_results_show_nothing_to_a_structure_walk(results, pdf_check, tmp_path):
    found = pdf_check(tmp_path / "clean", named(results, {"pdf"}))
    assert len(found) >= 14
    assert {name: what for name, what in found.items() if what} == {}


def test_structure_walk_sees_the_originals(corpus, pdf_check, tmp_path):
    originals = {s.name: s.data for s in corpus if s.kind == "pdf" and s.code}
    found = pdf_check(tmp_path / "hostile", originals)
    assert [name for name, what in found.items() if not what] == []


def test_pdf_results_open_in_pdfium_with_nothing_behind_the_end(results):
    for data in named(results, {"pdf"}).values():
        with pypdfium2.PdfDocument(data) as document:
            assert len(document) == 1
        assert data.rstrip().endswith(b"%%EOF")
        assert b"<script>" not in data


def test_office_results_open_in_the_libraries_that_write_them(results):
    files = named(results, OFFICE)
    opened = Counter()
    for name, data in files.items():
        opener = OPENERS.get(name.rpartition(".")[2])
        if opener:
            opener(io.BytesIO(data))
            opened[opener] += 1
    assert len(opened) == 3
    assert not any(name.endswith(("docm", "xlsm", "pptm")) for name in files)


class ActiveContent(HTMLParser):
    """What would act or load in a page."""

    TAGS = (
        "script style iframe object embed form input button select textarea base link frame"
        " frameset applet svg math video audio source template noscript"
    )
    BAD = frozenset(TAGS.split())

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        if tag in self.BAD or (tag == "meta" and "http-equiv" in dict(attrs)):
            self.found.append(tag)
        for name, value in attrs:
            address = (value or "").strip().lower()
            loads = name in {"src", "href", "background", "srcset", "action", "poster", "data"}
            if name.startswith("on") or (loads and not address.startswith(("cid:", "data:image/"))):
                self.found.append(f"{tag} {name}")
            if name == "style" and ("url" in address or "expression" in address):
                self.found.append("style")


def test_html_results_hold_nothing_active(results):
    pages = named(results, {"html"})
    assert len(pages) >= 15
    for name, data in pages.items():
        parser = ActiveContent()
        parser.feed(data.decode())
        assert parser.found == [], name


def test_svg_results_hold_nothing_active(results):
    for name, data in named(results, {"svg"}).items():
        parser = ActiveContent()
        parser.BAD = frozenset(
            {"script", "foreignobject", "iframe", "animate", "set", "a", "style"}
        )
        parser.feed(data.decode())
        assert parser.found == [], name
        assert b"<!DOCTYPE" not in data


def test_held_samples_give_no_bytes_and_a_place(cleaned):
    for sample, result in cleaned:
        if sample.held:
            assert result.content is None
            assert result.gaps[-1].code in GapCode
            assert result.lineage.clean == ""
