"""A token bucket a session, in this process: a burst, then a steady rate."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

KEPT = 10_000  # sessions remembered; the one that was idle longest is forgotten


@dataclass(slots=True)
class Buckets:
    """``burst`` requests at once, then ``rate`` a second. ``now`` gives seconds."""

    now: Callable[[], float]
    burst: float = 60.0
    rate: float = 5.0
    _left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def take(self, who: str) -> bool:
        """Whether this request may pass."""
        now = self.now()
        left, since = self._left.pop(who, (self.burst, now))
        left = min(self.burst, left + (now - since) * self.rate)
        self._left[who] = (max(left - 1, 0.0) if left >= 1 else left, now)
        while len(self._left) > KEPT:
            self._left.popitem(last=False)
        return left >= 1
