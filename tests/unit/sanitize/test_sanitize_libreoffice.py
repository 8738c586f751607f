"""Results open in LibreOffice and show their words; so does what LibreOffice itself wrote."""

from __future__ import annotations

import io
import struct

import docx
import openpyxl
import pptx
import pytest

from tests.unit.sanitize import libreoffice
from tests.unit.sanitize.sanitize_office import LINK, REL, in_body, saved, saved_image
from tests.unit.sanitize.sanitize_sample import WORDS, clean, codes, inside

OFFICE = ("docx", "xlsx", "pptx", "doc", "xls", "rtf", "svg")
PAGES = ("html",)
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
    made = docx.Document(
        io.BytesIO(
            in_body(LINK)
            .relate(
                "word/document.xml",
                "rIdL",
                f"{REL}/hyperlink",
                "http://evil.example/a",
                outside=True,
            )
            .data()
        )
    )
    made.add_picture(io.BytesIO(saved_image("PNG")))
    made.add_table(1, 2).cell(0, 1).text = "表の中"
    return saved(made)


def book():
    made = openpyxl.Workbook()
    sheet = made.active
    sheet["A1"], sheet["B1"], sheet["C1"] = WORDS, "=1+2", "表の中"
    sheet["A2"], sheet.column_dimensions["A"].width = "こちら", 40
    sheet["A2"].hyperlink = "http://evil.example/a"
    return saved(made)


def show():
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[5])
    slide.shapes.title.text = WORDS
    slide.shapes.add_table(1, 2, 0, 0, 2_000_000, 900_000).table.cell(0, 1).text = "表の中"
    slide.shapes.add_picture(io.BytesIO(saved_image("PNG")), 0, 0)
    return saved(made)


@pytest.fixture(scope="module")
def legacy(tmp_path_factory):
    """Kind → a harmless file of it, by a program that people use."""
    today = {"docx": letter(), "xlsx": book(), "pptx": show()}
    return {
        kind: libreoffice.converted(
            {f"a.{source}": today[source]}, tmp_path_factory.mktemp(kind), kind
        )[f"a.{source}"]
        for kind, source in MADE_OF.items()
    }


@libreoffice.needed
def test_harmless_legacy_files_of_a_real_program_pass_and_open_again(legacy, tmp_path):
    results = {kind: clean(data, f"{kind}.{kind}") for kind, data in legacy.items()}
    assert {kind: result.gaps for kind, result in results.items() if result.gaps} == {}
    made = libreoffice.converted({f"{k}.{k}": r.content.data for k, r in results.items()}, tmp_path)
    assert sorted(made) == sorted(f"{kind}.{kind}" for kind in MADE_OF)
    for name, pdf in made.items():
        text = libreoffice.shown(pdf)
        assert WORDS in text, name
        assert "表の中" in text, name


@libreoffice.needed
@pytest.mark.parametrize("field", ["persistIdRef", "fHasMacros"])
def test_presentation_that_says_it_has_macros_is_held(legacy, field):
    """[MS-PPT] 2.4.11: LibreOffice writes the record too, with a project of 0 and no macros."""
    data = bytearray(legacy["ppt"])
    at = data.index(struct.pack("<HI", 0x0400, 12)) + 6
    data[at + 4 * (field == "fHasMacros")] = 1
    result = clean(bytes(data), "a.ppt")
    assert result.content is None
    assert "macro" in codes(result)
