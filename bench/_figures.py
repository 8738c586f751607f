"""``--json [FILE]``, the same for every bench: to FILE beside the table, or alone on stdout."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path


def add(parser: argparse.ArgumentParser) -> None:
    """The option."""
    parser.add_argument("--json", nargs="?", const="-", metavar="FILE")


def tell(where: str | None, figures: object, table: Callable[[], None]) -> None:
    """Print the table, and write the figures where they were asked for."""
    if where == "-":
        print(json.dumps(figures, ensure_ascii=False))
        return
    table()
    if where:
        Path(where).write_text(json.dumps(figures, ensure_ascii=False) + "\n", encoding="utf-8")
