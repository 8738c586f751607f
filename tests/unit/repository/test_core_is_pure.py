"""The core opens no file and no socket: what ``open()`` and importlib hide from the linter.

A process reads every sample once (imports and package data are loaded), then again under an audit
hook (docs.python.org/3/library/audit_events.html) that notes what touches the world.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import sys, time
from local.samples import samples
from shared.detect import Engine, FingerprintKey
from shared.extract import extract
from shared.model import Content, Context
from shared.policy import Policy, default_text

engine = Engine(FingerprintKey("t", b"k" * 32))
policy = Policy.load([default_text()])
items = samples()

def run():
    for sample in items:
        kind = "message/rfc822" if sample.is_mail else ""
        read, _ = extract(Content(sample.data, sample.file_name, kind), clock=time.monotonic)
        policy.decide(Context("mail", "own_mailbox"), engine.scan(read.segments), read.gaps)

run()
WORLD = ("open", "socket.", "subprocess.", "os.", "shutil.", "tempfile.", "urllib.", "sqlite3.")
touched = set()
def hook(event, arguments):
    if event.startswith(WORLD):
        touched.add(event)
sys.addaudithook(hook)
{fault}
run()
print(",".join(sorted(touched)))
"""


def touched(fault: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("{fault}", fault)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout.strip()


def test_core_touches_nothing_while_it_works():
    assert touched() == ""


def test_core_purity_test_sees_a_planted_touch():
    fault = """
import shared.extract.text as module
old = module.read
module.read = lambda *a: (open('/dev/null'), old(*a))
"""
    assert "open" in touched(fault)
