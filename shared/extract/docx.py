"""Word documents (.docx, .docm, .dotx): every story of the package, then all other parts."""

from __future__ import annotations

from collections import Counter

from shared.extract.job import Document, Job
from shared.extract.ooxml import Package
from shared.extract.wordtext import Story
from shared.model import GapCode

# The kinds of story a document part may refer to, in the order a person reads them.
STORIES = {
    "header": "ヘッダー",
    "footer": "フッター",
    "footnotes": "脚注",
    "endnotes": "文末脚注",
    "comments": "コメント",
    "glossaryDocument": "文書パーツ",
}


def read(document: Document, job: Job) -> None:
    """Read a document; see the module."""
    package = Package(document, job)
    root = next(
        (one.target for one in package.relations("").values() if one.kind == "officeDocument"), ""
    )
    root = root if package.has(root) else "word/document.xml"
    if package.has(root):
        read_stories(package, root)
    else:
        job.gap(GapCode.PARTIAL, document.location)
    package.finish()


def read_stories(package: Package, root: str) -> None:
    """Read the main part and the stories it refers to."""
    _story(package, root, "本文")
    counts: Counter[str] = Counter()
    for relation in package.relations(root).values():
        kind = STORIES.get(relation.kind)
        if kind and not relation.external and package.has(relation.target):
            counts[kind] += 1
            _story(package, relation.target, f"{kind}{counts[kind]}")


def _story(package: Package, part: str, label: str) -> None:
    location = package.document.inside(label)
    story = package.parse(part, location, Story)
    counts: Counter[str] = Counter()
    for piece in story.finish():
        counts[piece.kind] += 1
        where = f"{location}({piece.kind}{counts[piece.kind]})" if piece.kind else location
        package.job.text(where, piece.text, table=piece.table, marks=piece.marks)
