"""Who can reach a file: Graph's permissions as a place of the policy's matrix, and as a digest.

driveItem permissions: learn.microsoft.com/graph/api/resources/permission.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from shared.graph.answers import Json

ANONYMOUS, GUEST, ORGANIZATION, USER = "anonymous", "guest", "organization", "user"
UNREAD = "members_unread"  # who is in it could not be read
_PLACES = (
    (ANONYMOUS, "onedrive_anonymous"),
    (GUEST, "onedrive_guest"),
    (UNREAD, "onedrive_guest"),
    (ORGANIZATION, "onedrive_inside"),
    (USER, "onedrive_inside"),
)
# In a sign-in name: a guest's account, an invitation by mail alone, "Everyone" (guests too).
_OUTSIDERS = ("#ext#", "urn:spo:guest", "urn%3aspo%3aguest", "c:0(.s|true")


@dataclass(frozen=True, slots=True)
class Sharing:
    """``kinds`` of grants beside the owner's; ``direct`` ids can be revoked, ``inherited`` cannot.

    ``digest`` changes with any grant, so that a file shared anew is looked at anew.
    """

    kinds: tuple[str, ...]
    direct: tuple[str, ...]
    inherited: int
    digest: str

    @property
    def place(self) -> str:
        """The widest place that the grants make of the file."""
        return next((place for kind, place in _PLACES if kind in self.kinds), "onedrive_private")

    def reached(self, kind: str) -> Sharing:
        """The same with those who reach it by being in a group, if ``kind`` names any."""
        return replace(self, kinds=tuple(sorted({*self.kinds, kind}))) if kind else self


def sharing(
    permissions: Sequence[Json], inside: Collection[str], *, library: bool = False
) -> Sharing:
    """Read a file's permissions; ``inside`` are the organisation's mail domains, with those below.

    The owner of a OneDrive is one of ours, so their own domain counts too. A ``library`` is a
    site's: nothing in it is one person's, its owners' grants count as any others do, and somebody
    whose address is not known to be ours is a guest. A grant of an unknown shape counts as
    anonymous: the strictest place.
    """
    known = {each.casefold() for each in inside} | (set() if library else _owners(permissions))
    granted = [each for each in permissions if not _is_owner(each)]
    counted = permissions if library else granted
    kinds = {kind for each in counted for kind in _kinds(each, known, strict=library)}
    direct = tuple(str(each.get("id", "")) for each in granted if not each.get("inheritedFrom"))
    return Sharing(tuple(sorted(kinds)), direct, len(granted) - len(direct), _digest(granted))


def _is_owner(permission: Json) -> bool:
    return "owner" in (permission.get("roles") or []) and not permission.get("link")


def _kinds(permission: Json, inside: Collection[str], *, strict: bool) -> Iterator[str]:
    scope = _object(permission.get("link")).get("scope")
    if scope in (ANONYMOUS, ORGANIZATION):
        yield str(scope)
        return
    people = list(_people(permission))
    for person in people:
        yield GUEST if _is_guest(person, inside, strict=strict) else USER
    if any(_many(permission)):
        yield USER
        return
    if not people:  # a link for named people that nobody redeemed yet, or something new
        yield USER if scope == "users" else ANONYMOUS


def _people(permission: Json) -> Iterator[Json]:
    yield from _granted(permission, ("user", "siteUser"))
    invited = _object(permission.get("invitation")).get("email")
    if invited:
        yield {"email": invited}


def _many(permission: Json) -> Iterator[Json]:
    """Groups and applications: all of the tenant, whatever address a group has."""
    yield from _granted(permission, ("group", "siteGroup", "application"))


def _granted(permission: Json, kinds: Sequence[str]) -> Iterator[Json]:
    many = permission.get("grantedToIdentitiesV2")
    for grant in (permission.get("grantedToV2"), *(many if isinstance(many, list) else ())):
        for kind in kinds:
            person = _object(grant).get(kind)
            if isinstance(person, dict):
                yield person


def _owners(permissions: Iterable[Json]) -> set[str]:
    """The mail domains of the owners."""
    owners = (person for each in permissions if _is_owner(each) for person in _people(each))
    return {domain for domain in map(_domain, owners) if domain}


def _is_guest(person: Json, inside: Collection[str], *, strict: bool) -> bool:
    named = f"{person.get('email')} {person.get('loginName')}".casefold()
    if any(each in named for each in _OUTSIDERS):
        return True
    domain = _domain(person)
    ours = any(domain == each or domain.endswith(f".{each}") for each in inside)
    return bool(domain) and not ours and (strict or bool(inside))


def _domain(person: Json) -> str:
    """Of the mail address, else of the sign-in name (``i:0#.f|membership|name@domain``)."""
    for key in ("email", "loginName"):
        _, found, domain = str(person.get(key) or "").casefold().rpartition("@")
        if found:
            return domain
    return ""


def _digest(granted: Iterable[Json]) -> str:
    """Of each grant's id, roles, reach and people, in no order; empty for a private file."""
    lines = sorted(
        "\x1f".join(
            (
                str(each.get("id", "")),
                ",".join(sorted(map(str, each.get("roles") or []))),
                str(_object(each.get("link")).get("scope", "")),
                ",".join(sorted(map(_name, (*_people(each), *_many(each))))),
            )
        )
        for each in granted
    )
    return hashlib.sha256("\x1e".join(lines).encode()).hexdigest()[:32] if lines else ""


def _name(person: Json) -> str:
    return str(person.get("id") or person.get("email") or person.get("loginName") or "").casefold()


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}
