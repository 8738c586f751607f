"""PDF by pikepdf (qpdf): every object is walked, and what acts, embeds or reaches out is taken out.

The file is written anew from the objects that are still referenced, so what was hidden behind its
end, between objects or in older revisions is gone. Pictures inside a PDF are not re-encoded.
Source: ISO 32000-2, 12.6 (actions), 7.11 (files), 12.7.8 (XFA).
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import pikepdf

from shared.model import GapCode
from shared.sanitize.links import defanged, is_plain
from shared.sanitize.work import HoldError, Part, Work

MOST_OBJECTS = 300_000
DEPTH = 200
# Kind of action (its /S) → what goes. These names mean nothing else where /S stands.
ACTIONS: dict[str, str] = {
    "/JavaScript": "pdf_javascript",
    "/Launch": "pdf_action",
    "/SubmitForm": "pdf_action",
    "/ImportData": "pdf_action",
    "/GoToR": "pdf_action",
    "/GoToE": "pdf_action",
    "/Thread": "pdf_action",
    "/Rendition": "pdf_media",
    "/Movie": "pdf_media",
    "/Sound": "pdf_media",
    "/RichMediaExecute": "pdf_media",
    "/GoTo3DView": "pdf_media",
    "/SetState": "pdf_action",
    "/NOP": "pdf_action",
    "/ResetForm": "pdf_action",
    "/URI": "link_defanged",
}
# Key of any dictionary → what goes with it.
KEYS: dict[str, str] = {
    "/JS": "pdf_javascript",
    "/JavaScript": "pdf_javascript",
    "/AA": "pdf_action",
    "/OpenAction": "pdf_action",
    "/EF": "pdf_embedded",
    "/EmbeddedFiles": "pdf_embedded",
    "/AF": "pdf_embedded",
    "/Collection": "pdf_embedded",
    "/Renditions": "pdf_media",
    "/RichMediaContent": "pdf_media",
    "/RichMediaSettings": "pdf_media",
    "/XFA": "pdf_xfa",
    "/OPI": "external_link",
    "/PieceInfo": "metadata",
    "/AlternatePresentations": "pdf_action",
    "/SpiderInfo": "external_link",
    "/Perms": "pdf_signature",
}
ANNOTATIONS: dict[str, str] = {
    "/RichMedia": "pdf_media",
    "/Movie": "pdf_media",
    "/Screen": "pdf_media",
    "/Sound": "pdf_media",
    "/3D": "pdf_media",
    "/FileAttachment": "pdf_embedded",
}


def clean(part: Part, work: Work) -> Part:
    """The document without what acts. Raises HoldError: ``encrypted`` or ``malformed``."""
    try:
        with pikepdf.open(io.BytesIO(part.data), suppress_warnings=True) as pdf:
            if pdf.is_encrypted:
                work.removed("pdf_encryption", part.location)
            _clean_all(pdf, part, work)
            data = _saved(pdf)
        # qpdf numbers objects in the order it meets them: the second writing is the stable one
        with pikepdf.open(io.BytesIO(data), suppress_warnings=True) as pdf:
            return part.with_data(_saved(pdf))
    except pikepdf.PasswordError:
        raise HoldError(GapCode.ENCRYPTED) from None
    except pikepdf.PdfError:
        raise HoldError(GapCode.MALFORMED) from None


def _saved(pdf: pikepdf.Pdf) -> bytes:
    """The file; the same objects give the same bytes."""
    if "/ID" in pdf.trailer:
        del pdf.trailer["/ID"]  # made anew from the content
    out = io.BytesIO()
    pdf.save(
        out,
        deterministic_id=True,
        object_stream_mode=pikepdf.ObjectStreamMode.generate,
        fix_metadata_version=False,
        encryption=False,
    )
    return out.getvalue()


def _clean_all(pdf: pikepdf.Pdf, part: Part, work: Work) -> None:
    if not len(pdf.pages):
        raise HoldError(GapCode.MALFORMED)
    if len(pdf.objects) > MOST_OBJECTS:
        raise HoldError(GapCode.TOO_MANY)
    if "/URI" in pdf.Root:
        del pdf.Root.URI  # the base of relative links
        work.removed("external_link", part.location)
    for count, found in enumerate(pdf.objects):
        if count % 200 == 0:
            work.tick()
        for holder in _walk(found, 0):
            _clean_one(holder, part, work)


def _walk(found: object, depth: int) -> Iterator[pikepdf.Object]:
    """The dictionaries, streams and arrays written directly in an object, itself first."""
    if not isinstance(found, pikepdf.Dictionary | pikepdf.Array | pikepdf.Stream):
        return
    if depth > DEPTH:
        raise HoldError(GapCode.TOO_DEEP)
    yield found
    below: list[object] = []
    if isinstance(found, pikepdf.Array):
        below = [found[index] for index in range(len(found))]  # type: ignore[index,unused-ignore]
    else:
        below = [found.get(key) for key in found.keys()]  # noqa: SIM118 - not a mapping
    for child in below:
        if isinstance(child, pikepdf.Object) and not child.is_indirect:
            yield from _walk(child, depth + 1)


def _clean_one(found: pikepdf.Object, part: Part, work: Work) -> None:
    if isinstance(found, pikepdf.Array):
        _clean_array(found, part, work)
        return
    for key in list(found.keys()):
        value = found.get(key)
        code = KEYS.get(key) or _code_of(value, work)
        if code and not _is_harmless(found, key):
            _note(code, part, work)
            _show_target(found, value)
            del found[key]
    if isinstance(found, pikepdf.Stream):
        _clean_stream(found, part, work)
    if _name(found, "/FT") == "/Sig" and "/V" in found:
        del found["/V"]
        _note("pdf_signature", part, work)
    if _name(found, "/Type") in {"/Filespec", "/F"}:
        for key in ("/FS", "/UF", "/F", "/DOS", "/Mac", "/Unix"):
            if key in found:
                del found[key]
                work.removed("external_link", part.location)
    if "/SigFlags" in found:
        del found["/SigFlags"]


def _is_harmless(found: pikepdf.Object, key: str) -> bool:
    """A key that means something else here: colours by that name, a page's own text."""
    if key == "/Perms":  # of an encryption, whose bits these are
        return "/Filter" in found
    return key == "/JS" and _name(found, "/Type") in {"/Font", "/Encoding"}


