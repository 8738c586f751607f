"""Writes the generated pages of docs/reference; a test fails while one is out of date."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import msgspec

import shared
from local.access import azure_roles, by_app, grants_file, sentinel_file, settings_file, stores_file
from local.relay_page import relay_page
from shared.console.openapi import description
from shared.console.routes import ROUTES
from shared.graph import calls
from shared.model import AuditEvent
from shared.settings import CONNECTIONS, SETTINGS
from shared.storage.alert_words import page as alerts_page

GENERATED = "Generated from `{}` by `python -m local.docs`."
ROOT = Path(__file__).resolve().parent.parent


def settings_page() -> str:
    """docs/reference/settings.md."""
    lines = [
        "# Settings",
        "",
        GENERATED.format("shared/settings.py"),
        "Every setting is checked at start; a missing or wrong one stops the app with a message",
        "that names it.",
        "",
        "| setting | default | roles | what it is |",
        "|---|---|---|---|",
    ]
    for setting in SETTINGS:
        default = "**required**" if setting.default is None else f"`{setting.default or '(empty)'}`"
        roles = "all" if len(setting.roles) > 3 else ", ".join(setting.roles)  # noqa: PLR2004 - a column's width
        lines.append(f"| `{setting.name}` | {default} | {roles} | {setting.text} |")
    lines += [
        "",
        "## Storage connections",
        "",
        "Each is an account of its own in the cloud, reached by managed identity: set",
        "`NAME__blobServiceUri`, `NAME__queueServiceUri` and `NAME__tableServiceUri` (and",
        "`NAME__credential=managedidentity`, `NAME__clientId` for the triggers). Locally `NAME`",
        "holds the emulator's connection string.",
        "",
        "| connection | holds |",
        "|---|---|",
    ]
    lines += [f"| `{name}` | {text} |" for name, text in CONNECTIONS.items()]
    return "\n".join(lines) + "\n"


def permissions_page() -> str:
    """docs/permissions.md."""
    needing: dict[str, list[calls.Call]] = {name: [] for name in sorted(calls.GRANTS)}
    for call in calls.ALL:
        for name in (call.permission, *call.also):
            needing[name].append(call)
    lines = [
        "# Microsoft Graph permissions",
        "",
        GENERATED.format("shared/graph/calls.py"),
        "Every call that Sekisho makes stands here with the least application permission that it",
        "needs, and no permission that no call needs. A contract test runs every service against",
        "the stand-in with exactly these grants, and holds the list against the calls it made.",
        "",
        "A next or delta link needs what its first page needs. A subscription needs the permission",
        "to read its resource (a drive's: to write it).",
        "",
    ]
    apps = by_app()
    lines += ["The app of each call is in brackets: its identity, and no other, is granted it.", ""]
    for name, made in needing.items():
        lines += [f"## {name}", ""]
        for call in made:
            users = ", ".join(app for app, found in apps.items() if call in found)
            lines.append(f"- `{call}` ({users})")
        lines.append("")
    return "\n".join([*lines, *azure_roles()])


def console_description() -> str:
    """docs/reference/console-openapi.json."""
    found = description(ROUTES, shared.__version__)
    return json.dumps(found, ensure_ascii=False, indent=1) + "\n"


def event_schema() -> str:
    """docs/reference/audit-event.schema.json: what the ``event`` of a record is."""
    made = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Sekisho audit event",
        **msgspec.json.schema(AuditEvent),
    }
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


PAGES = {
    "docs/permissions.md": permissions_page,
    "docs/reference/alerts.md": alerts_page,
    "docs/reference/audit-event.schema.json": event_schema,
    "docs/reference/console-openapi.json": console_description,
    "docs/reference/relay.md": relay_page,
    "docs/reference/settings.md": settings_page,
    "infra/graph.json": grants_file,
    "infra/sentinel.json": sentinel_file,
    "infra/settings.json": settings_file,
    "infra/stores.json": stores_file,
}


def show_demo() -> None:
    """Put the last run's table, as it was printed, between the README's markers."""
    readme = ROOT / "README.md"
    before, _, rest = readme.read_text(encoding="utf-8").partition("<!-- demo:begin -->\n")
    _, _, after = rest.partition("<!-- demo:end -->")
    table = (ROOT / ".demo" / "table.txt").read_text(encoding="utf-8").rstrip()
    lines = "\n".join(line.rstrip() for line in table.splitlines())
    block = f"<!-- demo:begin -->\n```text\n{lines}\n```\n<!-- demo:end -->"
    readme.write_text(before + block + after, encoding="utf-8")


def main() -> None:
    """Write every page; with ``--demo`` also the README's copy of the last demo."""
    if "--demo" in sys.argv[1:]:
        show_demo()
    for name, page in PAGES.items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
