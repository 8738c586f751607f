"""Programs and scripts, told by their content; a name only adds (Windows runs files by name)."""

from __future__ import annotations

import re

HEAD = 4_096

MAGIC: tuple[bytes, ...] = (
    b"\x7fELF",
    b"\xca\xfe\xba\xbe",  # Java class, Mach-O for several machines
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",  # Mach-O
    b"\0asm",  # WebAssembly
    b"dex\n",
    b"ITSF",  # compiled help
    b"L\0\0\0\x01\x14\x02\0",  # Windows shortcut
    b"#@~^",  # encoded VBScript or JScript
)
# The program header behind MZ tells a program from words that begin with MZ.
_MZ = re.compile(rb"MZ.{58}(?P<at>.{4})", re.DOTALL)
_SCRIPT = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:#!\s*/|@echo\s+off|<job\b|<package\b|<\?xml[^>]*>\s*<(?:job|package)\b"
    rb"|<scriptlet\b|<component\b|\[InternetShortcut\]|\[autorun\]|Windows Registry Editor"
    rb"|REGEDIT4|ID;P|<\?php|#@~\^)"
    rb"|^\s*(?:@echo\s+off|on error resume next|option explicit|powershell(?:\.exe)?\s+-)"
    rb"|\bW(?:Script|script)\s*\.\s*(?:Shell|CreateObject|Echo|Sleep|Arguments|ScriptFullName)"
    rb"|\bnew\s+ActiveXObject\s*\(|\bCreateObject\s*\(\s*[\"'](?:WScript|MSXML2|Shell|ADODB|Scripting)"
    rb"|\bIEX\s*\(|Invoke-(?:Expression|WebRequest)\b|Start-Process\b|-EncodedCommand\b"
    rb"|<hta:application\b",
    re.IGNORECASE | re.MULTILINE,
)
_EXTENSIONS = (
    "ade adp appref-ms application bas bat chm class cmd com cpl crt diagcab dll exe gadget"
    " hlp hta inf ins iqy isp jar jnlp js jse library-ms lnk mht msc msi msp mst ocx oqy pcd"
    " pif pl ps1 ps1xml ps2 psc1 psd1 psm1 py pyc pyw reg rqy scf scr sct settingcontent-ms sh"
    " shb shs slk sys theme url vb vbe vbs vbscript ws wsc wsf wsh xll xbap xlam ppam"
)
_NAMES = frozenset(_EXTENSIONS.split())
_NOT_RUN = frozenset({"mht", "xlam", "ppam", "crt"})  # cleaned or held by their content


def code_of(data: bytes, name: str, *, text: bool) -> str:
    """``executable``, ``script_file`` or empty; ``text`` says that it can be a script."""
    if data.startswith(MAGIC) or _is_windows_program(data):
        return "executable"
    extension = _extension(name)
    if extension in _NAMES - _NOT_RUN:
        return "script_file" if _plain(data) else "executable"
    return "script_file" if text and is_script(data) else ""


def is_script(data: bytes) -> bool:
    """Whether a text is a script by what it says."""
    head = data[:HEAD].replace(b"\0", b"").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
    return _plain(data) and _SCRIPT.search(head) is not None


def _extension(name: str) -> str:
    """Lower case, as Windows sees it: trailing dots, spaces and streams do not count."""
    plain = name.strip().partition("::")[0].rstrip(". \t").lower()
    return plain.rpartition(".")[2]


def _plain(data: bytes) -> bool:
    """Whether the bytes can be a text (UTF-16 included)."""
    head = data[:HEAD]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    return not head.startswith((b"%PDF", b"PK\3\4", b"\xd0\xcf", b"{\\rt")) and b"\0\0" not in head


def _is_windows_program(data: bytes) -> bool:
    """MZ, and behind it either a header of its kind or bytes that are no text."""
    match = _MZ.match(data)
    if match is None:
        return data.startswith(b"MZ") and b"\0" in data[:64]
    at = int.from_bytes(match["at"], "little")
    return data[at : at + 2] in {b"PE", b"NE", b"LE"} or b"\0" in data[:64]
