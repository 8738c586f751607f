"""Files made to exhaust, crash or mislead a reader: each ends in a named gap, within its limits."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import time
import zipfile
import zlib

import pytest
from odf.table import TableCell, TableRow
from odf.text import P

from shared.compound.directory import oversized
from shared.compound.encryption import is_encrypted
from shared.errors import MalformedError
from shared.extract import Limits, extract
from shared.model import Content, GapCode
from shared.sandbox import Confinement, Sandbox
from tests.unit.extract_files.archive_cases import lzh, note, seven_zip, zipcrypto, zipped
from tests.unit.extract_files.cfb_writer import cfb
from tests.unit.extract_files.legacy_cases import (
    doc_part,
    locked,
    ods,
    rtf,
    word_97,
    xls_text,
    xls_with,
)
from tests.unit.extract_files.office_cases import (
    cell_text,
    document_with,
    edited,
    paragraph,
    rezip,
    sheet_with,
)
from tests.unit.extract_files.pdf_cases import PAGES, by_hand, stream
from tests.unit.extract_files.rar_cases import built
from tests.unit.extract_files.rc4_writer import doc_locked, header_97, key_97
from tests.unit.extract_files.zip_quine import zip_quine

WORD = document_with(paragraph)
BOOK = sheet_with(cell_text)
MAIN = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


# XML in Office


def word_xml(xml):
    return lambda: rezip(
        WORD("本文"), {"word/document.xml": xml if isinstance(xml, bytes) else xml.encode()}
    )


def laughs():
    entities = "".join(
        f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "lol">' for n in range(10)
    )
    run = "<w:p><w:r><w:t>&l9;</w:t></w:r></w:p>"
    return f"<!DOCTYPE w [{entities}]><w:document {MAIN}>{run}</w:document>"


def quadratic():
    return (
        f'<!DOCTYPE w [<!ENTITY a "{"A" * 100_000}">]><w:document {MAIN}><w:p><w:r><w:t>'
        f"{'&a;' * 20_000}</w:t></w:r></w:p></w:document>"
    )


def external(path):
    return (
        f'<!DOCTYPE w [<!ENTITY x SYSTEM "{path}">]><w:document {MAIN}><w:p><w:r><w:t>前&x;</w:t>'
        "</w:r></w:p></w:document>"
    )


def deep(levels):
    return f"<w:document {MAIN}>{'<w:x>' * levels}<w:t>底</w:t>{'</w:x>' * levels}</w:document>"


def text_bomb():
    body = b"<w:p><w:r><w:t>1</w:t></w:r></w:p>" * 4_000_000
    return b"<w:document " + MAIN.encode() + b">" + body + b"</w:document>"


# Workbooks


def sheet_xml(pattern, xml):
    return lambda: edited(BOOK("目印"), "xl/worksheets/sheet1.xml", pattern, xml)


SPARSE = sheet_xml(
    r"<row .*</row>",
    '<row r="1"><c r="A1" t="str"><v>始</v></c></row><row r="1048576">'
    '<c r="XFD1048576" t="str"><v>終</v></c></row>',
)
TAB_BOMB = sheet_xml(
    r"<row .*</row>",
    '<row r="1">' + "<c><v>1</v></c>" * 16_384 + "</row>"
    + "".join(f'<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>' for n in range(2, 20_000)),
)  # fmt: skip


def string_bomb():
    """One long shared string, shown by many cells."""
    data = edited(
        BOOK("目印"), "xl/worksheets/sheet1.xml", r"<row .*</row>",
        '<row r="1">' + '<c t="s"><v>0</v></c>' * 16_000 + "</row>",
    )  # fmt: skip
    name = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    strings = f'<sst xmlns="{name}"><si><t>{"長" * 900_000}</t></si></sst>'
    return rezip(data, {"xl/sharedStrings.xml": strings.encode()})


def repeated_cells():
    def fill(table, _):
        row = TableRow(numberrowsrepeated=1_000_000)
        cell = TableCell(numbercolumnsrepeated=16_384)
        cell.addElement(P(text="1"))
        row.addElement(cell)
        table.addElement(row)

    return ods(fill)("")


# ZIP


def zip_of_zips(levels):
    data = b"x"
    for _ in range(levels):
        data = zipped({"a.zip": data})
    return data


def overlapping():
    """Sixty directory entries that all point at one member."""
    data = zipped({"a": b"0" * 100_000})
    end = data.index(b"PK\x05\x06")
    central = data[data.index(b"PK\x01\x02") : end]
    rows = b"".join(
        central[:46] + f"{n:02d}"[:1].encode() + central[47:] if n else central for n in range(9)
    )
    tail = struct.pack("<HHII", 9, 9, len(rows), data.index(b"PK\x01\x02"))
    return data[: data.index(b"PK\x01\x02")] + rows + data[end : end + 8] + tail + b"\0\0"


def lying_size():
    data = bytearray(zipped({"a.txt": b"0" * 3_000_000}))
    central = data.index(b"PK\x01\x02")
    for at in (22, central + 24):
        data[at : at + 4] = struct.pack("<I", 100)
    return bytes(data)


def hidden_member():
    """A member between two listed ones that the directory does not list."""
    data = zipped({"a.txt": note("1"), "b.txt": note("2"), "c.txt": note("3")}, zipfile.ZIP_STORED)
    end = data.index(b"PK\x05\x06")
    first = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", first + 1)
    third = data.index(b"PK\x01\x02", second + 1)
    rows = data[first:second] + data[third:end]
    tail = struct.pack("<HHII", 2, 2, len(rows), first)
    return data[:first] + rows + data[end : end + 8] + tail + b"\0\0"


def same_name_twice():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.txt", "2")
    return out.getvalue()


# PDF


def page_with(content, extra=b"", more=()):
    return by_hand(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            PAGES,
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R /Resources << "
            b"/Font << /F 5 0 R >> %b >> >>" % extra,
            content,
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            *more,
        ]
    )


def flate(data, times=1):
    for _ in range(times):
        data = zlib.compress(data, 9)
    return stream(data, b"/Filter [%b]" % (b"/FlateDecode " * times))


def pdf_content_bomb():
    return page_with(flate(b"BT /F 9 Tf (A) Tj ET " * 8_600_000))


def pdf_double_flate():
    return page_with(flate(b" " * 400_000_000, 2))


def pdf_form_tower():
    """Ten forms, each drawing the next ten times: 10^10 in all."""
    forms = []
    for level in range(10):
        inner = b"/X Do " * 10 if level < 9 else b"BT /F 9 Tf (A) Tj ET"
        resources = b"/Resources << /XObject << /X %d 0 R >> /Font << /F 5 0 R >> >>" % (7 + level)
        forms.append(
            stream(
                inner,
                b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] "
                + (resources if level < 9 else b""),
            )
        )
    return page_with(stream(b"/X Do"), b"/XObject << /X 6 0 R >>", forms)


def pdf_page_loop():
    return by_hand(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 1000000 >>",
        ]
    )


def pdf_outline_loop():
    return by_hand(
        [
            b"<< /Type /Catalog /Pages 2 0 R /Outlines 4 0 R >>",
            PAGES,
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>",
            b"<< /First 5 0 R /Last 5 0 R >>",
            b"<< /Title (a) /Parent 4 0 R /Next 5 0 R /First 4 0 R >>",
        ]
    )


# OLE


def ole_fat_loop():
    data = bytearray(doc_part(3)("x"))
    tables = struct.unpack_from("<I", data, 76)[0]
    struct.pack_into("<I", data, 512 * (tables + 1), 0)  # the first sector follows itself
    return bytes(data)


def ole_difat_loop():
    data = bytearray(doc_part(3)("x"))
    struct.pack_into("<II", data, 68, 0, 1_000_000)
    data[512 + 508 : 512 + 512] = struct.pack("<I", 0)
    return bytes(data)


def ole_directory_loop():
    data = bytearray(doc_part(3)("x"))
    directory = 512 * (struct.unpack_from("<I", data, 48)[0] + 1)
    struct.pack_into("<II", data, directory + 128 + 68, 1, 1)  # its own sibling, both sides
    return bytes(data)


def ole_stream_of_four_gigabytes():
    """A stream that says it has 4 GB, in a chain whose sector follows itself."""
    return claiming(ole_fat_loop())


def claiming(whole, name=""):
    """Every stream of the file, or the one of this name, says that it has 4 GB."""
    data = bytearray(whole)
    directory = 512 * (struct.unpack_from("<I", data, 48)[0] + 1)
    for at in range(directory, len(data) - 127, 128):
        if data[at + 66] == 2 and name.encode("utf-16-le") in data[at : at + 64]:
            struct.pack_into("<I", data, at + 120, 0xFFFFFE00)
    return bytes(data)


def doc_piece_bomb():
    """A piece table whose thousands of pieces all show the same text."""
    parts = word_97([("長" * 200_000, 3)])
    count = 4_000
    positions = struct.pack(f"<{count + 1}I", *(200_000 * n for n in range(count + 1)))
    plc = positions + struct.pack("<HIH", 0, 2048, 0) * count
    clx = b"\2" + struct.pack("<I", len(plc)) + plc
    word = bytearray(parts["WordDocument"])
    struct.pack_into("<II", word, 154 + 33 * 8, 0, len(clx))
    return cfb({"WordDocument": bytes(word), "1Table": clx})


def spin_count():
    """Office encryption asking for ten million rounds of its hash, the most it allows."""
    data = locked(WORD, "himitsu")("1")
    most = data.replace(b' standalone="yes"', b"").replace(b'"100000"', b'"10000000"')
    assert len(most) == len(data) - 17 + 2
    return most.replace(b"</encryption>", b"</encryption>" + b" " * 15)


# Other archives


def tar_lying():
    info = tarfile.TarInfo("a")
    info.size = 1 << 33
    return info.tobuf() + b"x" * 512


def tar_sparse():
    """A GNU sparse member: 8 GB of nothing."""
    info = tarfile.TarInfo("a")
    info.size = 0
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[156:157] = tarfile.GNUTYPE_SPARSE
    header[386:410] = b"00000000000\0" + b"00000000000\0"
    header[483:495] = b"\x80" + (1 << 33).to_bytes(11, "big")
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header[:512]):06o}\0 ".encode()
    return bytes(header) + b"\0" * 1024


def lzh_lying():
    data = bytearray(lzh("a.txt", b"x"))
    data[11:15] = struct.pack("<I", 0xFFFFFFF0)
    data[1] = sum(data[2 : 2 + data[0]]) & 0xFF
    return bytes(data)


RTF = rb"{\rtf1\ansi {\fonttbl{%b}} x}"
LINK = rb'{\field{\*\fldinst{HYPERLINK "a'
STOPPED = {GapCode.TIMED_OUT, GapCode.TOO_LARGE, GapCode.CRASHED, GapCode.BOMB, GapCode.TOO_MANY}
FLAGGED = {GapCode.MALFORMED, GapCode.PARTIAL}
ANY = None  # what can be read is read, or a gap is named: it ends in time, that is all

HOSTILE = [
    ("XML: billion laughs", word_xml(laughs()), FLAGGED),
    ("XML: quadratic blow-up", word_xml(quadratic()), FLAGGED | STOPPED),
    ("XML: external entity", word_xml(external("file:///etc/passwd")), FLAGGED),
    ("XML: network entity", word_xml(external("http://127.0.0.1:9/x")), FLAGGED),
    ("XML: 100,000 levels", word_xml(deep(100_000)), ANY),
    ("XML: cut off", word_xml(deep(3)[:-20]), FLAGGED),
    ("XML: 140 MB of paragraphs", word_xml(text_bomb()), STOPPED),
    ("xlsx: sparse", SPARSE, set()),
    ("xlsx: wide and long", TAB_BOMB, set()),
    ("xlsx: one string, many cells", string_bomb, STOPPED),
    ("ods: repeated cells", repeated_cells, set()),
    ("zip: 40 levels", lambda: zip_of_zips(40), {GapCode.TOO_DEEP}),
    ("zip: quine", zip_quine, {GapCode.TOO_DEEP}),
    ("zip: ratio", lambda: zipped({"a.txt": b"\0" * 20_000_000}), {GapCode.BOMB}),
    ("zip: overlap", overlapping, {GapCode.MALFORMED, GapCode.AMBIGUOUS}),
    ("zip: lying size", lying_size, {GapCode.MALFORMED}),
    ("zip: hidden member", hidden_member, {GapCode.AMBIGUOUS}),
    ("zip: same name twice", same_name_twice, {GapCode.AMBIGUOUS}),
    ("zip: 6,000 members", lambda: zipped({f"{n}": b"" for n in range(6_000)}), {GapCode.TOO_MANY}),
    ("pdf: 437 KB → 180 MB", pdf_content_bomb, STOPPED),
    ("pdf: double Flate", pdf_double_flate, ANY),
    ("pdf: 10^10 forms", pdf_form_tower, STOPPED),
    ("pdf: page tree loop", pdf_page_loop, STOPPED | FLAGGED),
    ("pdf: outline loop", pdf_outline_loop, set()),
    ("rtf: font table without an end", lambda: RTF % (b"\\f0\\fcharset" + b"0" * 200_000), ANY),
    ("rtf: link without an end", lambda: RTF % (LINK * 20_000), ANY),
    ("ole: FAT loop", ole_fat_loop, FLAGGED),
    ("ole: stream of 4 GB", ole_stream_of_four_gigabytes, STOPPED | FLAGGED),
    ("ole: DIFAT loop", ole_difat_loop, FLAGGED),
    ("ole: directory loop", ole_directory_loop, ANY),
    ("office: spin count", spin_count, STOPPED),
    ("doc: piece bomb", doc_piece_bomb, STOPPED),
    ("xls: cut off", lambda: xls_with(xls_text)("目印")[:3000], FLAGGED | STOPPED),
    ("rtf: 300,000 braces", lambda: rtf(lambda _: b"{" * 300_000)(""), ANY),
    ("gz: ratio", lambda: gzip.compress(b"\0" * 20_000_000), {GapCode.BOMB}),
    ("bz2: ratio", lambda: bz2.compress(b"\0" * 20_000_000), {GapCode.BOMB}),
    ("xz: ratio", lambda: lzma.compress(b"\0" * 20_000_000), {GapCode.BOMB}),
    ("xz: cut off", lambda: lzma.compress(note("1") * 99)[:-30], {GapCode.MALFORMED}),
    ("tar: lying size", tar_lying, FLAGGED | STOPPED),
    ("tar: sparse", tar_sparse, STOPPED | FLAGGED),
    ("7z: wrong CRC", lambda: seven_zip({"a.txt": b"x"})[:-1] + b"\7", {GapCode.MALFORMED}),
    ("DocuWorks", lambda: b"\x60\x0e\x82\x01\x07" + b"\0" * 600, {GapCode.UNSUPPORTED}),
    ("rar: no headers", lambda: b"Rar!\x1a\x07\x01\x00" + b"\0" * 60, FLAGGED),
    ("rar: ratio", lambda: built({"a.txt": b"\0" * 20_000_000}), {GapCode.BOMB}),
    ("lzh: lying size", lzh_lying, {GapCode.TOO_LARGE, GapCode.MALFORMED}),
]  # fmt: skip


@pytest.fixture(scope="module")
def sandbox():
    made = Sandbox(processes=1, confinement=Confinement(cpu=3, wall=6.0))
    yield made
    made.close()


@pytest.mark.parametrize(
    ("build", "gaps"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE]
)
async def test_hostile_file_is_a_named_gap_and_the_server_lives(build, gaps, sandbox):
    await sandbox.extract(Content(WORD("先の文書"), "a.docx"))
    before = sandbox.pids()
    found = await sandbox.extract(Content(build(), "sample"))
    codes = {gap.code for gap in found.gaps}
    assert gaps is ANY or codes & gaps or codes == gaps, codes
    assert not any("root:" in segment.text for segment in found.segments)
    after = await sandbox.extract(Content(WORD("次の文書"), "a.docx"))
    assert "次の文書" in [segment.text for segment in after.segments]
    assert sandbox.pids() == before


def test_sparse_sheet_keeps_its_far_cell():
    found, _ = extract(Content(SPARSE(), "a.xlsx"), clock=time.monotonic)
    sheet = next(segment for segment in found.segments if segment.table)
    assert sheet.text.replace("\t", "").split() == ["始", "終"]
    assert sheet.where(sheet.text.index("終")) == "シート1!XFD1048576"


def test_quine_holds_itself_to_the_byte_and_is_read_to_the_bound():
    data = zip_quine()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.read("r.zip") == data
    found, _ = extract(Content(data, "r.zip"), clock=time.monotonic)
    levels = Limits().depth + 1
    assert [gap.code for gap in found.gaps] == [GapCode.TOO_DEEP]
    assert found.gaps[0].location == " › ".join(["メンバー1.zip"] * levels)


def test_archives_that_break_off_say_so():
    """Two libraries end in silence at a damaged header; the members behind it are not forgotten."""
    first, second = io.BytesIO(), b"".join((lzh("a.txt", note("1"))[:-1], lzh("b.txt", b"2" * 600)))
    with tarfile.open(fileobj=first, mode="w") as archive:
        for name in ("a.txt", "b.txt"):
            info = tarfile.TarInfo(name)
            info.size = 1
            archive.addfile(info, io.BytesIO(b"1"))
    damaged = bytearray(first.getvalue())
    damaged[1024 + 150] ^= 0xFF
    broken = bytearray(second)
    broken[second.index(b"-lh0-", 20)] ^= 0xFF
    for data in (bytes(damaged), bytes(broken)):
        found, _ = extract(Content(data), clock=time.monotonic)
        assert {gap.code for gap in found.gaps} == {GapCode.PARTIAL}
    for data in (first.getvalue(), second):
        assert extract(Content(data), clock=time.monotonic)[0].gaps == ()


def test_packed_file_cut_off_is_read_as_far_as_it_goes():
    data = gzip.compress("番号 9\n".encode() * 200_000, 1)[:-2000]
    found, _ = extract(Content(data), clock=time.monotonic)
    assert {gap.code for gap in found.gaps} == {GapCode.MALFORMED}


def test_one_bad_member_hides_no_other():
    data = bytearray(zipped({"a.txt": note("1"), "b.txt": note("2")}, zipfile.ZIP_STORED))
    data[data.index(note("1"))] ^= 0xFF
    found, _ = extract(Content(bytes(data), "a.zip"), clock=time.monotonic)
    assert (GapCode.MALFORMED, "メンバー1.txt") in [(gap.code, gap.location) for gap in found.gaps]
    assert {gap.location for gap in found.gaps} == {"メンバー1.txt"}
    assert "番号 2" in [segment.text for segment in found.segments]


def test_member_with_a_wrong_checksum_is_read_as_far_as_it_goes():
    text = "".join(f"番号 {n}\n" for n in range(40_000)).encode()
    data = bytearray(zipped({"a.txt": text}, zipfile.ZIP_STORED))
    data[len(text)] ^= 1
    found, _ = extract(Content(bytes(data), "a.zip"), clock=time.monotonic)
    assert [(gap.code, gap.location) for gap in found.gaps] == [
        (GapCode.MALFORMED, "メンバー1.txt")
    ]
    assert any("番号 20000\n" in segment.text for segment in found.segments)


def test_wrong_zipcrypto_password_is_never_taken_for_right():
    data = zipcrypto(b"himitsu")("0")
    wrong = tuple(f"wrong{n}" for n in range(600))  # two of them pass the cipher's own check
    found, _ = extract(Content(data, "a.zip"), clock=time.monotonic, passwords=wrong)
    assert [gap.code for gap in found.gaps] == [GapCode.ENCRYPTED]
    assert not any("本文" in segment.location for segment in found.segments)


def test_budget_is_one_for_the_whole_item():
    inner = zipped({"a.txt": b"1" * 40_000})
    data = zipped({f"{n}.zip": inner for n in range(5)}, zipfile.ZIP_STORED)
    found, _ = extract(
        Content(data, "a.zip"), clock=time.monotonic, limits=Limits(expanded=100_000)
    )
    assert GapCode.TOO_LARGE in {gap.code for gap in found.gaps}
    assert sum(len(segment.text) for segment in found.segments) < 100_000


def test_compound_file_whose_sizes_cannot_be_true_is_given_to_no_library():
    assert oversized(ole_stream_of_four_gigabytes())
    assert not oversized(doc_part(3)("x"))
    assert not oversized(ole_fat_loop())
    assert not oversized(b"\xd0\xcf\x11\xe0 cut off")
    with pytest.raises(MalformedError, match="claims more"):
        is_encrypted(ole_stream_of_four_gigabytes())


def test_compound_file_of_which_nobody_can_say_whether_it_is_encrypted_is_a_gap():
    locked = doc_locked("himitsu", key_97, header_97)("x")
    assert is_encrypted(locked)
    found, _ = extract(Content(claiming(locked, "1Table"), "a.doc"), clock=time.monotonic)
    assert GapCode.MALFORMED in {gap.code for gap in found.gaps}
