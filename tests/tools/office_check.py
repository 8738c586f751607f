"""A program of its own, run by the Python that has oletools: what is active in a folder's files.

Prints one JSON object: file name → list of findings. Knows nothing of the product.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys
from pathlib import Path

from oletools import msodde, oleobj, rtfobj
from oletools.mraptor import MacroRaptor
from oletools.olevba import VBA_Parser

logging.disable(logging.CRITICAL)


def macros(path: Path) -> list[str]:
    """What olevba and mraptor see."""
    found = []
    try:
        parser = VBA_Parser(str(path))
    except Exception:  # noqa: BLE001 - oletools raises many kinds for what is not Office
        return found
    if parser.detect_vba_macros():
        found.append("olevba: VBA")
        code = (
            parser.get_vba_code_all_modules() if hasattr(parser, "get_vba_code_all_modules") else ""
        )
        raptor = MacroRaptor(code)
        raptor.scan()
        if raptor.suspicious:
            found.append("mraptor: suspicious")
    with contextlib.suppress(Exception):
        if parser.detect_xlm_macros():
            found.append("olevba: XLM")
    parser.close()
    return found


def dde(path: Path) -> list[str]:
    """What msodde sees, its default blacklist of fields."""
    with contextlib.suppress(Exception):
        links = msodde.process_file(str(path), msodde.FIELD_FILTER_DEFAULT)
        if links.strip():
            return ["msodde: " + links.strip()[:80]]
    return []


def objects(path: Path) -> list[str]:
    """What oleobj and rtfobj see."""
    data = path.read_bytes()
    if data.startswith(b"{\\rt"):
        parser = rtfobj.RtfObjParser(data)
        parser.parse()
        return [f"rtfobj: {one.format_id}" for one in parser.objects]
    found = []
    xml = None
    with contextlib.suppress(Exception):
        if data.startswith(b"PK"):
            xml = oleobj.XmlParser(str(path))
            for relation, target in oleobj.find_external_relationships(xml):
                found.append(f"oleobj: {relation} {target}")
            found += [f"oleobj: customUI {target}" for target in oleobj.find_customUI(xml)]
    with contextlib.suppress(Exception):
        for ole in oleobj.find_ole(str(path), None, xml):
            if ole is None:
                continue
            for parts in ole.listdir():
                if parts[-1].lower() == "\x01ole10native":
                    found.append("oleobj: embedded file")
    return found


def main() -> None:
    """Look at every file of the folder."""
    result = {}
    noise = io.StringIO()
    for path in sorted(Path(sys.argv[1]).iterdir()):
        with contextlib.redirect_stdout(noise), contextlib.redirect_stderr(noise):
            result[path.name] = [*macros(path), *dde(path), *objects(path)]
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    main()
