"""Japanese multi-byte text as Japanese software really writes it: CP50221 and CP51932.

Python's ``iso2022_jp`` and ``euc_jp`` refuse what Windows adds to JIS X 0208 (NEC row 13 ①㈱, the
NEC-selected IBM extensions 髙﨑), half-width kana by ``ESC ( I`` and by SO/SI, and JIS X 0212 under
the plain label. Here each pair of JIS bytes becomes a Shift_JIS pair by arithmetic and is decoded
by ``cp932``. Sources: JIS X 0208 annex 1, RFC 1468, Microsoft code pages 50221 and 51932.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_SHIFT = re.compile(rb"\x1b(?:\$\([@BD]|\$[@AB]|\([A-Z])|\x0e|\x0f")
_HIGH = bytes(b | 0x80 if 0x21 <= b <= 0x7E else b for b in range(256))  # noqa: PLR2004 - JIS range
_KANA = bytes(b | 0x80 if 0x21 <= b <= 0x5F else b for b in range(256))  # noqa: PLR2004 - JIS X 0201
_LOW = bytes(b & 0x7F for b in range(256))
_PAIRS = re.compile(rb"(?:[\x21-\x7e]{2})+")
_EUC_RUN = re.compile(rb"(?:[\xa1-\xfe]{2})+|(?:\x8e[\xa1-\xdf])+|(?:\x8f[\xa1-\xfe]{2})+")

LONG = 1_000_000  # bytes of EUC-JP that are read run by run
MANY = 200_000  # escapes; no text has so many, and each costs a microsecond


def shifts(data: bytes) -> bool:
    """Whether the bytes hold an ISO-2022-JP escape (or shift out) sequence."""
    return any(match[0] != b"\x0f" for match in _SHIFT.finditer(data))


def _pairs_to_sjis(run: bytes) -> bytes:
    """JIS pairs (0x21…0x7E) as Shift_JIS pairs."""
    out = bytearray()
    for row, cell in zip(run[::2], run[1::2], strict=True):
        lead = (row - 0x21 >> 1) + 0x81
        trail = cell + 0x7E if not row & 1 else cell + 0x1F + (cell > 0x5F)  # noqa: PLR2004 - skips 0x7F
        out += bytes((lead + 0x40 if lead > 0x9F else lead, trail))  # noqa: PLR2004 - skips kana
    return bytes(out)


def pairs(run: bytes) -> str:
    """Text of an even run of JIS X 0208 pairs, with the Windows extensions."""
    try:
        return run.translate(_HIGH).decode("euc_jp")
    except UnicodeDecodeError:
        return _pairs_to_sjis(run).decode("cp932", "replace")


def _double(piece: bytes) -> str:
    """A piece in double-byte mode; controls, spaces and a stray last byte stand for themselves."""
    out: list[str] = []
    end = 0
    for match in _PAIRS.finditer(piece):
        out += (piece[end : match.start()].decode("cp932", "replace"), pairs(match[0]))
        end = match.end()
    out.append(piece[end:].decode("cp932", "replace"))
    return "".join(out)


def _double_until_line_end(piece: bytes) -> str:
    """The same where a line end goes back to ASCII (RFC 1468 asks for an escape there)."""
    line, end, rest = piece.partition(b"\n")
    return _double(line) + (end + rest).decode("cp932", "replace")


def _supplement(piece: bytes) -> str:
    """A piece of JIS X 0212."""
    return (b"\x1b$(D" + piece + b"\x1b(B").decode("iso2022_jp_ext", "replace")


def _kana(piece: bytes) -> str:
    return piece.translate(_KANA).decode("cp932", "replace")


def _single(piece: bytes) -> str:
    """ASCII, or whatever 8-bit Shift_JIS is mixed in."""
    return piece.decode("cp932", "replace")


def _by_codec(data: bytes) -> str | None:
    """The standard codec's reading where it is the same (or the text absurd): far faster."""
    if data.count(b"\x1b") > MANY:
        return data.decode("iso2022_jp_ext", "replace")
    if b"\x0e" in data or b"\x1b(J" in data or has_open_line(data):
        return None
    try:
        return data.decode("iso2022_jp_ext")
    except UnicodeDecodeError:
        return None


def cp50221(data: bytes, *, line_end_resets: bool = False) -> str:
    """Decode ISO-2022-JP with all that is found under its name; never raises.

    Readers differ on a line end inside double-byte text; ``line_end_resets`` gives the other
    reading.
    """
    if not line_end_resets:
        plain = _by_codec(data)
        if plain is not None:
            return plain
    double = _double_until_line_end if line_end_resets else _double
    modes: dict[bytes, Callable[[bytes], str]] = {
        b"\x1b$@": double,
        b"\x1b$B": double,
        b"\x1b$(@": double,
        b"\x1b$(B": double,
        b"\x1b$(D": _supplement,
        b"\x1b$A": _gb2312,
        b"\x1b(I": _kana,
        b"\x0e": _kana,
    }
    out = []
    mode: Callable[[bytes], str] = _single
    end = 0
    for match in _SHIFT.finditer(data):
        out.append(mode(data[end : match.start()]))
        mode = modes.get(match[0], _single)
        end = match.end()
    out.append(mode(data[end:]))
    return "".join(out)


def _gb2312(piece: bytes) -> str:
    """Chinese inside ISO-2022-JP-2."""
    return piece.translate(_HIGH).decode("gb2312", "replace")


def has_open_line(data: bytes) -> bool:
    """Whether a line ends inside double-byte text, so that readers may differ."""
    if data.count(b"\x1b") > MANY:
        return False
    return re.search(rb"\x1b\$\(?[@BD][^\x1b\n]*\n[ \t\r\n]*[\x21-\x7e]", data) is not None


def cp51932(data: bytes) -> str:
    """Decode EUC-JP with the Windows extensions; never raises."""
    try:
        return data.decode("euc_jp")
    except UnicodeDecodeError:
        if len(data) > LONG:
            return data.decode("euc_jis_2004", "replace")
    out = []
    end = 0
    for match in _EUC_RUN.finditer(data):
        out.append(data[end : match.start()].decode("ascii", "replace"))
        run = match[0]
        if run[0] == 0x8E:  # noqa: PLR2004 - single shift two: half-width kana
            out.append(run.replace(b"\x8e", b"").decode("cp932", "replace"))
        elif run[0] == 0x8F:  # noqa: PLR2004 - single shift three: JIS X 0212
            out.append(run.decode("euc_jp", "replace"))
        else:
            out.append(pairs(run.translate(_LOW)))
        end = match.end()
    out.append(data[end:].decode("ascii", "replace"))
    return "".join(out)
