"""App settings: the process's environment over ``local.settings.json``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.host.errors import HostRefusedError

_SETTING = re.compile(r"%([^%]+)%")


def load_settings(appdir: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Every setting of the app; where both define one, the environment wins (as in the Core Tools).

    Raises:
        HostRefusedError: the file is encrypted or malformed, or names another language's worker.
    """
    values = {**_local_values(appdir / "local.settings.json"), **environ}
    runtime = values.setdefault("FUNCTIONS_WORKER_RUNTIME", "python")
    if runtime != "python":
        message = f"FUNCTIONS_WORKER_RUNTIME is {runtime!r}: this host runs Python alone"
        raise HostRefusedError(message)
    return values


def _local_values(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        message = f"{path.name} is not JSON: {error}"
        raise HostRefusedError(message) from error
    if content.get("IsEncrypted"):
        message = f"{path.name} is encrypted: run `func settings decrypt`, or set the environment"
        raise HostRefusedError(message)
    return {str(name): str(value) for name, value in content.get("Values", {}).items()}


def resolve_settings(text: str, settings: Mapping[str, str], *, where: str) -> str:
    """The text with each ``%NAME%`` replaced by that setting.

    Raises:
        HostRefusedError: a named setting does not exist; the message says which, and where.
    """

    def one(match: re.Match[str]) -> str:
        if match[1] not in settings:
            message = f"{where}: the setting {match[1]} of {text!r} is not set"
            raise HostRefusedError(message)
        return settings[match[1]]

    return _SETTING.sub(one, text)
