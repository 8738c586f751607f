"""Who is watched: the accounts that a deployment names, and the members of the groups it names.

``SEKISHO_WATCH`` holds user ids or sign-in names, and ``group:<id>`` for an Entra group: its
members, and those of the groups inside it, as they are when the timer asks.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import GoneError, PermanentError
from shared.graph import calls
from shared.graph.client import Graph

GROUP = "group:"


async def members(graph: Graph, watch: Sequence[str]) -> tuple[str, ...]:
    """The accounts, each once, in order. PermanentError for a group that does not exist.

    A group that cannot be read is an error and not an empty group: everybody's watch would end.
    """
    found: dict[str, None] = {}
    for each in watch:
        if not each.startswith(GROUP):
            found[each] = None
            continue
        params = {"group": each.removeprefix(GROUP)}
        query = {"select": "id", "top": "100"}
        try:
            async for page in graph.pages(calls.GROUP_MEMBERS, params, query=query):
                found |= {str(user["id"]): None for user in page.get("value", [])}
        except GoneError:
            message = f"SEKISHO_WATCH names a group that does not exist: {params['group']}"
            raise PermanentError(message) from None
    return tuple(found)
