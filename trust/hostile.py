"""Malformed and hostile files through the sandbox: the worker lives, each within its limits.

``python -m trust.hostile COUNT`` is the process that is measured; peak memory is that of its
largest child (getrusage(2), RUSAGE_CHILDREN).
"""

from __future__ import annotations

import asyncio
import io
import json
import random
import resource
import subprocess
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trust.lines import Line, Told, of_size

ROOT = Path(__file__).resolve().parent.parent
SEED = 20261128
SECONDS = 30.0
MEMORY = 512  # MB


def files(count: int, rng: random.Random) -> Iterator[tuple[str, bytes]]:
    """The bombs first, then real files damaged in six ways; a name that says which."""
    from tests.unit.extract_files.numbers_made import my_number
    from tests.unit.extract_files.places import ALL
    from tests.unit.extract_files.test_hostile_files import HOSTILE
    from tests.unit.extract_mail.golden import cases

    bombs = [(name, build) for name, build, _ in HOSTILE]
    for name, build in bombs[:count]:
        yield name, build()
    seeds = [(case.format, case.build(my_number(11))) for case in ALL]
    seeds += [("eml", case.data) for case in cases()]
    for number in range(count - len(bombs)):
        kind, data = rng.choice(seeds)
        _, other = rng.choice(seeds)
        way = rng.choice(list(WAYS))
        yield f"{number}: {way} .{kind}", WAYS[way](data, other, rng)


def _cut(data: bytes, _other: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _flipped(data: bytes, _other: bytes, rng: random.Random) -> bytes:
    made = bytearray(data)
    for _ in range(rng.randint(1, 40)):
        made[rng.randrange(len(made))] ^= 1 << rng.randrange(8)
    return bytes(made)


def _lengths(data: bytes, _other: bytes, rng: random.Random) -> bytes:
    """Runs of 0xFF where a length or an offset may stand."""
    made = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(made))
        made[at : at + 4] = rng.choice([b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\0"])
    return bytes(made)


def _doubled(data: bytes, _other: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data))
    piece = data[at : at + rng.randint(1, 2_000)]
    return data[:at] + piece * rng.randint(2, 50) + data[at:]


def _spliced(data: bytes, other: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


def _nested(data: bytes, other: bytes, rng: random.Random) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", _flipped(data, other, rng))
        archive.writestr("a", other)
    return out.getvalue()


WAYS = {
    "cut": _cut,
    "flipped": _flipped,
    "lengths": _lengths,
    "doubled": _doubled,
    "spliced": _spliced,
    "nested": _nested,
}


async def measure(count: int) -> dict[str, object]:
    """Each file through one sandbox; what came of it."""
    from shared.model import Content, Disposition
    from shared.sandbox import Sandbox
    from trust.targets import CONTEXT, policy

    sandbox = Sandbox(processes=1)  # with the limits of a deployment
    await sandbox.extract(Content(b"%PDF-1.4", "a.pdf"))
    server = sandbox.pids()
    gaps: Counter[str] = Counter()
    slowest, passed, died, total = ("", 0.0), [], [], 0
    for name, data in files(count, random.Random(SEED)):
        began = time.monotonic()
        found = await sandbox.extract(Content(data, "sample"))
        seconds = time.monotonic() - began
        slowest = max(slowest, (name, seconds), key=lambda each: each[1])
        gaps.update({gap.code.value for gap in found.gaps})
        decided = policy().decide(CONTEXT, (), found.gaps)
        if found.gaps and decided.would_be is Disposition.ALLOW:
            passed.append(name)
        if sandbox.pids() != server:
            died.append(name)
            server = sandbox.pids()
        total += 1
        if total % 20 == 0:
            print(json.dumps({"done": total}), flush=True)
    sandbox.close()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {
        "files": total,
        "gaps": dict(gaps.most_common()),
        "slowest": slowest[0],
        "slowest_s": round(slowest[1], 1),
        "peak_mb": round(peak),
        "passed": passed,
        "died": died,
    }


def run(size: str, told: Told) -> list[Line]:
    """In a process of its own, so that its children's memory is theirs alone."""
    count = of_size(size, 120, 1_000, 2_000)
    command = [sys.executable, "-m", "trust.hostile", str(count)]
    figures: dict[str, Any] = {}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            answer = json.loads(line)
            if "done" in answer:
                told("hostile", answer["done"], count)
            else:
                figures = answer
    if not figures:
        return [Line("悪意あるファイル", "hostile files", "the worker died", holds=False)]
    seconds, peak = figures["slowest_s"], figures["peak_mb"]
    died, passed = figures["died"], figures["passed"]
    return [
        Line(
            f"悪意ある・壊れたファイル {count:,} 個で、作業プロセスは落ちず、ギャップは通過しない",
            f"{count:,} hostile and broken files: the worker lives, no gap is ever ALLOW, "
            f"≤ {MEMORY} MB and ≤ {SECONDS:.0f} s each",
            f"peak {peak} MB, slowest {seconds} s ({figures['slowest']}), "
            f"{len(died)} deaths, {len(passed)} passed",
            not (died or passed) and seconds <= SECONDS and peak <= MEMORY,
            figures,
        )
    ]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(int(sys.argv[1]))), ensure_ascii=False), flush=True)
