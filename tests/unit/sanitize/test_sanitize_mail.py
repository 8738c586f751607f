"""Mail: what is not touched stays byte for byte, and what follows for signatures is stated."""

# ruff: noqa: E501 - raw mails are quoted in one piece
from __future__ import annotations

import email
import email.policy
import re

from asn1crypto import cms

from shared.model import GapCode
from shared.sanitize import Links, Parts
from tests.unit.sanitize.sanitize_mail import EXE, ICS, archive, mail
from tests.unit.sanitize.sanitize_office import docm, document
from tests.unit.sanitize.sanitize_pages import PAGES
from tests.unit.sanitize.sanitize_sample import WORDS, clean, codes

HEADERS = re.compile(rb"\A(.*?)\r\n\r\n", re.DOTALL)


def statements(result):
    return {each.code for each in result.lineage.statements}


def parts_of(data):
    message = email.message_from_bytes(data, policy=email.policy.default)
    return {part.get_filename(): part for part in message.walk() if part.get_filename()}


def test_harmless_mail_is_byte_identical():
    data = mail()
    result = clean(data, "", "message/rfc822")
    assert result.content.data == data
    assert (result.lineage.original, result.lineage.removals) == (result.lineage.clean, ())
    assert result.lineage.text_kept is True
    assert statements(result) == set()


def test_changed_mail_keeps_its_headers_byte_for_byte_and_states_dkim():
    data = mail(html=PAGES["script"][0])
    result = clean(data, "", "message/rfc822")
    assert HEADERS.match(result.content.data)[1] == HEADERS.match(data)[1]
    assert "dkim_broken" in statements(result)
    assert all(each.ja and each.en for each in result.lineage.statements)


def test_single_part_mail_keeps_raw_japanese_headers():
    head = "Subject: 件名".encode("cp932") + b"\r\nFrom: a@example.jp\r\nTo: b@example.jp"
    data = (
        head
        + b"\r\nContent-Type: text/html; charset=shift_jis\r\n\r\n"
        + PAGES["script"][0].decode().encode("cp932")
    )
    result = clean(data, "", "message/rfc822")
    assert result.content.data.startswith(head + b"\r\n")
    body = email.message_from_bytes(result.content.data).get_payload(decode=True).decode()
    assert WORDS in body
    assert "script" not in body


def test_invitation_stays_intact_beside_a_removed_program():
    data = mail(invitation=ICS, files=[("a.exe", EXE)])
    result = clean(data, "", "message/rfc822")
    raw = re.search(rb"Content-Type: text/calendar.*?(?=\r\n--)", data, re.DOTALL)[0]
    assert raw in result.content.data
    assert codes(result) == {"executable"}


def test_japanese_attachment_names_are_kept_and_follow_the_new_type():
    data = mail(files=[("申請書（住民票）.docm", docm().data()), ("住民票の写しの請求書.exe", EXE)])
    found = parts_of(clean(data, "", "message/rfc822").content.data)
    assert set(found) == {"申請書（住民票）.docx", "住民票の写しの請求書.exe（削除）.txt"}
    note = found["住民票の写しの請求書.exe（削除）.txt"].get_content()
    assert "実行ファイルを削除" in note
    assert "executable removed" in note


def test_clean_attachment_beside_a_dirty_one_keeps_its_bytes():
    kept = clean(document(), "a.docx").content.data
    data = mail(files=[("きれい.docx", kept), ("a.exe", EXE)])
    assert (
        parts_of(clean(data, "", "message/rfc822").content.data)["きれい.docx"].get_content()
        == kept
    )


