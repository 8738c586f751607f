"""What we say of planted faults that no test notices: ``trust/judgements/ROOM.yaml``.

A fault is named by its function and by what was planted (``trust.mutant_tree.change``), so that a
judgement ends when the place changes. ``harmless`` ones change nothing that can be told and are not
counted; ``open`` ones would be told by a test that we chose not to write, and count as escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from trust.mutant_tree import NUMBER

FOLDER = Path(__file__).resolve().parent / "judgements"
KINDS = ("harmless", "open")


def survivors(room: str, planted: Mapping[str, str]) -> list[dict[str, Any]]:
    """Each by its ``function``, with what was ``planted``, whether ``harmless``, and ``why``."""
    path = FOLDER / f"{room}.yaml"
    said = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    rows = []
    for name, change in planted.items():
        function = NUMBER.sub("", name)
        harmless, left = (said.get(kind, {}).get(function, {}).get(change, "") for kind in KINDS)
        rows.append(
            {
                "function": function,
                "planted": change,
                "harmless": bool(harmless),
                "why": harmless or left,
            }
        )
    return sorted(rows, key=lambda row: (row["function"], row["planted"]))
