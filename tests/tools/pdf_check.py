"""A program of its own: what is active in the PDFs of a folder, by a walk over qpdf's structure.

Prints one JSON object: file name → list of findings. Knows nothing of the product.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pikepdf

KEYS = {
    "/JS", "/JavaScript", "/OpenAction", "/AA", "/EmbeddedFiles", "/EF", "/XFA", "/Collection",
    "/AF",
}  # fmt: skip
ACTIONS = {
    "/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE", "/Rendition",
    "/Movie",
    "/Sound", "/RichMediaExecute", "/URI", "/Thread",
}  # fmt: skip
SUBTYPES = {"/RichMedia", "/Movie", "/Screen", "/Sound", "/FileAttachment", "/3D"}


def look(node: object, found: set[str], depth: int = 0) -> None:
    """Every key and every action below an object, references not followed (all are visited)."""
    if isinstance(node, pikepdf.Array):
        children = [(None, child) for child in node]
    elif isinstance(node, pikepdf.Dictionary | pikepdf.Stream):
        children = [(key, node.get(key)) for key in node.keys()]  # noqa: SIM118 - not a mapping
    else:
        return
    for key, child in children:
        if key in KEYS:
            found.add(key)
        if key == "/S" and str(child) in ACTIONS:
            found.add(f"/S {child}")
        if key == "/Subtype" and str(child) in SUBTYPES:
            found.add(f"/Subtype {child}")
        if isinstance(child, pikepdf.Object) and not child.is_indirect and depth < 50:
            look(child, found, depth + 1)


def main() -> None:
    """Look at every file of the folder."""
    result = {}
    for path in sorted(Path(sys.argv[1]).iterdir()):
        found: set[str] = set()
        with pikepdf.open(path) as pdf:
            for node in pdf.objects:
                look(node, found)
        result[path.name] = sorted(found)
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    main()
