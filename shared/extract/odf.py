"""OpenDocument (.odt, .ods, .odp, .odg): text, tables and sheets, notes, comments, properties.

Format: OASIS ODF 1.3 parts 2 and 3. An encrypted package is a gap.
"""

from __future__ import annotations

from collections import Counter

from shared.extract.job import Document, Job, with_extension
from shared.extract.odftext import OdfText
from shared.extract.ooxml import Package
from shared.extract.xmlread import PlainText
from shared.model import GapCode

MANIFEST = "meta-inf/manifest.xml"
PARTS = {"content.xml": "", "styles.xml": "ヘッダー・フッター", "meta.xml": "プロパティ"}
QUIET = ("settings.xml", "mimetype", "manifest.rdf", "layout-cache", "thumbnails/thumbnail.png")


def read(document: Document, job: Job) -> None:
    """Read a package; each part it has is read or named."""
    package = Package(document, job)
    if package.has(MANIFEST) and b"encryption-data" in package.bytes_of(
        MANIFEST, document.location
    ):
        job.gap(GapCode.ENCRYPTED, document.location)
        return
    for number, name in enumerate(sorted(package.parts), start=1):
        if not package.has(name) or name in QUIET or name.startswith("configurations2/"):
            continue
        folder, _, base = name.rpartition("/")
        if base in PARTS:
            where = f"オブジェクト{number} " if folder else ""
            _part(package, name, f"{where}{PARTS[base]}".strip())
        elif name.endswith((".xml", ".rdf")):
            location = document.inside(f"部品{number}")
            job.text(location, package.parse(name, location, PlainText).result())
        else:
            shown = with_extension(f"部品{number}", name)
            data = package.bytes_of(name, document.inside(shown))
            if data:
                job.child(document, data, "", label=shown)


def _part(package: Package, name: str, label: str) -> None:
    document, job = package.document, package.job
    location = document.inside(label) if label else document.location
    sink = package.parse(name, location or "本文", OdfText)
    counts: Counter[str] = Counter()
    for piece in sink.finish():
        counts[piece.kind] += 1
        kind = piece.kind or "本文"
        numbered = f"{kind}{counts[piece.kind]}" if kind in {"シート", "表"} else kind
        where = f"{label}({numbered})" if label else numbered
        job.text(document.inside(where), piece.text, table=piece.table, marks=piece.marks)
    if sink.is_cut:
        job.gap(GapCode.TOO_LARGE, location)