def test_encrypted_part_holds_the_mail_or_becomes_a_note_by_option():
    locked = bytearray(archive([("a.txt", b"x" * 50)]))
    at = locked.index(b"PK\1\2")
    locked[6] |= 1
    locked[at + 8] |= 1
    data = mail(files=[("資料.zip", bytes(locked))])
    held = clean(data, "", "message/rfc822")
    assert held.content is None
    assert [(gap.code, gap.location) for gap in held.gaps] == [(GapCode.ENCRYPTED, "添付1.zip")]
    passed = clean(data, "", "message/rfc822", parts=Parts.NOTE)
    assert [(gap.code, gap.location) for gap in passed.gaps] == [(GapCode.ENCRYPTED, "添付1.zip")]
    assert "held_part" in codes(passed)
    assert "パスワード" in parts_of(passed.content.data)["資料.zip（削除）.txt"].get_content()


def signed(body, signature):
    return (
        b"From: a@example.jp\r\nTo: b@example.jp\r\nContent-Type: multipart/signed; micalg=sha-256;"
        b' protocol="application/pkcs7-signature"; boundary="s"\r\n\r\n--s\r\n'
        + body
        + b"\r\n--s\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n"
        + b"Content-Transfer-Encoding: base64\r\n\r\n"
        + signature
        + b"\r\n--s--\r\n"
    )


def cms_of(inner=None):
    data = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": {"content_type": "data", "content": inner},
            "signer_infos": [],
        }
    )
    import base64  # noqa: PLC0415 - only here

    return base64.encodebytes(
        cms.ContentInfo({"content_type": "signed_data", "content": data}).dump()
    )


TEXT = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + WORDS.encode()
PAGE = b"Content-Type: text/html; charset=utf-8\r\n\r\n" + PAGES["script"][0]


def test_smime_signature_stays_on_what_is_not_changed():
    data = signed(TEXT, cms_of())
    assert clean(data, "", "message/rfc822").content.data == data


def test_smime_signature_goes_with_a_change_and_is_stated():
    result = clean(signed(PAGE, cms_of()), "", "message/rfc822")
    assert "signature" in codes(result)
    assert "smime_broken" in statements(result)
    assert b"pkcs7-signature" not in result.content.data


def test_opaque_smime_content_is_taken_out_and_cleaned():
    data = (
        b"From: a@example.jp\r\nTo: b@example.jp\r\nSubject: s\r\n"
        b"Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + cms_of(PAGE)
    )
    result = clean(data, "", "message/rfc822")
    assert {"smime_opaque", "script"} <= codes(result)
    assert b"pkcs7" not in result.content.data
    assert result.content.data.startswith(
        b"From: a@example.jp\r\nTo: b@example.jp\r\nSubject: s\r\n"
    )


def test_mail_that_reads_in_two_ways_is_held():
    for data in (
        b"From: a@b.c\r\nTo: d@e.f\r\nContent-Type: text/plain\r\nContent-Type: text/html\r\n\r\n<b>x",
        b"From: a@b.c\r\nTo: d@e.f\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nno end",
        b"From: a@b.c\r\nTo: d@e.f\r\nno header here\r\nSubject: x\r\n\r\nbody",
        b"From: a@b.c\r\nTo: d@e.f\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD==QUJD",
    ):
        result = clean(data, "", "message/rfc822")
        assert result.content is None, data
        assert result.gaps[-1].code is GapCode.AMBIGUOUS


def test_uuencoded_program_in_a_text_is_held():
    data = b"From: a@b.c\r\nTo: d@e.f\r\n\r\nhi\r\nbegin 644 a.exe\r\n#35H`\r\n`\r\nend\r\n"
    assert clean(data, "", "message/rfc822").content is None


def test_link_shows_its_real_target_and_can_be_kept():
    data = PAGES["link"][0]
    shown = clean(data, "a.html").content.data.decode()
    assert "https://www.example.jp/</span> [hxxp://evil[.]example/login]" in shown
    kept = clean(data, "a.html", links=Links.KEEP)
    assert '<a href="http://evil.example/login">' in kept.content.data.decode()
    assert clean(kept.content.data, "a.html", links=Links.KEEP).content == kept.content
