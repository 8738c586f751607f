"""What an attacker sends: it ends, within the budget, with what was not read named.

The sizes are those at which a quadratic reader would take minutes: the test's own timeout of the
suite is the promise, no clock is compared.
"""

from __future__ import annotations

import itertools

import pytest

from shared.extract import Limits, extract
from shared.model import Content, Gap, GapCode
from tests.unit.extract_mail.writers import CRLF, cms, mail, nested, with_attachment

HTML = b"Content-Type: text/html; charset=utf-8"
MANY = 80_000


def read(data: bytes, **limits: float):
    ticks = itertools.count()
    extraction, _ = extract(
        Content(data, media_type="message/rfc822"),
        clock=lambda: float(next(ticks)) / 1e9,
        limits=Limits(**limits),
    )
    return extraction


def codes(extraction) -> set[GapCode]:
    return {gap.code for gap in extraction.gaps}


def whole(extraction) -> str:
    return "\n".join(segment.text for segment in extraction.segments)


def test_three_thousand_levels_are_too_deep_and_the_innermost_text_is_still_scanned():
    extraction = read(nested(3000, b"deep number"))
    assert GapCode.TOO_DEEP in codes(extraction)
    assert "deep number" in whole(extraction)


def test_levels_within_the_limit_are_read_without_a_gap():
    extraction = read(nested(40, b"deep number"))
    assert extraction.gaps == ()
    assert "deep number" in whole(extraction)


def test_mails_in_mails_are_read_to_the_budget_and_named_beyond():
    data = b"Subject: inner\r\nFrom: a@b\r\n\r\nx"
    for _ in range(20):
        data = b"Subject: outer\r\nContent-Type: message/rfc822\r\n\r\n" + data
    extraction = read(data)
    assert GapCode.TOO_DEEP in codes(extraction)
    assert sum(segment.location.endswith("件名") for segment in extraction.segments) == 9


def test_more_parts_than_the_limit_are_a_gap():
    body = b"--b\r\n\r\nx\r\n" * 2000
    extraction = read(mail(body, b"Content-Type: multipart/mixed; boundary=b"))
    assert GapCode.TOO_MANY in codes(extraction)


def test_header_longer_than_a_megabyte_is_a_gap_and_its_end_is_still_scanned():
    extraction = read(b"Subject: " + b"a" * 2_000_000 + b" number\r\n\r\nx")
    assert Gap(GapCode.TOO_LARGE, "ヘッダー") in extraction.gaps
    assert " number" in whole(extraction)


def test_base64_beyond_the_expanded_budget_is_a_gap():
    extraction = read(
        with_attachment(b'attachment; filename="a.txt"', data=b"x" * 10_000), expanded=5_000
    )
    assert GapCode.TOO_LARGE in codes(extraction)


def test_time_used_up_is_a_gap():
    seconds = itertools.count()
    extraction, _ = extract(Content(mail(b"x" * 100)), clock=lambda: float(next(seconds)) * 100)
    assert GapCode.TIMED_OUT in codes(extraction)


def test_external_body_and_partial_message_are_gaps():
    assert GapCode.EXTERNAL in codes(read(mail(b"", b"Content-Type: message/external-body")))
    assert GapCode.PARTIAL in codes(read(mail(b"x", b"Content-Type: message/partial")))


@pytest.mark.parametrize(
    "body",
    [
        b"<p " + b" ".join(b"a%d=1" % number for number in range(MANY)) + b">number",
        b"<p " + b" ".join(b"a%d='" % number for number in range(MANY)) + b">number",
        b"<!--" * MANY + b"number",
        b"<![CDATA[" * MANY + b"number",
        b"<" * MANY * 4 + b" number",
        b'<a "' * MANY + b"number",
        b"<a x=\"'" * MANY + b"number",
        b"<p a" + b" " * MANY * 10 + b"number",
        b"<p " + b"= " * MANY + b"number",
        b"<script>" * MANY + b"number",
        b"<table><tr><td>" * MANY + b"number",
        b"<div hidden>" * MANY + b"number",
        b"&" * MANY * 4 + b"number",
        b'<p style="display' + b" " * MANY * 4 + b'">number',
    ],
    ids=range(14),
)
def test_hostile_html_is_linear_and_loses_no_text(body):
    assert "number" in whole(read(mail(body, HTML)))


