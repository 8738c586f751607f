"""Outlook's, S/MIME's, calendar and card formats, made by the writers and read back."""

from __future__ import annotations

import base64
import struct

import pytest

from shared.extract import extract, mapi
from shared.extract.job import Document, Job
from shared.model import Content, Gap, GapCode
from tests.unit.extract_mail.writers import (
    cms,
    compound_file,
    iso2022jp,
    mail,
    msg,
    tnef,
    tnef_properties,
    with_attachment,
)

UNICODE, STRING8, BINARY = 0x1F, 0x1E, 0x102
SUBJECT, BODY, HTML, RTF = 0x37, 0x1000, 0x1013, 0x1009
TEXT = "個人番号の届出①"


def read(data: bytes, name: str = "", media_type: str = ""):
    extraction, deferred = extract(Content(data, name, media_type), clock=lambda: 0.0)
    assert deferred == ()
    return extraction


def at(extraction, location: str) -> str:
    return "\n".join(s.text for s in extraction.segments if s.location == location)


def codes(extraction) -> set[GapCode]:
    return {gap.code for gap in extraction.gaps}


def test_msg_unicode_gives_subject_body_people_and_attachment_name():
    attachment = {
        f"__substg1.0_3707{UNICODE:04X}": "表.txt".encode("utf-16-le"),
        f"__substg1.0_3701{BINARY:04X}": "添付の番号".encode("cp932"),
    }
    tree = msg(
        {
            (SUBJECT, UNICODE): TEXT.encode("utf-16-le"),
            (BODY, UNICODE): (TEXT * 400).encode("utf-16-le"),
            (0x0C1A, UNICODE): "髙橋".encode("utf-16-le"),
        },
        [attachment],
    )
    extraction = read(compound_file(tree))
    assert extraction.gaps == ()
    assert at(extraction, "件名") == TEXT
    assert at(extraction, "本文") == TEXT * 400
    assert at(extraction, "差出人") == "髙橋"
    assert at(extraction, "添付1.txt › 名前") == "表.txt"
    assert at(extraction, "添付1.txt › 本文") == "添付の番号"


def test_msg_ansi_is_decoded_by_its_code_page():
    tree = msg({(SUBJECT, STRING8): TEXT.encode("cp932"), (BODY, STRING8): TEXT.encode("cp932")})
    extraction = read(compound_file(tree))
    assert at(extraction, "件名") == TEXT
    assert at(extraction, "本文") == TEXT


def test_msg_html_body_is_read():
    page = f"<p>{TEXT}</p>".encode()
    extraction = read(compound_file(msg({(HTML, BINARY): page}, codepage=65001)))
    assert at(extraction, "本文（HTML）") == TEXT


def test_msg_inside_msg_is_read_in_its_place():
    inner = msg({(SUBJECT, UNICODE): TEXT.encode("utf-16-le")}, root=False)
    tree = msg({(BODY, UNICODE): "外".encode("utf-16-le")}, [{"__substg1.0_3701000D": inner}])
    assert at(read(compound_file(tree)), "添付1.msg › 件名") == TEXT


def test_msg_attachment_by_reference_is_a_gap():
    tree = msg({(BODY, UNICODE): "外".encode("utf-16-le")}, [{}])
    assert Gap(GapCode.UNSUPPORTED, "添付1") in read(compound_file(tree)).gaps


def test_msg_is_left_for_the_sandbox_when_isolated():
    data = compound_file(msg({(BODY, UNICODE): b"x\0"}))
    extraction, deferred = extract(Content(data), clock=lambda: 0.0, isolate=True)
    assert extraction.segments == ()
    assert [document.data for document in deferred] == [data]


def compressed(data: bytes) -> bytes:
    """LZFu with literals only, then a reference to the window's beginning."""
    out = bytearray()
    for start in range(0, len(data), 8):
        out += b"\0" + data[start : start + 8]
    body = bytes(out)
    return struct.pack("<IIII", len(body) + 12, len(data), 0x75465A4C, 0) + body


def test_compressed_rtf_is_unpacked_with_references_to_the_preset_window():
    job = Job(clock=lambda: 0.0)
    flags = 0b1
    reference = (0 << 4 | 4).to_bytes(2)  # six bytes from the window's beginning
    body = bytes((flags,)) + reference + b"xyz"
    data = struct.pack("<IIII", len(body) + 12, 9, 0x75465A4C, 0) + body
    assert mapi.decompress(data, job) == b"{\\rtf1xyz"
    assert mapi.decompress(compressed(b"{\\rtf1 plain words}"), job) == b"{\\rtf1 plain words}"


