"""Hostile archives and mails: by zipfile and email, from the other files of the corpus."""

from __future__ import annotations

import io
import zipfile
from email.message import EmailMessage

from tests.unit.extract_files.archive_cases import lzh, seven_zip
from tests.unit.extract_files.rar_cases import built
from tests.unit.sanitize.sanitize_office import docm, saved_image
from tests.unit.sanitize.sanitize_pages import PAGES
from tests.unit.sanitize.sanitize_pdf import SCRIPT, poisoned
from tests.unit.sanitize.sanitize_sample import WORDS, Sample

ICS = (
    "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:会議\r\n"
    "DTSTART:20261125T000000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
).encode()
CALLS = "住民課,=cmd|' /C calc'!A0\r\n".encode()
EXE = b"MZ" + b"\x90\0\3" * 40


def archive(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", 8) as made:
        for name, data in members:
            made.writestr(name, data)
    return out.getvalue()


def mail(*, html=None, files=(), invitation=None):
    message = EmailMessage()
    message["From"] = "差出人 <a@example.jp>"
    message["To"] = "b@example.jp"
    message["Subject"] = "住民票についてのお知らせ（長い件名がここにあります）"
    message["DKIM-Signature"] = "v=1; a=rsa-sha256; d=example.jp; s=s; b=AAAA"
    message.set_content(WORDS)
    if html:
        message.add_alternative(html.decode(), subtype="html")
    if invitation:
        message.add_alternative(
            invitation.decode(), subtype="calendar", params={"method": "REQUEST"}
        )
    for name, data in files:
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes(policy=message.policy.clone(linesep="\r\n"))


def pdf():
    return poisoned(lambda made: made.Root.__setitem__("/OpenAction", SCRIPT))


def samples():
    text = WORDS.encode()
    yield Sample("exe.zip", archive([("案内.txt", text), ("setup.exe", EXE)]), "executable")
    yield Sample(
        "macro.zip", archive([("案内.txt", text), ("様式/申請.docm", docm().data())]), "macro"
    )
    yield Sample(
        "slip.zip", archive([("../../案内.txt", text), ("C:\\a\\b.txt", b"x")]), "name_cleaned"
    )
    files = {"案内.txt": text, "様式/申請.docm": docm().data()}
    yield Sample("macro.rar", built(files), "macro")
    yield Sample("solid.rar", built(files | {"a.exe": EXE}, solid=True), "executable")
    yield Sample(
        "exe.7z", seven_zip({"案内.txt": text, "a.exe": EXE, "b.csv": CALLS}), "csv_formula"
    )
    yield Sample("macro.lzh", lzh("申請.docm", docm().data()), "macro")
    yield Sample("script.lzh", lzh("案内.html", PAGES["script"][0]), "script")
    inner = archive([("案内.txt", text), ("a.pdf", pdf())])
    yield Sample("nested.zip", archive([("中.zip", inner)]), "pdf_action")
    yield Sample("page.eml", mail(html=PAGES["tracker"][0]), "remote_image")
    yield Sample("macro.eml", mail(files=[("申請書.docm", docm().data())]), "macro")
    yield Sample("exe.eml", mail(files=[("請求書.pdf.exe", EXE)]), "executable")
    yield Sample("pdf.eml", mail(files=[("案内.pdf", pdf())]), "pdf_action")
    yield Sample("zip.eml", mail(files=[("資料.zip", archive([("a.exe", EXE)]))]), "executable")
    nested = mail(html=PAGES["script"][0])
    body = b"\r\n".join(
        [
            b"From: c@example.jp",
            b"To: d@example.jp",
            b"Subject: fw",
            b"MIME-Version: 1.0",
            b'Content-Type: multipart/mixed; boundary="out"',
            b"",
            b"--out",
            b"Content-Type: message/rfc822",
            b"",
            nested,
            b"--out--",
            b"",
        ]
    )
    yield Sample("nested.eml", body, "script")
    exif = saved_image("JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0")
    yield Sample("photo.eml", mail(files=[("写真.jpg", exif)]), "")
    yield Sample("invitation.eml", mail(invitation=ICS, files=[("a.exe", EXE)]), "executable")
