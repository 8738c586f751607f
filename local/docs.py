"""Writes the generated pages of docs/reference; a test fails while one is out of date."""

from __future__ import annotations

from pathlib import Path

from shared.settings import CONNECTIONS, SETTINGS

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


PAGES = {"docs/reference/settings.md": settings_page}


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