def test_winmail_gives_body_names_and_attachments():
    properties = tnef_properties([(0x3707, UNICODE, "長い名前.txt".encode("utf-16-le"))])
    data = tnef(
        [
            (1, 0x9007, struct.pack("<II", 932, 0)),
            (1, 0x8004, TEXT.encode("cp932") + b"\0"),
            (1, 0x9003, tnef_properties([(BODY, UNICODE, TEXT.encode("utf-16-le"))])),
            (2, 0x9002, b"\0" * 14),
            (2, 0x8010, b"NAGAI~1.TXT\0"),
            (2, 0x800F, "中の番号".encode("cp932")),
            (2, 0x9005, properties),
        ]
    )
    extraction = read(with_attachment(b'attachment; filename="winmail.dat"', data=data))
    assert at(extraction, "添付1 › 件名") == TEXT
    assert at(extraction, "添付1 › 本文") == TEXT
    assert at(extraction, "添付1 › 添付1.txt › 本文") == "中の番号"
    assert at(extraction, "添付1 › 添付1.txt › 名前").split("\n") == ["NAGAI~1.TXT", "長い名前.txt"]
    assert extraction.gaps == ()


def test_winmail_cut_off_is_a_gap_and_what_came_before_is_read():
    data = tnef([(1, 0x8004, TEXT.encode("cp932")), (1, 0x800C, b"x" * 50)])[:-20]
    extraction = read(data)
    assert at(extraction, "件名") == TEXT
    assert GapCode.PARTIAL in codes(extraction)


@pytest.mark.parametrize("indefinite", [False, True])
def test_signed_mail_is_read(indefinite):
    inner = b"Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n" + iso2022jp(TEXT)
    data = cms(2, inner, indefinite=indefinite)
    extraction = read(with_attachment(b'attachment; filename="smime.p7m"', data=data))
    assert at(extraction, "添付1.p7m › 署名された内容 › 本文") == TEXT
    assert extraction.gaps == ()


def test_signed_mail_in_armour_is_read():
    inner = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + TEXT.encode()
    armour = (
        b"-----BEGIN PKCS7-----\n" + base64.encodebytes(cms(2, inner)) + b"-----END PKCS7-----\n"
    )
    assert at(read(armour), "署名された内容 › 本文") == TEXT


def test_detached_signature_holds_nothing_and_is_no_gap():
    part = b"Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n" + iso2022jp(TEXT)
    signature = base64.b64encode(cms(2, b""))
    body = (
        b"--s\r\n"
        + part
        + b"\r\n--s\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n"
        + b"Content-Transfer-Encoding: base64\r\n\r\n"
        + signature
        + b"\r\n--s--\r\n"
    )
    extraction = read(mail(body, b"Content-Type: multipart/signed; boundary=s"))
    assert at(extraction, "本文") == TEXT
    assert extraction.gaps == ()


@pytest.mark.parametrize("field", ["fat chain", "directory loop", "sibling loop", "stream loop"])
def test_msg_with_loops_ends(field):
    tree = msg({(BODY, UNICODE): (TEXT * 400).encode("utf-16-le")})
    data = bytearray(compound_file(tree))
    directory = 512 + int.from_bytes(data[48:52], "little") * 512
    table = 512 + int.from_bytes(data[76:80], "little") * 512
    if field == "fat chain":  # the allocation table's own chain points at itself
        data[68:76] = b"\0\0\0\0\xff\xff\xff\x7f"
    elif field == "directory loop":
        first = int.from_bytes(data[48:52], "little")
        data[table + first * 4 : table + first * 4 + 4] = first.to_bytes(4, "little")
    elif field == "sibling loop":
        data[directory + 128 + 72 : directory + 128 + 76] = (1).to_bytes(4, "little")
    else:
        data[table : table + 4] = b"\0\0\0\0"
    extraction = read(bytes(data))
    assert extraction.segments or extraction.gaps


def test_enveloped_mail_is_an_encrypted_gap():
    extraction = read(with_attachment(b'attachment; filename="smime.p7m"', data=cms(3, b"secret")))
    assert Gap(GapCode.ENCRYPTED, "添付1.p7m") in extraction.gaps


