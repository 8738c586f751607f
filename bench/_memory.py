"""Memory of the function worker while the stack runs."""

from __future__ import annotations

import statistics
import threading
import time
from types import TracebackType
from typing import Self

import psutil

SECONDS = 2.0


class WorkerMemory:
    """A context manager: resident MB of the worker of ``host`` (a pid), every two seconds.

    Children that read a risky file live for milliseconds and have a limit of their own; they are
    not counted.
    """

    def __init__(self, host: int) -> None:
        self.samples: list[tuple[float, float]] = []  # seconds since the start, MB
        self._worker = next(
            each
            for each in psutil.Process(host).children()
            if any("worker_main" in word for word in each.cmdline())
        )
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def figures(self) -> dict[str, float]:
        """Medians in MB: after a tenth of the time, in the middle, and of the last tenth."""
        values = [mb for _, mb in self.samples]
        tenth = max(1, len(values) // 10)
        half = len(values) // 2
        return {
            "first_mb": statistics.median(values[tenth : 2 * tenth] or values),
            "half_mb": statistics.median(values[half : half + tenth]),
            "last_mb": statistics.median(values[-tenth:]),
            "peak_mb": max(values),
        }

    def curve(self, points: int = 40) -> list[tuple[int, int]]:
        """(second, MB), some ``points`` of them."""
        step = max(1, len(self.samples) // points)
        return [(round(at), round(mb)) for at, mb in self.samples[::step]]

    def _watch(self) -> None:
        began = time.monotonic()
        while True:
            self.samples.append((time.monotonic() - began, self._worker.memory_info().rss / 1e6))
            if self._over.wait(SECONDS):
                return
