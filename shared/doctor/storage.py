"""The three accounts: reached, let in, and nothing piling up in them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from azure.core.exceptions import AzureError

from shared.doctor.result import Result, State
from shared.doctor.surroundings import Surroundings
from shared.settings import Connection, Settings
from shared.storage.probe import Answered

NAMES = {"work": "作業", "evidence": "証拠", "audit": "監査"}
SKEW = timedelta(minutes=1)
TOO_FAR = timedelta(minutes=5)  # of 15 that Storage allows; tokens are stricter
MANY = 1_000  # messages that wait in one queue


async def checks(around: Surroundings, settings: Settings) -> AsyncIterator[Result]:
    """One result an account, then the clock and the queues."""
    dates: list[datetime] = []
    reached = True
    for name, words in NAMES.items():
        answers = await _probe(around, getattr(settings, name))
        dates += [each.date for each in answers if each.date]
        worst = next((each for each in answers if each.state != "ok"), None)
        yield _account(name, words, worst)
        reached = reached and (worst is None or name != "work")
    if dates:
        yield _clock(around.clock() - dates[-1])
    if reached:
        async for result in _queues(around, settings.work):
            yield result


async def _probe(around: Surroundings, connection: Connection) -> tuple[Answered, ...]:
    try:
        async with around.stores(connection) as stores:
            return await stores.probe()
    except ValueError:  # the SDK's, about a connection string, which holds a key: not quoted
        return (Answered("blob", "failed", "not a connection string"),)


def _account(name: str, words: str, wrong: Answered | None) -> Result:
    code = f"storage_{name}"
    setting = f"SEKISHO_{name.upper()}"
    if wrong is None:
        return Result(
            code,
            State.OK,
            f"{words}用のストレージに届き、許可されています。",
            f"the {name} account answers and lets this identity in",
        )
    what = f"{wrong.kind}: {wrong.detail}"
    match wrong.state:
        case "refused":
            return Result(
                code,
                State.FAIL,
                f"{words}用のストレージに拒否されました（{what}）。",
                f"the {name} account refuses this identity ({what})",
                f"{setting} の ID の役割を確かめてください（docs/permissions.md）。",
                f"Look at the roles of {setting}'s identity (docs/permissions.md).",
            )
        case "unreached":
            return Result(
                code,
                State.FAIL,
                f"{words}用のストレージに届きません（{what}）。",
                f"the {name} account cannot be reached ({what})",
                f"{setting} のアドレス、プライベートエンドポイント、DNS を確かめてください。",
                f"Look at {setting}'s address, its private endpoint and the DNS zone.",
            )
        case _:
            return Result(
                code,
                State.FAIL,
                f"{words}用のストレージが誤りを返しました（{what}）。",
                f"the {name} account answers with an error ({what})",
                f"{setting} と Azure の稼働状況を確かめてください。",
                f"Look at {setting} and at Azure's status page.",
            )


def _clock(ahead: timedelta) -> Result:
    seconds = round(ahead.total_seconds())
    off = abs(ahead)
    if off <= SKEW:
        return Result(
            "clock", State.OK, "時計は合っています。", f"the clock is right to {abs(seconds)} s"
        )
    return Result(
        "clock",
        State.FAIL if off > TOO_FAR else State.WARN,
        f"この計算機の時計が {seconds:+d} 秒ずれています。",
        f"this machine's clock is off by {seconds:+d} s",
        "時刻同期（NTP）を確かめてください。ずれると署名とトークンが拒まれます。",
        "Look at its time synchronisation (NTP): signatures and tokens are refused.",
    )


async def _queues(around: Surroundings, connection: Connection) -> AsyncIterator[Result]:
    async with around.stores(connection) as stores:
        try:
            counts = await stores.waiting()
        except AzureError as error:
            yield Result(
                "queues",
                State.UNKNOWN,
                f"キューの長さが分かりません（{type(error).__name__}）。",
                f"how long the queues are cannot be told ({type(error).__name__})",
                "この ID にキューの読み取りを許可してください。",
                "Let this identity read the queues.",
            )
            return
    poison = {name: n for name, n in counts.items() if name.endswith("-poison") and n}
    long = {name: n for name, n in counts.items() if n > MANY}
    if poison:
        yield Result(
            "poison",
            State.FAIL,
            f"処理に繰り返し失敗したメッセージがあります：{_list(poison)}",
            f"messages failed again and again: {_list(poison)}",
            "監査アプリが動いていれば自動で拾われます。動いているか確かめてください。",
            "The audit app takes them up by itself: see whether it runs.",
        )
    if long:
        yield Result(
            "backlog",
            State.WARN,
            f"キューが長くなっています：{_list(long)}",
            f"queues are long: {_list(long)}",
            "走査アプリの台数と、Graph の制限を確かめてください。",
            "Look at the number of scan instances and at Graph's throttling.",
        )
    if not poison and not long:
        yield Result(
            "queues",
            State.OK,
            "キューに滞りはありません。",
            f"{sum(counts.values())} messages wait",
        )


def _list(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
