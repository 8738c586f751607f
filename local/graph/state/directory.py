"""Groups of Entra: users and groups inside groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from local.graph.state import ids


@dataclass(slots=True)
class Group:
    """A security group; ``members`` are ids of users or groups, in the order they joined."""

    name: str
    id: str = field(default_factory=ids.guid)
    members: list[str] = field(default_factory=list)


def transitive(groups: Mapping[str, Group], group: Group) -> Iterator[str]:
    """Every member below the group once, groups included; a ring of groups ends."""
    seen, todo = {group.id}, [group]
    while todo:
        for key in todo.pop(0).members:
            if key in seen:
                continue
            seen.add(key)
            yield key
            if key in groups:
                todo.append(groups[key])
