"""What became of each item: asked of the stand-in over plain HTTP, and of the storage.

Nothing of shared is used, and nothing is believed that the product says of itself, except where the
quarantined copy is (the audit names it), which is then looked at.
"""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

from local.demo.watch import Line, Storage
from local.demo.world import COLUMN, Sent
from local.samples import DRIVE, MAIL

TAGGED, REVIEWING = "関所: 確認済", "関所: 要確認"
PROPERTY = "String {5a1c9a3e-7e0b-4c0e-9a61-6f0b5e3d2c71} Name SekishoVerdict"


@dataclass(frozen=True, slots=True)
class State:
    """What is the case: a state of ``expectations.yaml``, and what shows it."""

    name: str
    shown: str


class Graph:
    """The stand-in as any HTTP client sees it."""

    def __init__(self, base_url: str) -> None:
        self._base = base_url

    def get(self, path: str, **query: str) -> bytes | None:
        """The answer's bytes; None for 404."""
        tail = f"?{urllib.parse.urlencode(query)}" if query else ""
        request = urllib.request.Request(f"{self._base}{path}{tail}")  # noqa: S310 - loopback only
        request.add_header("Authorization", "Bearer demo")
        request.add_header("Prefer", 'IdType="ImmutableId"')
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback only
                body: bytes = answer.read()
                return body
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 404:  # noqa: PLR2004 - not found
                    return None
                raise

    def json(self, path: str, **query: str) -> dict[str, Any] | None:
        """The same as JSON."""
        body = self.get(path, **query)
        found: dict[str, Any] | None = None if body is None else json.loads(body)
        return found


class ReadBack:
    """Looks at one item after the other."""

    def __init__(self, graph: Graph, storage: Storage) -> None:
        self._graph = graph
        self._storage = storage

    def state(self, sent: Sent, line: Line) -> State:
        """What is the case for this item now."""
        if sent.sample.source == MAIL:
            return self._mail(sent, line)
        if sent.sample.source == DRIVE:
            return self._file(sent, line)
        return self._gate(sent, line)

    def _mail(self, sent: Sent, line: Line) -> State:
        expand = f"singleValueExtendedProperties($filter=id eq '{PROPERTY}')"
        path = f"/users/{sent.owner}/messages/{sent.item_id}"
        message = self._graph.json(path, **{"$select": "categories", "$expand": expand})
        if message is None:
            kept = self._kept(sent, line)
            return State("removed" if kept else "lost", "404" + (", 隔離" if kept else ""))
        categories = [each for each in message.get("categories", []) if each.startswith("関所")]
        marked = bool(message.get("singleValueExtendedProperties"))
        shown = " ".join([*categories, *(["+属性"] if marked else [])])
        if TAGGED in categories and marked:
            return State("tagged", shown)
        if REVIEWING in categories and marked:
            return self._reviewed(line, shown)
        return State("untouched" if not categories else "unclear", shown or "そのまま")

    def _file(self, sent: Sent, line: Line) -> State:
        place = f"/drives/{sent.drive_id}/items/{sent.item_id}"
        content = self._graph.get(f"{place}/content")
        if content is None:
            return State("lost", "404")
        permissions = self._graph.json(f"{place}/permissions") or {}
        links = sum("link" in each for each in permissions.get("value", []))
        if content != sent.sample.data:
            return self._replaced(sent, line, content, links)
        listed = self._graph.json(f"{place}/listItem", **{"$expand": "fields"}) or {}
        fields = (listed.get("fields") or {}).get(COLUMN)
        if fields == TAGGED:
            return State("tagged", f"列 {fields}")
        if fields == REVIEWING:
            return self._reviewed(line, f"列 {fields}")
        return State(
            "untouched" if links == bool(sent.sample.link) else "unclear", f"リンク {links}"
        )

    def _replaced(self, sent: Sent, line: Line, content: bytes, links: int) -> State:
        right = "関所" in content.decode("utf-8-sig", "replace") and links == 0
        shown = f"告知文, リンク {links}"
        if right and self._kept(sent, line):
            return State("tombstone", f"{shown}, 隔離")
        return State("unclear", shown)

    def _gate(self, sent: Sent, line: Line) -> State:
        delivered = self._delivered(sent)
        landing = self._storage.blob("landing", sent.item_id)
        if delivered:
            return State("delivered" if landing is None else "unclear", delivered)
        if landing is None:
            kept = self._kept(sent, line)
            return State("quarantined" if kept else "lost", "隔離" if kept else "")
        if self._storage.tag("landing", sent.item_id) == "held" and landing == sent.sample.data:
            return State("held", "関門で保留")
        return State("waiting", "")

    def _delivered(self, sent: Sent) -> str:
        """Where the uploader's own copy is, if they have one."""
        if sent.sample.is_mail:
            wanted = f"<{sent.sample.name}@pref.example>"
            query = {"$filter": f"internetMessageId eq '{wanted}'"}
            found = self._graph.json(f"/users/{sent.owner}/messages", **query) or {}
            return "受信箱" if found.get("value") else ""
        path = urllib.parse.quote(f"庁内から/{sent.sample.file_name}")
        drive = (self._graph.json(f"/users/{sent.owner}/drive") or {}).get("id")
        data = self._graph.get(f"/drives/{drive}/items/root:/{path}:/content")
        return "OneDrive" if data == sent.sample.data else ""

    def _reviewed(self, line: Line, shown: str) -> State:
        if line.event["id"] not in self._storage.incidents():
            return State("unclear", f"{shown}, no incident")
        return State("review", f"{shown}, 案件")

    def _kept(self, sent: Sent, line: Line) -> bool:
        """Whether the evidence that the audit names is the very original."""
        container, _, name = str(line.event["evidence_ref"]).partition("/")
        kept = self._storage.blob(container, name) if name else None
        if kept is None:
            return False
        same = hashlib.sha256(kept).digest() == hashlib.sha256(sent.sample.data).digest()
        # Graph gives a mail's MIME with the transport's own headers before it.
        return same or (sent.sample.source == MAIL and sent.sample.data[-200:] in kept)