def _note(code: str, part: Part, work: Work) -> None:
    work.removed(code, part.location)
    if code == "pdf_signature":
        work.state("pdf_signature_broken", part.location)


def _code_of(value: object, work: Work) -> str:
    """What a value is if it is an action or an annotation that goes; empty if it stays."""
    if not isinstance(value, pikepdf.Dictionary):
        return ""
    code = ACTIONS.get(_name(value, "/S"), "")
    if code == "link_defanged":
        target = _text(value, "/URI")
        if not is_plain(target):
            return "link_removed"
        return "" if work.keeps_links else code
    return code


def _clean_array(found: pikepdf.Array, part: Part, work: Work) -> None:
    """Annotations of media and files, and actions in a chain."""
    for index in range(len(found) - 1, -1, -1):
        value = found[index]
        code = _code_of(value, work)
        if not code and isinstance(value, pikepdf.Dictionary) and "/Rect" in value:
            code = ANNOTATIONS.get(_name(value, "/Subtype"), "")
        if code:
            _note(code, part, work)
            del found[index]


def _clean_stream(found: pikepdf.Stream, part: Part, work: Work) -> None:
    """Data in a file outside, PostScript, and pages of other documents."""
    for key in ("/F", "/FFilter", "/FDecodeParms", "/Ref"):
        if key in found:
            del found[key]
            work.removed("external_link", part.location)
    if _name(found, "/Subtype") == "/PS" or _name(found, "/Subtype2") == "/PS":
        found.write(b"")
        del found["/Subtype"]
        work.removed("script", part.location)
    if _name(found, "/Type") == "/EmbeddedFile" and len(found.read_raw_bytes()):
        found.write(b"")


def _show_target(found: pikepdf.Object, value: object) -> None:
    """Where a link led is its annotation's text from now on: readers show it on hovering."""
    if not isinstance(value, pikepdf.Dictionary) or _name(found, "/Subtype") != "/Link":
        return
    target = _text(value, "/URI")
    if target and "/Contents" not in found:
        found["/Contents"] = pikepdf.String(defanged(target))


def _name(found: pikepdf.Object, key: str) -> str:
    value = found.get(key)
    return str(value) if isinstance(value, pikepdf.Name) else ""


def _text(found: pikepdf.Object, key: str) -> str:
    value = found.get(key)
    return str(value) if isinstance(value, pikepdf.String) else ""