def test_pgp_message_is_an_encrypted_gap():
    body = b"From: a@b\r\nSubject: x\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nabcd\r\n"
    assert GapCode.ENCRYPTED in codes(read(body))


@pytest.mark.parametrize(
    ("begins", "code"),
    [
        ("(This file must be converted with BinHex 4.0)\r\n:abc:", GapCode.UNSUPPORTED),
        ("\r\n=ybegin line=128 size=9 name=a.txt\r\nabc\r\n=yend", GapCode.UNSUPPORTED),
        ("-----BEGIN PGP MESSAGE-----\r\n\r\nabcd\r\n", GapCode.ENCRYPTED),
    ],
    ids=["BinHex", "yEnc", "PGP"],
)
def test_encoding_inside_a_body_that_is_not_read_is_a_gap_by_name(begins, code):
    found = read(f"From: a@b\r\nSubject: x\r\n\r\n{begins}".encode())
    assert Gap(code, "本文") in found.gaps


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-8"])
@pytest.mark.parametrize("mark", ["\ufeff", ""])
@pytest.mark.parametrize("name", ["保存.eml", "", "保存.txt"])
def test_mail_saved_as_text_by_an_editor_is_read_as_mail(codec, mark, name):
    packed = base64.b64encode("個人番号の控え".encode()).decode()
    mail = (
        f"{mark}From: 差出人 <a@example.jp>\r\nTo: b@example.jp\r\nSubject: 件名の文字\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="x"\r\n\r\n'
        "--x\r\nContent-Type: text/plain\r\n\r\n本文の文字\r\n"
        "--x\r\nContent-Type: text/plain; charset=utf-8; name=a.txt\r\n"
        f"Content-Transfer-Encoding: base64\r\n\r\n{packed}\r\n--x--\r\n"
    ).encode(codec)
    found = extract(Content(mail, name), clock=lambda: 0.0)[0]
    assert at(found, "件名") == "件名の文字"
    assert at(found, "本文").strip() == "本文の文字"
    assert at(found, "添付1.txt › 本文") == "個人番号の控え"


def test_calendar_texts_folds_and_attachments_are_read():
    picture = base64.b64encode("予定の資料の番号".encode())
    lines = (
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:123456789012\r\n"
        "SUMMARY:個人番号\r\n カードの相談\r\n"
        "DESCRIPTION:一行目\\n二行目\\, 終わり\r\n"
        'ATTENDEE;CN="髙橋: 花子":mailto:h@example.jp\r\n'
        f"ATTACH;ENCODING=BASE64;VALUE=BINARY:{picture.decode()}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    ).encode()
    extraction = read(lines)
    text = at(extraction, "予定")
    assert "個人番号カードの相談" in text
    assert "一行目\n二行目, 終わり" in text
    assert "髙橋: 花子" in text
    assert "123456789012" not in text
    assert at(extraction, "添付1 › 本文") == "予定の資料の番号"


def test_card_in_quoted_shift_jis_is_read():
    name = "".join(f"={byte:02X}" for byte in "能力表子".encode("cp932"))
    card = (
        "BEGIN:VCARD\r\nVERSION:2.1\r\n"
        f"NOTE;CHARSET=SHIFT_JIS;ENCODING=QUOTED-PRINTABLE:{name[:12]}=\r\n{name[12:]}\r\n"
        "TEL;HOME:03-0000-0000\r\nEND:VCARD\r\n"
    )
    text = at(read(card.encode()), "連絡先")
    assert "能力表子" in text
    assert "03-0000-0000" in text


def test_document_read_by_the_sandbox_keeps_its_place():
    document = Document(b"abc", "a.txt", "", "添付3.txt", 1)
    from shared.extract import extract_document  # noqa: PLC0415 - the entry for the sandbox alone

    (segment,) = extract_document(document, clock=lambda: 0.0).segments
    assert segment.location == "添付3.txt › 本文"


def test_word_document_as_one_xml_file_is_read_with_its_runs_joined():
    runs = "<w:r><w:t>12345</w:t></w:r><w:r><w:t>6789018</w:t></w:r>"
    data = f'<?xml version="1.0"?><w:d xmlns:w="z"><w:p>{runs}</w:p><w:p>次</w:p></w:d>'
    extraction = read(data.encode())
    assert at(extraction, "本文（続けた読み）").strip() == "123456789018\n次"
