"""The host is killed with SIGKILL, again and again, while the day's items pass."""

from __future__ import annotations

import tempfile
from pathlib import Path

from local.demo.report import chain_holds
from tests.e2e.killing import KILLS, killed_day
from tests.e2e.twice import done_twice
from trust.lines import Line, Told, of_size


def run(size: str, told: Told) -> list[Line]:
    """10, 50 or 200 kills, twenty of them (or what is left) each day; a fresh town for each."""
    left = wanted = of_size(size, 10, 50, 200)
    items = inflight = day = 0
    wrong: list[str] = []
    while left:
        kills = min(KILLS, left)
        with tempfile.TemporaryDirectory() as folder, killed_day(Path(folder), day, kills) as found:
            items += len(found.results)
            inflight += found.inflight
            for each in found.results:
                wrong += [f"day {day}, {each.sent.sample.name}: {p}" for p in each.problems]
            wrong += [f"day {day}: {each}" for each in done_twice(found.there, found.results)]
            if not chain_holds(found.there.storage.chain()):
                wrong.append(f"day {day}: the chain does not hold")
        left, day = left - kills, day + 1
        told("kills", wanted - left, wanted)
    return [
        Line(
            f"ホストを SIGKILL で {wanted} 回落としても、失わず、二度せず、鎖は切れない",
            f"{wanted} SIGKILLs of the host: nothing lost, nothing twice, the chain whole",
            f"{wanted} kills ({inflight} with items in flight), {items} items, {len(wrong)} wrong",
            not wrong,
            {"kills": wanted, "in_flight": inflight, "items": items, "wrong": len(wrong)},
            "; ".join(wrong[:5]),
        )
    ]
