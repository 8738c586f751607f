"""Sanitising opens no file and no socket: the corpus twice, the second time under an audit hook."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import sys
from tests.unit.sanitize import sanitize_mail, sanitize_office, sanitize_pages, sanitize_pdf
from tests.unit.sanitize.sanitize_sample import clean

modules = (sanitize_mail, sanitize_office, sanitize_pages, sanitize_pdf)
items = [sample for module in modules for sample in module.samples()]

def run():
    for sample in items:
        clean(sample.data, sample.name, compare_text=False)

run()
WORLD = ("open", "socket.", "subprocess.", "os.", "shutil.", "tempfile.", "urllib.", "sqlite3.")
touched = set()
def hook(event, arguments):
    if event.startswith(WORLD):
        touched.add(event)
sys.addaudithook(hook)
run()
print(",".join(sorted(touched)))
"""


def test_sanitising_touches_nothing():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.strip() == ""
