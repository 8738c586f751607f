"""Bytes to text: the declared encoding where it holds, the real one where it does not.

``readings`` gives every reading that a recipient's program may show: where the label and the bytes
disagree, mail programs follow one or the other, and both are scanned.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

import chardetng_py

from shared.extract import utf16
from shared.extract.jis import cp50221, cp51932, has_open_line, shifts

JIS = frozenset(
    {"iso-2022-jp", "iso2022jp", "csiso2022jp", "iso-2022-jp-ms", "cp50220", "cp50221", "cp50222"}
    | {"iso-2022-jp-1", "iso-2022-jp-2", "iso-2022-jp-3", "iso-2022-jp-2004", "x-iso-2022-jp"}
    | {"iso-2022-jp-ext", "jis", "jis_encoding", "csjisencoding"}
)
ASCII = frozenset({"", "us-ascii", "ascii", "ansi_x3.4-1968", "unknown-8bit", "8bit", "binary"})
SJIS = frozenset(
    {"shift_jis", "shift-jis", "sjis", "x-sjis", "windows-31j", "ms932", "cp932", "csshiftjis"}
    | {"ms_kanji", "windows-932", "shiftjis", "cp943", "x-ms-cp932", "cswindows31j"}
)
EUC = frozenset(
    {"euc-jp", "x-euc-jp", "eucjp", "eucjp-ms", "eucjp-win", "cp51932", "x-euc", "ujis"}
)
CERTAIN = SJIS | EUC  # labels that a strict decoding can confirm

# The only codecs that a label may call: Python also offers idna and punycode (quadratic) and
# unicode_escape, which are no charsets.
_NAMES = (
    "ascii big5 big5hkscs cp037 cp1006 cp1125 cp1140 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255"
    " cp1256 cp1257 cp1258 cp437 cp500 cp720 cp737 cp775 cp850 cp852 cp855 cp858 cp860 cp861"
    " cp862 cp863 cp864 cp865 cp866 cp869 cp874 cp932 cp949 cp950 euc_jis_2004 euc_jisx0213"
    " euc_jp euc_kr gb18030 gb2312 gbk hz iso2022_jp iso2022_jp_1 iso2022_jp_2 iso2022_jp_2004"
    " iso2022_jp_3 iso2022_jp_ext iso2022_kr iso8859-1 iso8859-10 iso8859-11 iso8859-13"
    " iso8859-14 iso8859-15 iso8859-16 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6"
    " iso8859-7 iso8859-8 iso8859-9 johab koi8-r koi8-u mac-cyrillic mac-greek mac-latin2"
    " mac-roman ptcp154 shift_jis shift_jis_2004 shift_jisx0213 tis-620 utf-16 utf-16-be"
    " utf-16-le utf-32 utf-32-be utf-32-le utf-7 utf-8 utf-8-sig"
)
CODECS = frozenset(_NAMES.split())
MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_CONTROLS = bytes(b for b in range(32) if b not in b"\t\n\v\f\r") + b"\x7f"
_BARE_START = re.compile(rb"\$[@B]")
_BARE_END = re.compile(rb"\([BJ]")
_DETECT = 200_000  # bytes that the detector looks at
_FEW = 50  # one damaged byte in so many characters does not change the encoding


def decode(data: bytes, label: str = "") -> str:
    """The likeliest reading; never raises."""
    return readings(data, label)[0]


def readings(data: bytes, label: str = "") -> tuple[str, ...]:
    """The likeliest reading first, then those that other programs would show; never raises."""
    if data.isascii() and not _is_seven_bit_code(data, label):
        return (data.decode("ascii"),)
    label = label.strip(" \t\r\n\"'").lower()
    declared = _declared(data, label)
    if declared is not None and label in CERTAIN and _confirmed(data, declared):
        return (declared,)
    guessed = guess(data)
    first = guessed if declared is None or _absurd(data, label) else declared
    found = dict.fromkeys((first, guessed, *_others(data, label)))
    return tuple(found)


def _confirmed(data: bytes, text: str) -> bool:
    """Whether a legacy label is plainly right (asking the detector would double a mail's time).

    EUC-JP read as Shift_JIS is mostly half-width kana, so those confirm nothing.
    """
    head = text[: utf16.LOOK]
    kana = sum("\uff61" <= character <= "\uff9f" for character in head)
    return (
        b"\x1b" not in data
        and kana * 10 < len(head)
        and utf16.plausible(head) >= utf16.LIKELY
        and not _is_utf8(data)
    )


def _is_seven_bit_code(data: bytes, label: str) -> bool:
    """Whether ASCII bytes may stand for more: JIS, UTF-7, HZ, UTF-16 and EBCDIC labels."""
    if len(data.translate(None, _CONTROLS)) != len(data):
        return True
    label = label.strip(" \t\r\n\"'").lower()
    return label not in PLAIN and label not in SJIS and label not in EUC and data != b""


PLAIN = frozenset({"", "us-ascii", "ascii", "utf-8", "utf8", "iso-8859-1", "windows-1252"})


def _declared(data: bytes, label: str) -> str | None:
    """What the label says, or None if it says nothing or the bytes contradict it."""
    if label in ASCII:
        return None
    if label in JIS:
        return cp50221(data) if shifts(data) else None
    codec = "cp932" if label in SJIS else "euc_jp" if label in EUC else _codec(label)
    if not codec:
        return None
    try:
        return data.decode(codec)
    except (UnicodeError, ValueError):
        return None


def _absurd(data: bytes, label: str) -> bool:
    """A page that calls itself UTF-16 in plain bytes: browsers read it as UTF-8."""
    return label.startswith(("utf-16", "utf-32")) and b"\0" not in data and _is_utf8(data)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _codec(label: str) -> str:
    """The name of an allowed codec, or empty."""
    try:
        name = codecs.lookup(label).name
    except (LookupError, ValueError):
        return ""
    return name if name in CODECS else ""


def _others(data: bytes, label: str) -> list[str]:
    """Readings beside the first: an open line in JIS, JIS whose escapes were stripped."""
    found = []
    if has_open_line(data):
        found.append(cp50221(data, line_end_resets=True))
    if label in JIS and not shifts(data) and _BARE_START.search(data):
        found.append(cp50221(_escaped_again(data)))
    return found


def _escaped_again(data: bytes) -> bytes:
    """JIS whose escape characters a gateway stripped, with them; moves forward only."""
    out: list[bytes] = []
    end = 0
    while (start := _BARE_START.search(data, end)) is not None:
        close = _BARE_END.search(data, start.end())
        while close and (close.start() - start.end()) % 2:  # inside a pair
            close = _BARE_END.search(data, close.start() + 1)
        if not close:
            break
        out += (data[end : start.start()], b"\x1b", data[start.start() : close.start()], b"\x1b(B")
        end = close.end()
    return b"".join((*out, data[end:]))


def guess(data: bytes) -> str:
    """The text by the bytes alone; never raises."""
    for mark, codec in MARKS:
        if data.startswith(mark):
            return data.decode(codec, "replace")
    if b"\0" in data and (order := utf16.order(data)):
        return data.decode(order, "replace")
    if shifts(data) and _mostly_seven_bit(data):
        return cp50221(data)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = _guess_legacy(data)
    if utf16.broken(text) and (order := utf16.order(data)):
        return data.decode(order, "replace")
    return text


def _mostly_seven_bit(data: bytes) -> bool:
    high = len(data) - len(data.translate(None, bytes(range(0x80, 0x100))))
    return high * 10 < len(data)


def _guess_legacy(data: bytes) -> str:
    """Text that is not valid UTF-8: Shift_JIS, EUC-JP, damaged UTF-8, or what the detector says."""
    damaged = data.decode("utf-8", "replace")
    wide = sum(1 for character in damaged[:_DETECT] if character > "\x7f")
    if damaged.count("\ufffd", 0, _DETECT) * _FEW < wide:
        return damaged
    name = chardetng_py.detect(data[:_DETECT], tld=b"jp").lower()
    decoder = _LEGACY.get(name)
    if decoder is not None:
        return decoder(data)
    try:
        return data.decode("cp932")
    except UnicodeDecodeError:
        return data.decode(_codec(name) or "cp932", "replace")


_LEGACY: dict[str, Callable[[bytes], str]] = {
    "euc-jp": cp51932,
    "shift_jis": lambda data: data.decode("cp932", "replace"),
    "iso-2022-jp": cp50221,
}
