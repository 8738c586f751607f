"""Which parts of an Office package may stay.

What is not listed goes: a new kind is unsafe until
someone has looked at it.
"""

from __future__ import annotations

import re

_OPEN = "application/vnd.openxmlformats-officedocument."
_MAIN: dict[str, str] = {
    "application/vnd.ms-word.document.macroenabled.main+xml": "wordprocessingml.document.main+xml",
    "application/vnd.ms-word.template.macroenabledtemplate.main+xml": (
        "wordprocessingml.template.main+xml"
    ),
    "application/vnd.ms-excel.sheet.macroenabled.main+xml": "spreadsheetml.sheet.main+xml",
    "application/vnd.ms-excel.template.macroenabled.main+xml": "spreadsheetml.template.main+xml",
    "application/vnd.ms-powerpoint.presentation.macroenabled.main+xml": (
        "presentationml.presentation.main+xml"
    ),
    "application/vnd.ms-powerpoint.slideshow.macroenabled.main+xml": (
        "presentationml.slideshow.main+xml"
    ),
    "application/vnd.ms-powerpoint.template.macroenabled.main+xml": (
        "presentationml.template.main+xml"
    ),
}
# Macro-enabled main part → its plain kind.
RETYPED = {macro: _OPEN + plain for macro, plain in _MAIN.items()}
# Extension → extension, and the media type that goes with it.
RENAMED = {
    "docm": "docx", "dotm": "dotx", "xlsm": "xlsx", "xltm": "xltx",
    "pptm": "pptx", "ppsm": "ppsx", "potm": "potx",
}  # fmt: skip
MEDIA_TYPES = {
    "docx": _OPEN + "wordprocessingml.document",
    "dotx": _OPEN + "wordprocessingml.template",
    "xlsx": _OPEN + "spreadsheetml.sheet",
    "xltx": _OPEN + "spreadsheetml.template",
    "pptx": _OPEN + "presentationml.presentation",
    "ppsx": _OPEN + "presentationml.slideshow",
    "potx": _OPEN + "presentationml.template",
}

_WORD = (
    "document.main|template.main|document.glossary|settings|websettings|styles|styleswitheffects"
    "|fonttable|numbering|footnotes|endnotes|comments|commentsextended|commentsids"
    "|commentsextensible|people|header|footer"
)
_SHEET = (
    "sheet.main|template.main|worksheet|chartsheet|styles|sharedstrings|comments|table"
    "|pivottable|pivotcachedefinition|pivotcacherecords|sheetmetadata|usernames|revisionheaders"
    "|revisionlog|threadedcomments|persons"
)
_SLIDE = (
    "presentation.main|slideshow.main|template.main|slide|slidelayout|slidemaster|notesslide"
    "|notesmaster|handoutmaster|presprops|viewprops|tablestyles|comments|commentauthors|tags"
    "|slideupdateinfo"
)
_DRAWING = "chart|chartshapes|diagramdata|diagramlayout|diagramstyle|diagramcolors|theme"
_KEPT = re.compile(
    r"application/(?:xml"
    rf"|vnd\.openxmlformats-officedocument\.(?:wordprocessingml\.(?:{_WORD})\+xml"
    rf"|spreadsheetml\.(?:{_SHEET})\+xml|presentationml\.(?:{_SLIDE})\+xml"
    rf"|drawingml\.(?:{_DRAWING})\+xml|drawing\+xml|theme\+xml|themeoverride\+xml"
    r"|extended-properties\+xml|custom-properties\+xml|customxmlproperties\+xml|vmldrawing)"
    r"|vnd\.openxmlformats-package\.core-properties\+xml"
    r"|vnd\.ms-office\.(?:chartstyle|chartcolorstyle|drawingml\.diagramdrawing)\+xml"
    r"|vnd\.ms-excel\.(?:threadedcomments|person|slicer|slicercache)\+xml"
    r"|vnd\.ms-powerpoint\.(?:comments|authors)\+xml"
    r"|vnd\.ms-word\.stylesWithEffects\+xml)".replace("stylesWithEffects", "styleswitheffects")
)
_PICTURE = re.compile(r"image/(?:png|jpe?g|pjpeg|gif|bmp|x-ms-bmp|tiff?|webp)")
_METAFILE = re.compile(r"image/(?:x-)?(?:emf|wmf|pict)|application/(?:x-msmetafile|x-emf)")
# Beginning or part of a content type, or of a name → what it is that goes.
_GONE: tuple[tuple[str, str], ...] = (
    ("vbaproject", "macro"),
    ("vbadata", "macro"),
    ("keymapcustomizations", "macro"),
    ("attachedtoolbars", "custom_ui"),
    ("macrosheet", "macro_sheet"),
    ("dialogsheet", "macro_sheet"),
    ("activex", "activex"),
    ("controlproperties", "activex"),
    ("oleobject", "ole_object"),
    ("externallink", "external_link"),
    ("connections", "external_link"),
    ("querytable", "external_link"),
    ("ui/", "custom_ui"),
    ("customui", "custom_ui"),
    ("embeddings/", "ole_object"),
    ("digital-signature", "signature"),
)


def is_kept(content_type: str) -> bool:
    """Whether an XML part (or a VML drawing) may stay, once it was cleaned."""
    return _KEPT.fullmatch(content_type) is not None


def is_picture(content_type: str) -> bool:
    """Whether Pillow writes this anew."""
    return _PICTURE.fullmatch(content_type) is not None


def is_metafile(content_type: str) -> bool:
    """A picture that is a list of drawing commands."""
    return _METAFILE.fullmatch(content_type) is not None


def gone(name: str, content_type: str) -> str:
    """The code for a part that goes, or empty for one of no known kind."""
    told = f"{content_type} {name.lower()}"
    for mark, code in _GONE:
        if mark in told:
            return code
    return ""
