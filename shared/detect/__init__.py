"""Text to findings: the one room where a value is seen. Pure; one entity a file.

``Engine(key).scan(segments)`` gives masked, explained findings; ``explain(text)`` shows the scoring
of every candidate in a text. The import is light: NumPy and Vectorscan load with the first scan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.detect.masks import FingerprintKey, mask

if TYPE_CHECKING:
    from shared.detect.engine import Engine
    from shared.detect.explaining import Explanation, explain
    from shared.detect.forms import Forms
    from shared.detect.register import Register, RegisterBuilder

__all__ = [
    "Engine",
    "Explanation",
    "FingerprintKey",
    "Forms",
    "Register",
    "RegisterBuilder",
    "explain",
    "mask",
]


def __getattr__(name: str) -> object:
    if name == "Engine":
        from shared.detect.engine import Engine  # noqa: PLC0415 - loads NumPy

        return Engine
    if name in {"Explanation", "explain"}:
        from shared.detect import explaining as module  # noqa: PLC0415 - loads NumPy

        return getattr(module, name)
    if name == "Forms":
        from shared.detect.forms import Forms  # noqa: PLC0415 - loads NumPy

        return Forms
    if name in {"Register", "RegisterBuilder"}:
        from shared.detect import register  # noqa: PLC0415 - only for those who register people

        return getattr(register, name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
