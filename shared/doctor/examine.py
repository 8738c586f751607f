"""All checks, in the order in which a person would want to mend what they find."""

from __future__ import annotations

from collections.abc import AsyncIterator

from shared.doctor import graph, machine, record, storage
from shared.doctor.result import Result, State
from shared.doctor.surroundings import Surroundings
from shared.errors import SettingsError
from shared.settings import Settings


async def examine(around: Surroundings) -> AsyncIterator[Result]:
    """One result a check, as it is made.

    Settings that do not load end it: nothing else could look.
    """
    try:
        settings = Settings.load(around.env)
    except SettingsError as error:
        for problem in str(error).removeprefix("settings: ").split("; "):
            yield Result(
                "settings",
                State.FAIL,
                f"設定に誤りがあります：{problem}",
                f"a setting is wrong: {problem}",
                "設定を直してください（docs/reference/settings.md）。",
                "Mend the setting (docs/reference/settings.md).",
            )
        return
    yield Result("settings", State.OK, "設定を読めました。", "the settings load")
    for check in (machine, storage, graph, record):
        async for result in check.checks(around, settings):
            yield result
