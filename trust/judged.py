"""Mutants that escape and may: why each changes nothing that anybody could notice.

A name is that of mutmut, without the number where all mutants of a function's kind are meant is not
possible: a number may mean another fault when the function changes, so a judgement holds only
together with the line that it quotes.
"""

from __future__ import annotations

JUDGED: dict[str, str] = {}
