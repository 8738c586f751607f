"""50,000 recorded decisions under another policy, from a file of the chain to the table and chart.

``python bench/replay.py [--events 50000] [--json]``. Events are made up from a seed; fingerprints
are counters, no value exists.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import _figures
from shared.audit.chain import Tip, append
from shared.cli import records, replaying
from shared.codec import encode
from shared.model import AuditEvent, Context, Evidence, Finding, Gap, GapCode, Item, Level
from shared.policy import Policy, default_text
from shared.policy.replay import Replay

ENTITIES = ("my_number", "phone_number", "person_name", "email_address", "sensitive_information")
SITE = "matrix: {'3C': {onedrive_anonymous: block, onedrive_guest: review}}"
WHY = (Evidence("check", 2.4, "検査用数字が合う", "the check digit is right"),) * 3
LIMIT = 10.0


def event(rng: random.Random, number: int, policy: Policy) -> AuditEvent:
    found = tuple(
        Finding(rng.choice(ENTITIES), "本文", 0, 12, 0.9, Level(rng.randint(1, 3)), "1***",
                f"k:{rng.getrandbits(256):064x}", WHY)
        for _ in range(rng.choice((0, 0, 1, 2, 5, 12)))
    )  # fmt: skip
    gaps = (Gap(GapCode.ENCRYPTED, "添付1"),) if rng.random() < 0.05 else ()
    place = rng.choice(("own_mailbox", "onedrive_private", "onedrive_guest", "onedrive_anonymous"))
    owner = f"{rng.randrange(10_000):08x}-0000"
    start = datetime(2026, 7, 1, tzinfo=UTC)
    context = Context("mail", place, owner, received_at=start)
    said = policy.decide(context, found, gaps)
    return AuditEvent(
        f"{number:064x}", start + timedelta(seconds=number), Item("mail", str(number), owner, "1"),
        said.disposition.name.lower(), said.would_be.name.lower(), said.mode.value, policy.version,
        said.rule_ids, "none", "recorded", (), said.findings, gaps, place, owner, 1.0, "t", "",
        context,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=50_000)
    _figures.add(parser)
    asked = parser.parse_args()
    rng, now = random.Random(7), Policy.load([default_text()])
    with tempfile.TemporaryDirectory() as folder:
        path, tip = Path(folder) / "audit.jsonl", Tip()
        with path.open("wb") as out:
            for number in range(asked.events):
                line, tip = append(tip, encode(event(rng, number, now)))
                out.write(line)
        start = time.perf_counter()
        read = records.events(path)
        middle = time.perf_counter()
        replay = Replay(Policy.load([default_text(), SITE]))
        replay.run(read)
        replaying.chart(replay)
        end = time.perf_counter()
        size = path.stat().st_size
    told = {
        "events": asked.events,
        "megabytes": round(size / 1e6, 1),
        "read_seconds": round(middle - start, 2),
        "decide_seconds": round(end - middle, 2),
        "seconds": round(end - start, 2),
        "newly_blocked": replay.newly_blocked(),
        "rows": len(replay.table()),
    }

    def table() -> None:
        for name, value in told.items():
            print(f"{name:16} {value}")

    _figures.tell(asked.json, told, table)
    sys.exit(0 if end - start <= LIMIT * asked.events / 50_000 else 1)


if __name__ == "__main__":
    main()
