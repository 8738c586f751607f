"""PDF by PDFium: text by page, annotations, form fields, XFA, outlines, properties, attachments.

A page that shows more than its text is rendered and looked at as a picture (image_pdf). PDFium is
not thread-safe and aborts when memory runs out, so it runs in the sandbox's child. Standard: ISO
32000-2.
"""

from __future__ import annotations

import ctypes
from typing import Any

import pypdfium2 as pdfium
from pypdfium2 import raw

from shared.extract import pdf_metadata
from shared.extract.image import legible
from shared.extract.image_pdf import look_at_pages
from shared.extract.job import Document, Job
from shared.extract.pdf_fonts import use_stand_in
from shared.extract.pdf_place import Ruler, marks
from shared.model import GapCode, Mark

MAX_STRING = 4_000_000  # bytes of one annotation's or packet's string
MAX_ANNOTATIONS = 5_000  # a page
MAX_OBJECTS = 20_000  # looked at a page for pictures
MAX_OUTLINE_DEPTH = 15
ANNOTATION_KEYS = (b"V", b"DV", b"Contents", b"RC", b"TU", b"T", b"Subj")
PICTURES = frozenset({raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_SHADING, raw.FPDF_PAGEOBJ_FORM})
FEW_LETTERS = 16  # a page number or a stamp, not a page of text

use_stand_in()


def read(document: Document, job: Job) -> None:
    """Read a PDF; a password that none of the job's opens is a gap ``encrypted``."""
    pdf = _open(document, job)
    if pdf is None:
        return
    try:
        _properties(pdf, document, job)
        if len(pdf) == 0:
            job.gap(GapCode.MALFORMED, document.location)
        unread = []
        for number in range(len(pdf)):
            job.member()
            if _page(pdf, number, document, job):
                unread.append(number)
        _outline(pdf, document, job)
        _xfa(pdf, document, job)
        _attachments(pdf, document, job)
        look_at_pages(pdf, unread, document, job)  # last: it takes longest
    finally:
        pdf.close()


def _open(document: Document, job: Job) -> Any:
    for password in (None, "", *job.passwords):
        for encoded in _encodings(password):
            try:
                return _loaded(document.data, encoded)
            except pdfium.PdfiumError as error:
                if error.err_code != raw.FPDF_ERR_PASSWORD:
                    job.gap(GapCode.MALFORMED, document.location)
                    return None
    job.gap(GapCode.ENCRYPTED, document.location)
    return None


def _loaded(data: bytes, password: str | bytes | None) -> Any:
    """The document; the library itself takes no password in bytes. PdfiumError if it is wrong."""
    if not isinstance(password, bytes):
        return pdfium.PdfDocument(data, password=password)
    handle = raw.FPDF_LoadMemDocument64(data, len(data), password + b"\0")
    if not handle:
        message = "not opened"
        raise pdfium.PdfiumError(message, err_code=raw.FPDF_GetLastError())
    return pdfium.PdfDocument(handle)


def _encodings(password: str | None) -> list[Any]:
    """A password as UTF-8 and, where it differs, as CP932, which older Japanese tools wrote."""
    if not password or password.isascii():
        return [password]
    try:
        return [password, password.encode("cp932")]
    except UnicodeEncodeError:
        return [password]


def _properties(pdf: Any, document: Document, job: Job) -> None:
    values = pdf.get_metadata_dict(skip_empty=True)
    job.text(document.inside("プロパティ"), "\n".join(str(value) for value in values.values()))
    pdf_metadata.read(document, job)


def _page(pdf: Any, number: int, document: Document, job: Job) -> bool:
    """Give a page's words; whether what is drawn on it may show more."""
    location = document.inside(f"{number + 1}ページ")
    try:
        page = pdf[number]
    except pdfium.PdfiumError:
        job.gap(GapCode.MALFORMED, location)
        return False
    try:
        ruler = Ruler(page)
        text, places = _page_text(page, ruler)
        job.text(location, text, marks=places)
        has_words = _annotations(page, location, ruler, job)
        return _hides_words(page, len("".join(text.split())), has_words=has_words)
    finally:
        page.close()


def _page_text(page: Any, ruler: Ruler) -> tuple[str, tuple[Mark, ...]]:
    """A page's text, and the boxes of what stands in it."""
    words = page.get_textpage()
    try:
        text: str = words.get_text_range(errors="replace")
        places = marks(text, words, ruler)
    finally:
        words.close()
    # U+FFFE is PDFium's mark for a hyphen that broke a line; U+0002 its older one.
    return text.replace("\r\n", "\n").replace("\ufffe", "-").replace("\x02", "-"), places


def _hides_words(page: Any, letters: int, *, has_words: bool) -> bool:
    """Whether what is drawn may show words that are no text.

    That is a picture that twelve digits may be read in, any picture on a page with hardly a letter
    (a scan with its page number), or a page of outlines alone (letters drawn as curves).
    """
    drawn = [
        raw.FPDFPage_GetObject(page.raw, index)
        for index in range(min(MAX_OBJECTS, raw.FPDFPage_CountObjects(page.raw)))
    ]
    if not drawn:
        return False
    if letters < FEW_LETTERS and any(raw.FPDFPageObj_GetType(one) in PICTURES for one in drawn):
        return True
    return (not letters and not has_words) or _shows_pictures(drawn)


