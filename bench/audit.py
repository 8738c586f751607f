"""The record: a thousand tamperings, the speed of a verification, a flood of results.

``python bench/audit.py [--records 100000] [--tamperings 1000] [--results 10000] [--json [FILE]]``.
Every tampering is done to a log of all records and found by the same code that
``sekisho audit verify`` runs, from the first record on, against the signed heads (some fifteen
minutes at full size). ``--azurite`` adds the flood over Azurite. Exit 1 where one is not found and
located, where a decision is lost, doubled or forked, or where a verification is under 50 MB/s.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from replay import event as recorded

from bench import _figures, _flood, _tampering
from local.azurite import Azurite
from local.memory import Account, MemoryStores
from shared.codec import encode
from shared.policy import Policy, default_text
from shared.storage.audit_reader import AuditReader
from shared.storage.stores import AzureStores

SEED = 20261128
LEAST = 50.0  # MB/s
LEAST_RECORDS = 60_000  # three blobs: one in the middle can be deleted


def log(records: int) -> _tampering.Log:
    rng, policy = random.Random(SEED), Policy.load([default_text()])
    events = [encode(recorded(rng, number, policy)) for number in range(4_000)]
    return _tampering.make(events, records)


async def speed(made: _tampering.Log) -> dict[str, float]:
    """A whole verification, three times; the best and the worst."""
    held, times = made.held(), []
    for _ in range(3):
        began = time.perf_counter()
        checked = await AuditReader(held).check(verifier=made.verifier)
        times.append(time.perf_counter() - began)
        assert checked.verdict.broken is None
    size = checked.size / 1e6
    return {
        "megabytes": round(size, 1),
        "heads": checked.heads,
        "mb_per_second": round(size / min(times), 1),
        "mb_per_second_worst": round(size / max(times), 1),
    }


async def tamper(made: _tampering.Log, times: int) -> dict[str, object]:
    rng = random.Random(SEED)
    tried: Counter[str] = Counter()
    detected: Counter[str] = Counter()
    located: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    began = time.perf_counter()
    for number in range(times):
        tampered = _tampering.WAYS[number % len(_tampering.WAYS)](made, rng)
        found = (await AuditReader(tampered.held).check(verifier=made.verifier)).verdict.broken
        tried[tampered.how] += 1
        detected[tampered.how] += found is not None
        located[tampered.how] += _tampering.right(tampered, found, made.every)
        kinds[found.kind.value if found else "none"] += 1
        if sys.stderr.isatty():
            print(f"\r{number + 1}/{times}", end="", file=sys.stderr)
    return {
        "tamperings": times,
        "detected": sum(detected.values()),
        "located": sum(located.values()),
        "seconds": round(time.perf_counter() - began, 1),
        "ways": {how: [tried[how], detected[how], located[how]] for how in tried},
        "kinds": dict(kinds),
    }


async def flood(results: int) -> dict[str, object]:
    began = time.perf_counter()
    stores = MemoryStores(Account(lambda: _flood.START))
    found = await _flood.Flood(stores, results, seed=SEED, risk=0.0005).run()
    return {**asdict(found), "seconds": round(time.perf_counter() - began, 1)}


async def flood_azurite(results: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder, Azurite(Path(folder)) as azurite:
        began = time.perf_counter()
        async with AzureStores(connection_string=azurite.connection_string) as stores:
            found = await _flood.Flood(stores, results, seed=SEED, risk=0.0005).run()
        return {**asdict(found), "seconds": round(time.perf_counter() - began, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--tamperings", type=int, default=1_000)
    parser.add_argument("--results", type=int, default=10_000)
    parser.add_argument("--azurite", action="store_true", help="the flood over Azurite too")
    parser.add_argument("--azurite-results", type=int, default=10_000)
    _figures.add(parser)
    asked = parser.parse_args()
    if asked.records < LEAST_RECORDS:
        parser.error(f"--records: {LEAST_RECORDS} at least, so that a whole blob can be missing")
    made = log(asked.records)
    told: dict[str, object] = {"records": asked.records}
    verify = asyncio.run(speed(made))
    tampering = asyncio.run(tamper(made, asked.tamperings))
    told |= {"verify": verify, "tampering": tampering}
    floods = [asyncio.run(flood(asked.results))]
    if asked.azurite:
        floods.append(asyncio.run(flood_azurite(asked.azurite_results)))
    told["floods"] = floods

    def table() -> None:
        for name, value in {**verify, **tampering}.items():
            print(f"{name:22} {value}")
        for each in floods:
            print(f"{'flood':22} {each}")

    _figures.tell(asked.json, told, table)
    good = (
        verify["mb_per_second"] >= LEAST
        and tampering["located"] == asked.tamperings
        and all(each["right"] and each["rows"] == each["results"] for each in floods)
    )
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
