"""What a deployment takes from the code: permissions and settings, an app each.

``infra/graph.json`` (what is granted to each app's identity, from where its calls stand in the
code), ``infra/settings.json`` and the tables of ``docs/permissions.md`` are made here.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

from shared.audit.formats import sentinel
from shared.graph import calls
from shared.settings import ROLES, SETTINGS

ROOT = Path(__file__).resolve().parent.parent
# What functions/resolve and functions/subscriptions reach; every other caller is the scan's.
INTAKE = (
    "shared/graph/subscriptions.py",
    "shared/services/cohorts.py",
    "shared/services/deltas.py",
    "shared/services/event_delta.py",
    "shared/services/resolve.py",
    "shared/services/sites.py",
    "shared/services/teams_hints.py",
    "shared/services/teams_sweep.py",
)
WORDS = """## Azure の役割 / Azure roles

保存先ごと・アプリごとの役割です（`infra/access.json`）。小規模構成の一つのアプリは四つの合計を
持ちます。このほか各アプリの ID は、自分のホスト用ストレージ（Storage Blob Data Owner）、
自分の Key Vault（Key Vault Secrets User）、テレメトリ（Monitoring Metrics Publisher）を使います。

Roles a store and an app (`infra/access.json`). The one app of the small size has the sum of
the four. Beside these each app's identity has its own host account (Storage Blob Data Owner),
its own key vault (Key Vault Secrets User) and telemetry (Monitoring Metrics Publisher).
"""
ROOMS = ("shared/graph", "shared/services")


def called(path: Path) -> Iterator[calls.Call]:
    """The calls that a file names as ``calls.NAME``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found = getattr(calls, node.attr, None) if node.value.id == "calls" else None
            if isinstance(found, calls.Call) and found is not calls.LINK:
                yield found


def by_app() -> dict[str, frozenset[calls.Call]]:
    """The calls of each app that calls Graph."""
    made: dict[str, set[calls.Call]] = {"intake": set(), "scan": set()}
    for room in ROOMS:
        for path in sorted((ROOT / room).glob("*.py")):
            app = "intake" if path.relative_to(ROOT).as_posix() in INTAKE else "scan"
            made[app] |= set(called(path))
    return {app: frozenset(found) for app, found in made.items()}


def grants() -> dict[str, list[str]]:
    """The permissions of each app's identity; ``all`` is one app with every duty."""
    found = {
        app: sorted({name for call in made for name in (call.permission, *call.also)})
        for app, made in by_app().items()
    }
    return {"all": sorted(set().union(*map(set, found.values()))), **found}


def grants_file() -> str:
    """infra/graph.json."""
    return json.dumps(grants(), indent=2) + "\n"


def azure_roles() -> list[str]:
    """Lines of docs/permissions.md: infra/access.json, with what needs each role."""
    access = json.loads((ROOT / "infra/access.json").read_text(encoding="utf-8"))
    lines = [WORDS]
    for app, entries in access.items():
        lines += [f"### {app}", "", "| store | role | what needs it |", "|---|---|---|"]
        for each in entries:
            store = f"`{each['account']}` {each['kind']} `{each['name']}`"
            lines.append(f"| {store} | {each['role']} | {each['why']} |")
        lines.append("")
    return lines


def secret_of(name: str) -> str:
    """The name of a key setting's secret in the vault of its role."""
    return name.removeprefix("SEKISHO_").lower().replace("_", "-")


def settings_file() -> str:
    """infra/settings.json: a role's settings with their defaults, and which of them are keys."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for role in ROLES:
        mine = [each for each in SETTINGS if role in each.roles]
        secret = {each.name for each in mine if "Key Vault reference" in each.text}
        keys = {each.name: secret_of(each.name) for each in mine if each.name in secret}
        needed = {each.name for each in mine if each.default is None}
        found[role] = {
            "values": {each.name: each.default or "" for each in mine if each.name not in secret},
            "keys": {name: value for name, value in keys.items() if name in needed},
            "optionalKeys": {name: value for name, value in keys.items() if name not in needed},
        }
    return json.dumps(found, indent=2) + "\n"


def sentinel_file() -> str:
    """infra/sentinel.json: the stream that the record is sent as, and the table it ends in."""
    made = {
        "stream": sentinel.STREAM,
        "streams": sentinel.declaration(),
        "table": sentinel.table(),
    }
    return json.dumps(made, indent=2) + "\n"


def stores_file() -> str:
    """infra/stores.json: the sum of the four apps' roles, and every store that one may reach."""
    access = json.loads((ROOT / "infra/access.json").read_text(encoding="utf-8"))
    entries = [each for found in access.values() for each in found]
    together: list[dict[str, str]] = []
    for role in ("intake", "scan", "audit", "console"):
        for each in access[role]:
            plain = {name: each[name] for name in ("account", "kind", "name", "role")}
            if plain not in together:
                together.append(plain)
    places: dict[str, dict[str, list[str]]] = {}
    for account in sorted({each["account"] for each in entries}):
        places[account] = {
            kind: sorted(
                {e["name"] for e in entries if (e["account"], e["kind"]) == (account, kind)}
            )
            for kind in ("containers", "queues", "tables")
        }
    return json.dumps({"all": together, "places": places}, indent=2) + "\n"