def _shows_pictures(drawn: list[Any]) -> bool:
    """Whether there is a picture with pixels enough for twelve digits, in drawings of drawings too.

    A letterhead's logo is one as well: what is in a picture is not known before it is looked at.
    What is nested beyond the bound counts as one.
    """
    waiting, looked = list(drawn), 0
    while waiting and looked < MAX_OBJECTS:
        one, looked = waiting.pop(), looked + 1
        kind = raw.FPDFPageObj_GetType(one)
        if kind == raw.FPDF_PAGEOBJ_IMAGE and _has_pixels(one):
            return True
        if kind == raw.FPDF_PAGEOBJ_FORM:
            inside = min(MAX_OBJECTS, raw.FPDFFormObj_CountObjects(one))
            waiting.extend(raw.FPDFFormObj_GetObject(one, index) for index in range(inside))
    return bool(waiting)


def _has_pixels(picture: Any) -> bool:
    width, height = ctypes.c_uint(), ctypes.c_uint()
    known = raw.FPDFImageObj_GetImagePixelSize(picture, ctypes.byref(width), ctypes.byref(height))
    return not known or legible(width.value, height.value)


def _annotations(page: Any, location: str, ruler: Ruler, job: Job) -> bool:
    """Give form fields and comments of a page; whether there were any."""
    fields: list[str] = []
    places: list[Mark] = []
    size = 0
    count = raw.FPDFPage_GetAnnotCount(page.raw)
    if count > MAX_ANNOTATIONS:
        job.gap(GapCode.TOO_MANY, location)
    for index in range(min(count, MAX_ANNOTATIONS)):
        job.tick()
        annotation = raw.FPDFPage_GetAnnot(page.raw, index)
        if not annotation:
            continue
        words = dict.fromkeys(_annotation_words(annotation))
        place = ruler.annotation(annotation)
        raw.FPDFPage_CloseAnnot(annotation)
        line = "\t".join(words)
        if line:
            places.append(Mark(size, f"注釈・入力欄{index + 1}{place}"))
            fields.append(line)
            size += len(line) + 1
    job.text(f"{location}(注釈・入力欄)", "\n".join(fields), marks=tuple(places))
    return bool(fields)


def _annotation_words(annotation: Any) -> list[str]:
    """A field's name, then its value; a comment's contents."""
    found = [
        _wide(
            lambda buffer, size, key=key: raw.FPDFAnnot_GetStringValue(
                annotation, key, buffer, size
            )
        )
        for key in ANNOTATION_KEYS
    ]
    value, default, contents, rich, tip, name, subject = found
    return [one for one in (name, tip, subject, value, default, contents, rich) if one.strip()]


def _wide(call: Any) -> str:
    """The UTF-16 string of one of PDFium's two-step getters, without its end mark."""
    size = int(call(None, 0))
    if not 2 < size <= MAX_STRING:  # noqa: PLR2004 - two bytes are the end mark alone
        return ""
    buffer = ctypes.create_string_buffer(size)
    call(ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size)
    return buffer.raw[:size].decode("utf-16-le", "replace").rstrip("\0")


def _outline(pdf: Any, document: Document, job: Job) -> None:
    titles: list[str] = []
    for bookmark in pdf.get_toc(max_depth=MAX_OUTLINE_DEPTH):
        job.member()
        titles.append(bookmark.get_title())
    job.text(document.inside("しおり"), "\n".join(titles))


def _xfa(pdf: Any, document: Document, job: Job) -> None:
    """The packets of an XML form: what was typed in is in ``datasets``."""
    for index in range(max(0, raw.FPDF_GetXFAPacketCount(pdf.raw))):
        job.member()
        size = ctypes.c_ulong()
        raw.FPDF_GetXFAPacketContent(pdf.raw, index, None, 0, ctypes.byref(size))
        if not 0 < size.value <= MAX_STRING:
            continue
        buffer = ctypes.create_string_buffer(size.value)
        raw.FPDF_GetXFAPacketContent(pdf.raw, index, buffer, size.value, ctypes.byref(size))
        location = document.inside(f"XFA{index + 1}")
        job.spend(size.value)
        _xfa_packet(buffer.raw[: size.value], location, job)


def _xfa_packet(data: bytes, location: str, job: Job) -> None:
    """One packet; the first and last are the halves of an envelope, no documents of their own."""
    from shared.extract.xmlread import PlainText, parse  # noqa: PLC0415 - most PDF files have no XFA

    if data.lstrip().startswith(b"<") and b"</" in data:
        job.text(location, parse(data, job, location, PlainText).result())


def _attachments(pdf: Any, document: Document, job: Job) -> None:
    """Files embedded in the document, then those pinned to a page."""
    count = max(0, raw.FPDFDoc_GetAttachmentCount(pdf.raw))
    for index in range(count):
        _attachment(raw.FPDFDoc_GetAttachment(pdf.raw, index), pdf, document, job, index + 1)
    for page_number in range(len(pdf)):
        page = raw.FPDF_LoadPage(pdf.raw, page_number)
        for index in range(min(MAX_ANNOTATIONS, raw.FPDFPage_GetAnnotCount(page) if page else 0)):
            annotation = raw.FPDFPage_GetAnnot(page, index)
            if annotation and raw.FPDFAnnot_GetSubtype(annotation) == raw.FPDF_ANNOT_FILEATTACHMENT:
                count += 1
                pinned = raw.FPDFAnnot_GetFileAttachment(annotation)
                _attachment(pinned, pdf, document, job, count)
            raw.FPDFPage_CloseAnnot(annotation)
        raw.FPDF_ClosePage(page)


def _attachment(handle: Any, pdf: Any, document: Document, job: Job, number: int) -> None:
    try:
        attachment = pdfium.PdfAttachment(handle, pdf)
        name = attachment.get_name()
        data = bytes(attachment.get_data())
    except (pdfium.PdfiumError, ctypes.ArgumentError, ValueError):
        job.gap(GapCode.MALFORMED, document.inside(f"添付{number}"))
        return
    job.spend(len(data))
    job.child(document, data, name, label=f"添付{number}")