@pytest.mark.parametrize(
    "header",
    [
        b"Subject: " + b"=?" * MANY * 3 + b"number",
        b"Subject: " + b"=?utf-8?B?YQ==?= " * MANY + b"number",
        b"Subject: " + b"=?a?b?" * MANY + b" number",
        b"Subject: " + b" " * MANY * 10 + b"number",
        b"Subject: x" + b"\r\n y" * MANY + b"number",
        b"X-A: y\r\n" * 5_000 + b"Subject: number",
    ],
    ids=range(6),
)
def test_hostile_header_is_linear(header):
    extraction = read(header[: 1 << 20] + CRLF + b"From: a@b" + CRLF + CRLF + b"x")
    assert any(segment.location == "件名" for segment in extraction.segments)


@pytest.mark.parametrize(
    "value",
    [
        b"; ".join(b"a%d=b" % number for number in range(MANY)),
        b"".join(b"; filename*%d=a" % number for number in range(40_000)),
        b" " * MANY * 10,
        b'a="' * MANY,
        b"a =" * MANY,
        b"a\\" * MANY,
        b"filename=" + b"%41" * MANY,
        b"filename=a\x83b; " * 40_000,
    ],
    ids=range(8),
)
def test_hostile_parameters_are_linear(value):
    assert "body" in whole(read(mail(b"body", b"Content-Disposition: attachment; " + value)))


@pytest.mark.parametrize(
    ("body", "head"),
    [
        (b"-" * MANY * 10, b"multipart/mixed; boundary=-"),
        (b"--b " * MANY, b"multipart/mixed; boundary=b"),
        (b"--" * MANY + b"\n--a" * MANY, b"multipart/mixed"),
        (b"begin 644 a\n" * MANY, b"text/plain"),
        (b"\x1b$B" * MANY, b"text/plain; charset=iso-2022-jp"),
        (b"\x1b$B!!\n" * MANY, b"text/plain; charset=iso-2022-jp"),
        (b"$B" * MANY * 4, b"text/plain; charset=iso-2022-jp"),
        (b"$B!(B" * MANY, b"text/plain; charset=iso-2022-jp"),
        (b"\xad\xa1" * MANY, b"text/plain; charset=euc-jp"),
        (b"+" * MANY * 4, b"text/plain; charset=utf-7"),
        (b"a \n" * MANY, b"text/plain; format=flowed"),
    ],
    ids=range(11),
)
def test_hostile_body_is_linear(body, head):
    extraction = read(mail(body, b"Content-Type: " + head))
    assert extraction.segments


@pytest.mark.parametrize(
    "label", ["idna", "punycode", "unicode_escape", "zlib", "rot13", "mbcs", "undefined"]
)
def test_codecs_that_are_no_charsets_are_not_called(label):
    body = b"xn--" + b"a-" * 50_000 + b"\\u0031"
    extraction = read(mail(body, f"Content-Type: text/plain; charset={label}".encode()))
    assert body.decode() in [segment.text for segment in extraction.segments]


def test_signed_mail_nested_without_end_is_a_gap():
    data = b"\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80" + b"\x30\x80" * 50_000
    extraction = read(with_attachment(b"attachment", data=data))
    assert GapCode.MALFORMED in codes(extraction)


def test_signed_mails_in_signed_mails_end_at_the_depth_limit():
    data = b"From: a@b\r\nSubject: x\r\n\r\ninnermost"
    for _ in range(12):
        head = b"Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        data = head + cms(2, data)
    assert GapCode.TOO_DEEP in codes(read(data))
