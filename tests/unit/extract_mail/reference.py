"""The table of the golden mails in docs/reference/mail.md; run this file to renew it."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs" / "reference" / "mail.md"
BEGIN, END = "<!-- golden: begin -->", "<!-- golden: end -->"


def table() -> str:
    """Markdown: a line a mail; ``every`` marks those of which every reading is scanned."""
    from tests.unit.extract_mail import golden  # noqa: PLC0415 - run as a script, the path comes first

    lines = [f"{len(golden.cases())} mails.", ""]
    for title, group in golden.GROUPS.items():
        found = group()
        lines += [f"### {title}: {len(found)}", "", "| Mail | Read |", "|---|---|"]
        for case in found:
            parts = (("body", case.body), ("subject", case.subject), ("file name", case.names))
            read = ", ".join(name for name, value in parts if value)
            lines.append(f"| {case.name} | {read}{' (every reading)' if case.either else ''} |")
        lines.append("")
    return "\n".join(lines).strip()


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    head, _, rest = REFERENCE.read_text().partition(BEGIN)
    REFERENCE.write_text(f"{head}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}")
