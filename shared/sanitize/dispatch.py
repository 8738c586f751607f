"""Which cleaner cleans which format; what has none is held."""

from __future__ import annotations

import importlib

from shared.model import GapCode
from shared.sanitize import programs
from shared.sanitize.notes import removed_note
from shared.sanitize.work import HoldError, Part, Work

# Format (from sniff) → module with ``clean(part, work)``. A new format is one line and a file.
CLEANERS: dict[str, str] = {
    "7z": "shared.sanitize.repacked",
    "calendar": "shared.sanitize.calendar",
    "csv": "shared.sanitize.words_only",
    "doc": "shared.sanitize.ole",
    "docx": "shared.sanitize.ooxml",
    "html": "shared.sanitize.hypertext",
    "image": "shared.sanitize.raster",
    "lzh": "shared.sanitize.repacked",
    "mail": "shared.sanitize.mail",
    "pdf": "shared.sanitize.pdf",
    "ppt": "shared.sanitize.ole",
    "pptx": "shared.sanitize.ooxml",
    "rar": "shared.sanitize.repacked",
    "rtf": "shared.sanitize.rtf",
    "text": "shared.sanitize.words_only",
    "vcard": "shared.sanitize.words_only",
    "xls": "shared.sanitize.ole",
    "xlsx": "shared.sanitize.ooxml",
    "xml": "shared.sanitize.vector",
    "zip": "shared.sanitize.archive",
}
# Written anew from what was decoded, so that nothing of a second format in the bytes survives.
REWRITTEN = frozenset({"image", "pdf"})
# Kinds that can be a script (a mail or a page may speak of one; a page's own are taken out).
TEXTS = frozenset({"text", "csv", "xml"})
HELD: dict[str, GapCode] = {"ooxml-encrypted": GapCode.ENCRYPTED}


def clean(part: Part, work: Work) -> tuple[str, Part]:
    """Clean a part of any kind: its kind and the clean part.

    Raises HoldError, and nothing else, for what cannot be sanitised.
    """
    try:
        return _clean(part, work)
    except HoldError:
        raise
    except MemoryError:
        raise HoldError(GapCode.TOO_LARGE) from None
    except RecursionError:
        raise HoldError(GapCode.TOO_DEEP) from None
    except Exception:  # noqa: BLE001 - hostile input may raise anything; the item is then held
        raise HoldError(GapCode.MALFORMED) from None


def _clean(part: Part, work: Work) -> tuple[str, Part]:
    kinds = work.tools.sniff(part.data, part.name, part.media_type)
    code = programs.code_of(part.data, part.name, text=TEXTS.issuperset(kinds))
    if "executable" in kinds:
        code = "executable"
    if code:
        work.removed(code, part.location)
        return code, removed_note(part, code)
    if not part.data.strip():
        return "empty", part
    if not kinds:
        raise HoldError(GapCode.UNKNOWN_FORMAT)
    kind = kinds[0]
    if kind in HELD:
        raise HoldError(HELD[kind])
    if len(kinds) > 1 and kind not in REWRITTEN:
        raise HoldError(GapCode.AMBIGUOUS)
    if kind not in CLEANERS:
        raise HoldError(GapCode.UNSUPPORTED)
    cleaned: Part = importlib.import_module(CLEANERS[kind]).clean(part, work)
    return kind, cleaned
