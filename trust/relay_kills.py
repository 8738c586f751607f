"""Mail and files through relay, storage and host, while each is stopped again and again.

The test is ``tests/e2e/test_relay_kills.py``; this runs it at the size asked for and reads what it
counted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from trust.lines import Line, Told

ROOT = Path(__file__).resolve().parent.parent
TEST = "tests/e2e/test_relay_kills.py"


def run(size: str, told: Told) -> list[Line]:
    """8 stops, 120 mails (``ci``), or 50, 1,000 and 200 files; the test itself is the judge."""
    told("relay kills", 0, 1)
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures.json"
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", TEST],
            cwd=ROOT,
            env={
                **os.environ,
                "SEKISHO_TRUST": "" if size == "ci" else "full",
                "SEKISHO_TRUST_FIGURES": str(figures),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        found = json.loads(figures.read_text(encoding="utf-8")) if figures.exists() else {}
    told("relay kills", 1, 1)
    stops = sum(found.get("stops", {}).values())
    measured = (
        f"{stops} stops, {found.get('mails', 0):,} mails, {found.get('files', 0)} files; "
        f"{found.get('wanted', 0):,} copies wanted, {found.get('given_to_the_sink', 0):,} given"
    )
    return [
        Line(
            "中継・保管庫・ホストを止め続けても、失わず、二度届けず、止めたものは届かない",
            "relay, storage, host stopped again and again: 0 lost, 0 twice, 0 blocked delivered",
            measured,
            done.returncode == 0,
            found,
            "" if done.returncode == 0 else done.stdout[-500:],
        )
    ]
