"""Whatever comes, extraction answers: no exception, the same answer twice, nothing grows wild."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.extract import extract, headers, mime, transfer
from shared.extract.charset import readings
from shared.extract.markup import scan
from shared.extract.sniff import sniff
from shared.model import Content
from tests.unit.extract_mail.golden import cases
from tests.unit.extract_mail.writers import cms, compound_file, msg, tnef

SEEDS = [case.data for case in cases()] + [
    compound_file(msg({(0x1000, 0x1F): b"x\0" * 50}, [{"__substg1.0_37010102": b"y"}])),
    tnef([(1, 0x8004, b"s"), (2, 0x9002, b""), (2, 0x800F, b"d")]),
    cms(2, b"Subject: x\r\n\r\ny"),
    b"BEGIN:VCARD\r\nN;ENCODING=QUOTED-PRINTABLE:=41=\r\n=42\r\nPHOTO;BASE64:QUJD\r\n",
    b"<table><tr><td>a<td hidden>b<!-- c --></table>",
]
BITS = st.sampled_from(
    [
        *(b"\x1b$B", b"\x1b(B", b"\x1b(I", b"\x0e", b"\0", b"\xff\xfe", b"\x81", b"="),
        *(b"=?utf-8?B?", b"?=", b"\r\n", b"\n\n", b"--BB", b"; filename*0*=", b"Content-Type: "),
        *(b"<", b'"', b"<!--", b"&#", b"\x30\x80"),
    ]
)
BOUNDED = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@st.composite
def damaged(draw) -> bytes:
    """A golden mail or document with pieces cut out, doubled and put in."""
    data = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        to = min(len(data), at + draw(st.integers(0, 60)))
        middle = draw(
            st.one_of(BITS, st.binary(max_size=8), st.just(data[at:to] * 2), st.just(b""))
        )
        data = data[:at] + middle + data[to:]
    return data


def answer(data: bytes, name: str = "", media_type: str = ""):
    extraction, _ = extract(Content(data, name, media_type), clock=lambda: 0.0)
    return extraction


@BOUNDED
@given(damaged(), st.sampled_from(["", "message/rfc822", "text/html", "text/csv"]))
def test_damaged_document_is_answered_the_same_twice_and_stays_small(data, media_type):
    first = answer(data, media_type=media_type)
    assert first == answer(data, media_type=media_type)
    # a header value has at most four readings, a body a handful, each no longer than its bytes
    assert sum(len(segment.text) for segment in first.segments) <= 40 * len(data) + 4_000


@BOUNDED
@given(st.binary(max_size=400), st.sampled_from(["a.csv", "a.html", "a.eml", "a.xml", "a.vcf", ""]))
def test_any_bytes_are_answered_and_plain_or_unknown_ones_never_with_nothing(data, name):
    extraction = answer(data, name)
    kinds = sniff(data, name)
    blank = all(not text or text.isspace() for text in readings(data))
    assert extraction.segments or extraction.gaps or blank or kinds not in {(), ("text",)}


@BOUNDED
@given(st.binary(max_size=200), st.text(max_size=20))
def test_any_bytes_have_a_reading_under_any_label(data, label):
    assert all(isinstance(reading, str) for reading in readings(data, label))


@BOUNDED
@given(
    st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=300),
    st.sampled_from(["utf-8", "cp932", "euc_jp", "iso2022_jp", "utf-16", "utf-7"]),
)
def test_text_is_read_back_under_its_own_label(text, codec):
    data = text.encode(codec, "ignore")
    assert data.decode(codec).replace("−", "－") in [
        r.replace("−", "－") for r in readings(data, codec)
    ]


@BOUNDED
@given(st.binary(max_size=300))
def test_any_header_is_parsed(value):
    field = headers.parse(value)
    assert all(field.names(name) is not None for name in field.parameters)
    assert headers.texts(value)


@BOUNDED
@given(st.binary(max_size=300))
def test_base64_reads_what_the_standard_writes_whatever_lies_between(data):
    encoded = email.base64mime.body_encode(data).encode()
    assert transfer.base64(encoded) == data
    assert (
        transfer.base64(b" \r\n!".join(encoded[at : at + 5] for at in range(0, len(encoded), 5)))
        == data
    )


@BOUNDED
@given(st.text(alphabet="<>/!-=\"' \n&;ab[]CDATtdrs", max_size=200), st.booleans())
def test_any_markup_keeps_its_characters(source, xml):
    page = scan(source.replace("a", "７"), lambda: None, xml=xml)
    shown = (page.text, page.comments, page.attributes, page.scripts, page.hidden)
    kept = sum(part.count("７") for part in shown)
    # what stands in the name of a tag is no text
    assert (
        kept
        >= source.count("a")
        - sum(source.count(f"<{x}") + source.count(f"</{x}") for x in "bCDATtdrs") * 60
    )


def _leaves(message) -> list[bytes]:
    """Bodies by the standard library, as a differential witness."""
    if message.is_multipart():
        return [leaf for part in message.get_payload() for leaf in _leaves(part)]
    return [message.get_payload(decode=True) or b""]


def _own_leaves(data: bytes) -> list[bytes]:
    entity = mime.parse(data)
    kind = entity.field("content-type")
    if kind.value.startswith("multipart/"):
        pieces = mime.split(entity.body, mime.boundaries(entity, kind)[0], 1_000)
        return [leaf for part in pieces.parts for leaf in _own_leaves(part)]
    encoding = (entity.all("content-transfer-encoding") or [b""])[0].decode()
    return [transfer.decode(entity.body, encoding)]


@BOUNDED
@given(
    st.recursive(
        st.text(min_size=1, max_size=60),
        lambda inner: st.lists(inner, min_size=1, max_size=4),
        max_leaves=8,
    )
)
def test_structure_of_well_formed_mail_is_the_standard_librarys(tree):
    def build(node) -> EmailMessage:
        message = EmailMessage(policy=email.policy.SMTP)
        if isinstance(node, str):
            message.set_content(node)
        else:
            message.make_mixed()
            for child in node:
                message.attach(build(child))
        return message

    data = build(tree).as_bytes()
    theirs = _leaves(email.message_from_bytes(data, policy=email.policy.compat32))
    assert [leaf.rstrip(b"\r\n") for leaf in _own_leaves(data)] == [
        leaf.rstrip(b"\r\n") for leaf in theirs
    ]
