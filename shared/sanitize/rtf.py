"""RTF, read as tokens and written anew without objects, DDE, templates and metafiles.

Word reads RTF leniently, and attacks hide behind that; here each control word is parsed to the
letter and written back in its plain form, so that what was broken up to deceive a scanner is whole
again before it is judged. Source: RTF 1.9.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.model import GapCode
from shared.sanitize import wordfields
from shared.sanitize.raster import re_encoded
from shared.sanitize.work import HoldError, Part, Work

DEPTH = 500
_TOKEN = re.compile(
    rb"\\(?P<word>[A-Za-z]{1,64})(?P<number>-?\d{1,10})? ?|\\'(?P<hex>[0-9A-Fa-f]{2})"
    rb"|\\(?P<sign>[^A-Za-z'])|(?P<brace>[{}])|(?P<text>[^\\{}]+)",
    re.DOTALL,
)
# Destinations that go whole → what they are.
_GONE: dict[bytes, str] = {
    b"objdata": "ole_object",
    b"objclass": "ole_object",
    b"objname": "ole_object",
    b"objalias": "ole_object",
    b"objsect": "ole_object",
    b"objtime": "",
    b"template": "external_template",
    b"mailmerge": "external_link",
    b"nextfile": "external_link",
    b"filetbl": "external_link",
    b"userprops": "",
    b"datastore": "unknown_part",
    b"xmlopen": "",
    b"xmlnstbl": "",
    b"factoidname": "",
    b"htmltag": "",
    b"mhtmltag": "",
    b"nonshppict": "",
    b"blipuid": "",
    b"passwordhash": "",
    b"datafield": "",
    b"private": "",
    b"ddecmd": "dde",
}
# Words that go by themselves, wherever they stand.
_WORDS = frozenset(
    {b"objupdate", b"objocx", b"objemb", b"objlink", b"objautlink", b"objsub", b"objpub"}
    | {b"objicemb", b"objhtml", b"objattph", b"linkself", b"objlock", b"rsltmerge"}
)
_METAFILES = (b"wmetafile", b"emfblip", b"macpict", b"pmmetafile", b"dibitmap", b"wbitmap")


@dataclass(slots=True)
class Group:
    """``{ … }``: tokens (bytes) and groups, in order."""

    items: list[bytes | Group] = field(default_factory=list, repr=False)

    def destination(self) -> bytes:
        r"""The first control word, without the number (and the ``\\*`` before it)."""
        for item in self.items[:3]:
            if isinstance(item, Group):
                return b""
            if item == b"\\*" or not item.strip():
                continue
            return _word(item)
        return b""

    def words(self) -> Iterator[bytes]:
        """The control words standing directly in it."""
        return (_word(item) for item in self.items if isinstance(item, bytes))


def clean(part: Part, work: Work) -> Part:
    """The document. Raises HoldError for what is no RTF to the letter."""
    root = _parsed(part.data, work)
    cleaned = _Cleaner(part, work).group(root, 0)
    if cleaned is None:
        raise HoldError(GapCode.MALFORMED)
    data = _written(cleaned)
    return part.with_data(data)


def _word(token: bytes) -> bytes:
    match = re.match(rb"\\([A-Za-z]+)", token)
    return match[1].lower() if match else b""


def _parsed(data: bytes, work: Work) -> Group:
    """The groups of a document; what stands behind the last brace is dropped."""
    if not data.startswith(b"{\\rt"):
        raise HoldError(GapCode.MALFORMED)
    root = Group()
    stack = [root]
    at, count = 1, 0
    while at < len(data) and stack:
        match = _TOKEN.match(data, at)
        if match is None:
            raise HoldError(GapCode.MALFORMED)
        at = match.end()
        count += 1
        if count % 5_000 == 0:
            work.tick()
        if match["brace"]:
            _brace(match["brace"], stack)
        elif match["word"] == b"bin":
            size = int(match["number"] or 0)
            if size < 0 or at + size > len(data):
                raise HoldError(GapCode.MALFORMED)
            stack[-1].items.append(b"\\bin%d " % size + data[at : at + size])
            at += size
        else:
            stack[-1].items.append(_token(match))
    return root


def _brace(brace: bytes, stack: list[Group]) -> None:
    if brace == b"}":
        stack.pop()
        return
    inner = Group()
    stack[-1].items.append(inner)
    stack.append(inner)
    if len(stack) > DEPTH:
        raise HoldError(GapCode.TOO_DEEP)


def _token(match: re.Match[bytes]) -> bytes:
    """The token in its plain form."""
    if match["word"]:
        return b"\\" + match["word"] + (match["number"] or b"") + b" "
    if match["hex"]:
        return b"\\'" + match["hex"].lower()
    return match[0]


def _written(group: Group) -> bytes:
    pieces: list[bytes] = []
    stack: list[Iterator[bytes | Group]] = [iter(group.items)]
    pieces.append(b"{")
    while stack:
        item = next(stack[-1], None)
        if item is None:
            stack.pop()
            pieces.append(b"}")
        elif isinstance(item, Group):
            stack.append(iter(item.items))
            pieces.append(b"{")
        else:
            pieces.append(item)
    data = b"".join(pieces)
    return re.sub(rb"\A\{\\rt[a-z]?\d* ?", rb"{\\rtf1 ", data)


class _Cleaner:
    """Walks the groups, counting what goes."""

    def __init__(self, part: Part, work: Work) -> None:
        self.part = part
        self.work = work

    def gone(self, code: str) -> None:
        if code:
            self.work.removed(code, self.part.location)

    def group(self, group: Group, depth: int) -> Group | None:
        """The clean group, or None if it goes."""
        name = group.destination()
        if name in _GONE:
            self.gone(_GONE[name])
            return None
        if name == b"fldinst" and not wordfields.is_kept(_text(group)):
            self.gone("field")
            return None
        if name == b"object":
            return self.object(group, depth)
        if name == b"field":
            return self.field(group, depth)
        if name == b"pict" or any(word in _METAFILES for word in group.words()):
            return self.picture(group)
        return self.plain(group, depth)

    def plain(self, group: Group, depth: int) -> Group:
        """A group without what may not stay in it."""
        clean = Group()
        for item in group.items:
            if isinstance(item, Group):
                inner = self.group(item, depth + 1)
                if inner is not None:
                    clean.items.append(inner)
            elif _word(item) in _GONE:  # a destination in mid-group takes the rest along
                self.gone(_GONE[_word(item)])
                break
            elif _word(item) in _WORDS:
                self.gone("ole_object")
            elif _word(item) != b"bin":
                clean.items.append(item)
        return clean

    def object(self, group: Group, depth: int) -> Group:
        """An object becomes the result that is shown for it."""
        self.gone("ole_object")
        shown = Group()
        for item in group.items:
            if isinstance(item, Group) and item.destination() in {b"result", b""}:
                inner = self.group(item, depth + 1)
                if inner is not None:
                    inner.items = [i for i in inner.items if _named(i) != b"result"]
                    shown.items.append(inner)
        return shown

    def field(self, group: Group, depth: int) -> Group:
        """A field stays if its kind is listed; else it becomes its result."""
        words = "".join(_text(g) for g in group.items if _is_group(g, b"fldinst"))
        nested = any(_contains_field(g) for g in group.items if _is_group(g, b"fldinst"))
        kept = wordfields.is_kept(words) and not (nested and wordfields.kind_of(words) == "")
        clean = Group()
        if not kept:
            self.gone(wordfields.code_of(words))
            self.work.unseen.append(words)
        for item in group.items:
            if isinstance(item, bytes):
                if kept:
                    clean.items.append(item)
                continue
            if not kept and item.destination() != b"fldrslt":
                continue
            inner = self.group(item, depth + 1)
            if inner is not None:
                if not kept:
                    inner.items = [
                        i for i in inner.items if _named(i) != b"fldrslt" and i != b"\\*"
                    ]
                clean.items.append(inner)
        target = "" if kept else wordfields.shown_target(words)
        if target:
            clean.items.append(_escaped(target))
        return clean

    def picture(self, group: Group) -> Group | None:
        """A picture, re-encoded; metafiles go."""
        words = set(group.words())
        kind = next((k for k in (b"pngblip", b"jpegblip") if k in words), None)
        if kind is None:
            self.gone("metafile")
            return None
        raw = b"".join(i for i in group.items if isinstance(i, bytes) and not i.startswith(b"\\"))
        binary = [i for i in group.items if isinstance(i, bytes) and _word(i) == b"bin"]
        digits = re.sub(rb"[^0-9A-Fa-f]", b"", raw)
        data = (
            binary[0].partition(b" ")[2]
            if binary
            else bytes.fromhex(digits[: len(digits) & ~1].decode())
        )
        picture = re_encoded(data, self.work)
        words_kept: list[bytes | Group] = [
            i
            for i in group.items
            if isinstance(i, bytes) and i.startswith(b"\\") and _word(i) not in {b"bin", b""}
        ]
        return Group([*words_kept, b"\r\n", picture.hex().encode()])


def _named(item: bytes | Group) -> bytes:
    return _word(item) if isinstance(item, bytes) else b""


def _is_group(item: bytes | Group, name: bytes) -> bool:
    return isinstance(item, Group) and item.destination() == name


def _contains_field(item: bytes | Group) -> bool:
    if isinstance(item, bytes):
        return False
    return any(
        isinstance(i, Group) and (i.destination() == b"field" or _contains_field(i))
        for i in item.items
    )


def _text(item: bytes | Group) -> str:
    """The plain text in an instruction, escapes resolved."""
    if isinstance(item, Group):
        if item.destination() == b"field":
            return ""
        return "".join(_text(i) for i in item.items)
    if item.startswith(b"\\'"):
        return bytes.fromhex(item[2:4].decode()).decode("latin-1")
    if item.startswith(b"\\u") and re.match(rb"\\u-?\d", item):
        return chr(int(re.sub(rb"[^\d-]", b"", item) or b"0") % 65_536)
    if item.startswith(b"\\"):
        return "\\" * item.startswith(b"\\\\")
    return item.decode("latin-1").replace("\r", "").replace("\n", "")


def _escaped(text: str) -> bytes:
    pieces = []
    for char in text:
        if char in "\\{}":
            pieces.append("\\" + char)
        elif char.isascii():
            pieces.append(char)
        else:
            units = char.encode("utf-16-le")
            for at in range(0, len(units), 2):
                value = int.from_bytes(units[at : at + 2], "little", signed=True)
                pieces.append(f"\\u{value}?")
    return "".join(pieces).encode()
