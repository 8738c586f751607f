"""``docs/trust.md`` from the measures' lines, and at its end every planted fault that escaped.

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
ESCAPED = """
## 試験が気づかなかった誤り · Planted faults that no test noticed

小さな誤りを一つずつ植えます。表記は `[元 → 植えたもの]`。判断は `trust/judgements/` にあります。
One small fault is planted at a time, written `[as it is → as planted]`. ○: judged to change nothing
that can be told, and not counted. ×: counted as escaped, with why no test was written.
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
    text += "\n## 注 · Notes\n\n" + "\n".join(notes) + "\n" if notes else ""
    return text + (_escaped(data["mutants"]["lines"]) if "mutants" in data else "")


def _escaped(lines: list[dict[str, Any]]) -> str:
    """A table a room, folded: several hundred rows are for whoever asks."""
    text = ESCAPED
    for line in lines:
        room, survivors = line["en"].partition(":")[0], line["figures"]["survivors"]
        text += f"\n<details><summary>{room}: {len(survivors)}; {line['measured']}</summary>\n\n"
        text += "| | function | planted | judgement |\n|---|---|---|---|\n"
        for each in survivors:
            sign = "○" if each["harmless"] else "×"
            words = [_name(each["function"]), each["planted"]]
            where, planted = (f"`{word.replace('|', '¦').replace('`', 'ˋ')}`" for word in words)
            why = each["why"] or "判断待ち · not yet judged"
            text += f"| {sign} | {where} | {planted} | {why} |\n"
        text += "\n</details>\n"
    return text


def _name(mutated: str) -> str:
    """``shared.detect.words.xǁWordIndexǁbetween`` as ``detect.words.WordIndex.between``."""
    module, _, function = mutated.rpartition(".")
    parts = [part for part in function.removeprefix("x").removeprefix("_").split("ǁ") if part]
    return ".".join([module.removeprefix("shared."), *parts])
