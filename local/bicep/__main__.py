"""``python -m local.bicep``: infra/ as a compiler would read it; exit 1 on a problem."""

from __future__ import annotations

import sys
from pathlib import Path

from local.bicep import names, shapes
from local.bicep.template import load

INFRA = Path(__file__).resolve().parents[2] / "infra"


def main() -> int:
    """Print one line a problem."""
    files = sorted(INFRA.rglob("*.bicep"))
    found: list[str] = []
    for path in files:
        template = load(path)
        found += [*names.problems(template), *shapes.problems(template)]
    print("\n".join(found) or f"infra: {len(files)} files, nothing misspelt, nothing unresolved")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
