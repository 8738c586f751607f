"""What goes wrong on demand: answers, connections, delays, lost and doubled notifications."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from typing import Any

type Json = dict[str, Any]
RESYNC = 410
CODES = {
    401: "InvalidAuthenticationToken",
    403: "accessDenied",
    404: "itemNotFound",
    409: "nameAlreadyExists",
    RESYNC: "resyncRequired",
    412: "ErrorIrresolvableConflict",
    423: "resourceLocked",
    429: "TooManyRequests",
    503: "serviceNotAvailable",
    504: "UnknownError",
}


@dataclass(slots=True)
class Fault:
    """One scripted fault for Graph requests; each match uses up one of ``times``.

    ``status`` answers without doing anything; ``drop`` closes the connection, before the request is
    carried out, or where ``after`` is set after it (the client cannot know which); ``delay`` waits
    first, in seconds. ``truncate`` cuts the body of the true answer in half.
    """

    method: str = ""
    path: re.Pattern[str] = field(default_factory=lambda: re.compile(""))
    times: int = 1
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    after: bool = False
    delay: float = 0.0
    truncate: bool = False

    @classmethod
    def parse(cls, body: Json) -> Fault:
        """From the admin side's JSON; ValueError (or re.error) where it is wrong."""
        match = body.get("match", {})
        known = {"match", "times", "status", "headers", "drop", "after", "delay", "truncate"}
        if unknown := set(body) - known:
            message = f"unknown keys in a fault: {sorted(unknown)}"
            raise ValueError(message)
        rest = {key: value for key, value in body.items() if key != "match"}
        path = re.compile(match.get("path_regex", ""))
        return cls(method=match.get("method", "").upper(), path=path, **rest)

    def matches(self, method: str, path: str) -> bool:
        """Whether it is still armed and meant for this request."""
        return self.times > 0 and self.method in {"", method} and bool(self.path.search(path))


@dataclass(slots=True)
class Loss:
    """A bad line: shares (0 to 1) of the notifications are lost or come twice, all come shuffled.

    Each copy waits up to ``delay`` seconds, which is what shuffles them. ``told``, ``dropped`` and
    ``doubled`` count.
    """

    drop: float = 0.0
    duplicate: float = 0.0
    delay: float = 0.0
    told: int = 0
    dropped: int = 0
    doubled: int = 0
    rng: random.Random = field(default_factory=random.Random)

    @classmethod
    def parse(cls, body: Json) -> Loss:
        """From the admin side's JSON; ValueError where it is wrong."""
        drop, duplicate, delay = (float(body.get(key, 0)) for key in ("drop", "duplicate", "delay"))
        shares = 0 <= drop <= 1 and 0 <= duplicate <= 1
        if not shares or set(body) - {"drop", "duplicate", "delay", "seed"}:
            message = "lossy: drop and duplicate (0 to 1), delay (seconds), seed"
            raise ValueError(message)
        rng = random.Random(int(body.get("seed", 0)))  # noqa: S311 - to be repeatable
        return cls(drop, duplicate, delay, rng=rng)

    def copies(self) -> int:
        """0, 1 or 2."""
        self.told += 1
        if self.rng.random() < self.drop:
            self.dropped += 1
            return 0
        twice = self.rng.random() < self.duplicate
        self.doubled += twice
        return 1 + twice

    def wait(self) -> float:
        """Seconds until the next copy leaves."""
        return self.rng.uniform(0, self.delay)


class Faults:
    """The armed faults, first come first served, and what happens to the next notifications."""

    def __init__(self) -> None:
        self.armed: list[Fault] = []
        self.drop_notifications = 0
        self.duplicate_notifications = 0
        self.reorder_notifications = 0
        self.forgeries: list[str] = []
        self.fail_labels = 0
        self.loss: Loss | None = None

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self.__init__()  # type: ignore[misc]

    def take(self, method: str, path: str) -> Fault | None:
        """The fault for this request, used up once."""
        for fault in self.armed:
            if fault.matches(method, path):
                fault.times -= 1
                self.armed = [each for each in self.armed if each.times > 0]
                return fault
        return None

    def label_fails(self) -> bool:
        """Whether the next label, though accepted, is not applied."""
        fails = self.fail_labels > 0
        self.fail_labels -= fails
        return fails

    def forgery(self) -> str:
        """What is wrong with the next rich notification; empty where nothing is."""
        return self.forgeries.pop(0) if self.forgeries else ""

    def copies(self) -> int:
        """How often the next notification is delivered: 0, 1 or 2."""
        if self.drop_notifications > 0:
            self.drop_notifications -= 1
            return 0
        if self.duplicate_notifications > 0:
            self.duplicate_notifications -= 1
            return 2
        return 1 if self.loss is None else self.loss.copies()
