"""``docs/trust.md`` from the measures' lines.

They are kept beside it as JSON, so that one measure can be made again without the others.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trust.lines import Line

ROOT = Path(__file__).resolve().parent.parent
PAGE, DATA = ROOT / "docs" / "trust.md", ROOT / "docs" / "trust.json"
HEAD = """# 数字で示す信頼 · Trust in figures

`make trust` がこの頁を書きます。手では書きません。
Written by `make trust`, never by hand: a claim, what was measured, and whether it holds.
One measure again: `make trust ONLY=fuzz SIZE=full`. Sizes: `ci` (minutes), `nightly`, `full`.

"""


def keep(measure: str, size: str, day: str, seconds: float, lines: list[Line]) -> None:
    """Put a measure's lines in the place of its former ones, and write the page."""
    data = read()
    data[measure] = {
        "size": size,
        "day": day,
        "seconds": round(seconds),
        "lines": [asdict(line) for line in lines],
    }
    DATA.write_text(
        json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8"
    )
    PAGE.write_text(page(data), encoding="utf-8")


def read() -> dict[str, Any]:
    """What was measured so far."""
    if not DATA.exists():
        return {}
    found: dict[str, Any] = json.loads(DATA.read_text(encoding="utf-8"))
    return found


def page(data: dict[str, Any]) -> str:
    """The Markdown."""
    rows = ["| | 主張 / claim | 測ったもの / measured | size | day |", "|---|---|---|---|---|"]
    notes = []
    for measure, given in data.items():
        for line in given["lines"]:
            sign = "○" if line["holds"] else "×"
            rows.append(
                f"| {sign} | {line['ja']}<br>{line['en']} | {line['measured']} "
                f"| {measure} {given['size']}, {given['seconds']} s | {given['day']} |"
            )
            if line["note"]:
                notes.append(f"- **{line['en']}**: {line['note']}")
    text = HEAD + "\n".join(rows) + "\n"
    return text + ("\n## 注 · Notes\n\n" + "\n".join(notes) + "\n" if notes else "")
