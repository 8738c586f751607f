"""Results open in LibreOffice and show their words; so does what LibreOffice itself wrote."""

from __future__ import annotations

import io
import struct
from collections import Counter

import docx
import openpyxl
import pptx
import pytest
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment

from tests.unit.sanitize import libreoffice
from tests.unit.sanitize.sanitize_office import LINK, REL, in_body, saved, saved_image
from tests.unit.sanitize.sanitize_sample import WORDS, clean, codes, inside

OFFICE = ("docx", "xlsx", "pptx", "doc", "xls", "rtf", "svg")
PAGES = ("html",)
LINKED, SHOWN = "http://evil.example/a", "[hxxp://evil[.]example/a]"
# Legacy kind → a file of today that LibreOffice writes in it.
MADE_OF = {"doc": "docx", "rtf": "docx", "xls": "xlsx", "ppt": "pptx"}


def of_kinds(results, kinds):
    """Numbered name → (the sample's name, what must be shown, bytes), of files of these kinds."""
    found = [
        (sample.name, sample.words, name.rpartition(".")[2], data)
        for sample, result in results
        if result.content
        for name, data in inside(result.content)
        if name.rpartition(".")[2] in kinds
    ]
    return {
        f"{n:03}.{kind}": (name, words, data) for n, (name, words, kind, data) in enumerate(found)
    }


def wrong(files, folder, reader=""):
    """The samples that did not open, or do not show their words."""
    made = libreoffice.converted(
        {name: data for name, (*_, data) in files.items()}, folder, "pdf", reader
    )
    return [
        (sample, name)
        for name, (sample, words, _) in files.items()
        if name not in made or words not in libreoffice.shown(made[name])
    ]


@libreoffice.needed
@pytest.mark.parametrize(
    ("kinds", "least", "reader"),
    [(OFFICE, 120, ""), (PAGES, 40, libreoffice.PAGES)],
    ids=["office", "pages"],
)
def test_results_open_in_libreoffice_and_show_their_words(
    cleaned, masked, unlocked, tmp_path, kinds, least, reader
):
    files = of_kinds(cleaned + masked + unlocked, kinds)
    assert len(files) >= least
    assert wrong(files, tmp_path, reader) == []


def letter():
    linked = in_body(LINK).relate(
        "word/document.xml", "rIdL", f"{REL}/hyperlink", LINKED, outside=True
    )
    made = docx.Document(io.BytesIO(linked.data()))
    made.sections[0].header.paragraphs[0].text = "頭書き"
    made.sections[0].footer.paragraphs[0].text = "脚書き"
    made.add_heading("様式第一号", 1)
    made.add_paragraph("一つ目", style="List Bullet")
    made.add_comment(made.add_paragraph("批評のある段落").runs, text="批評です", author="見本")
    made.add_picture(io.BytesIO(saved_image("PNG")))
    made.add_table(1, 2).cell(0, 1).text = "表の中"
    return saved(made)


def book():
    made = openpyxl.Workbook()
    sheet = made.active
    sheet["A1"], sheet["B1"], sheet["C1"] = WORDS, "=1+2", "表の中"
    sheet["A2"], sheet.column_dimensions["A"].width = "こちら", 40
    sheet["A2"].hyperlink = LINKED
    sheet["A3"].comment = Comment("批評です", "見本")
    sheet.merge_cells("A4:C4")
    sheet["A4"] = "結合したセル"
    chart = BarChart()
    chart.title = "図の題"
    chart.add_data(Reference(sheet, min_col=2, min_row=1, max_row=1))
    sheet.add_chart(chart, "A8")
    made.create_sheet("別表")["A1"] = "=Sheet!B1"
    return saved(made)


def show():
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[5])
    slide.shapes.title.text = WORDS
    slide.notes_slide.notes_text_frame.text = "覚え書き"
    slide.shapes.add_table(1, 2, 0, 0, 2_000_000, 900_000).table.cell(0, 1).text = "表の中"
    slide.shapes.add_picture(io.BytesIO(saved_image("PNG")), 0, 0)
    return saved(made)


@pytest.fixture(scope="module")
def harmless(tmp_path_factory):
    """Kind → a harmless file of it; those of the legacy kinds by a program that people use."""
    today = {"docx": letter(), "xlsx": book(), "pptx": show()}
    legacy = {
        kind: libreoffice.converted(
            {f"a.{source}": today[source]}, tmp_path_factory.mktemp(kind), kind
        )[f"a.{source}"]
        for kind, source in MADE_OF.items()
    }
    return today | legacy


@libreoffice.needed
def test_harmless_files_pass_and_show_the_same_as_before(harmless, tmp_path):
    """Letter for letter what LibreOffice draws of the original, and the targets of links."""
    results = {kind: clean(data, f"{kind}.{kind}") for kind, data in harmless.items()}
    assert {kind: result.gaps for kind, result in results.items() if result.gaps} == {}
    assert [kind for kind, result in results.items() if not result.lineage.text_kept] == []
    given = {f"before-{kind}.{kind}": data for kind, data in harmless.items()}
    given |= {f"after-{kind}.{kind}": result.content.data for kind, result in results.items()}
    made = libreoffice.converted(given, tmp_path)
    assert sorted(made) == sorted(given)
    for kind in harmless:
        before, after = (
            libreoffice.shown(made[f"{when}-{kind}.{kind}"]) for when in ("before", "after")
        )
        assert WORDS in before, kind
        assert "表の中" in before, kind
        assert Counter(before) == Counter(after.replace(SHOWN, "")), kind  # links are drawn last


@libreoffice.needed
@pytest.mark.parametrize("field", ["persistIdRef", "fHasMacros"])
def test_presentation_that_says_it_has_macros_is_held(harmless, field):
    """[MS-PPT] 2.4.11: LibreOffice writes the record too, with a project of 0 and no macros."""
    data = bytearray(harmless["ppt"])
    at = data.index(struct.pack("<HI", 0x0400, 12)) + 6
    data[at + 4 * (field == "fHasMacros")] = 1
    result = clean(bytes(data), "a.ppt")
    assert result.content is None
    assert "macro" in codes(result)
