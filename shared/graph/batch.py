"""``$batch``: up to twenty calls in one request, each with an answer of its own.

It saves round trips and nothing else: every call in it counts against Graph's limits as if it had
been sent alone (learn.microsoft.com/graph/json-batching), and may be throttled alone.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

import msgspec

from shared.errors import UnavailableError
from shared.graph.answers import Answer, Json
from shared.graph.calls import Call

MOST = 20


@dataclass(frozen=True, slots=True)
class Ask:
    """One GET of a batch."""

    call: Call
    params: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Below the version."""
        path = self.call.path.format_map({k: quote(v, safe="") for k, v in self.params.items()})
        names = urlencode({f"${name}": value for name, value in self.query.items()})
        return f"{path}?{names}" if names else path


def body(asks: Sequence[Ask], prefer: str) -> Json:
    """The request; the preference goes with every call."""
    return {
        "requests": [
            {"id": str(n), "method": ask.call.method, "url": ask.url, "headers": {"Prefer": prefer}}
            for n, ask in enumerate(asks)
        ]
    }


def answers(asks: Sequence[Ask], given: Json) -> list[Answer]:
    """Each call's answer, in order. UnavailableError where one was not answered."""
    found: dict[str, Answer] = {}
    responses = given.get("responses")
    for each in responses if isinstance(responses, list) else []:
        headers = {str(k).lower(): str(v) for k, v in (each.get("headers") or {}).items()}
        found[str(each.get("id"))] = Answer(int(each.get("status") or 0), headers, _bytes(each))
    names = [str(number) for number in range(len(asks))]
    if not found.keys() >= set(names):
        message = "a batch without an answer to each of its calls"
        raise UnavailableError(message)
    return [found[name] for name in names]


def _bytes(response: Json) -> bytes:
    given = response.get("body")
    if isinstance(given, str):  # what is no JSON comes as base64
        return base64.b64decode(given)
    return msgspec.json.encode(given) if given is not None else b""
