"""Microsoft Graph: reached, permitted, subscribed; and whether it reaches us."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
from azure.core.exceptions import AzureError

from shared.doctor.result import Result, State, unread
from shared.doctor.surroundings import Surroundings
from shared.errors import GoneError, PermanentError, SekishoError, TransientError
from shared.graph import calls
from shared.graph.client import Graph
from shared.graph.subscriptions import LIFETIME
from shared.services.sites import ALL
from shared.settings import Settings

SCOPE = "https://graph.microsoft.com/.default"
NEAR = timedelta(hours=6)  # of 7 days and more: renewal begins at half of a life
GROUP = "group:"


@dataclass(frozen=True, slots=True)
class Look:
    """A call that the watch itself makes, and the words for what it reads (``ja``, ``en``)."""

    code: str
    call: calls.Call
    ja: str
    en: str
    setting: str


MAIL = Look(
    "account_mail",
    calls.FOLDERS,
    "監視する利用者のメール",
    "mail of a watched account",
    "SEKISHO_WATCH",
)
ONEDRIVE = Look(
    "account_onedrive",
    calls.USER_DRIVE,
    "監視する利用者のOneDrive",
    "OneDrive of a watched account",
    "SEKISHO_WATCH",
)
ALL_SITES = Look(
    "sites", calls.SITES, "SharePointのサイトの一覧", "the list of sites", "SEKISHO_SITES"
)
SITE = Look(
    "sites",
    calls.SITE_DRIVES,
    "監視するサイトのライブラリの一覧",
    "the libraries of a watched site",
    "SEKISHO_SITES",
)


async def checks(around: Surroundings, settings: Settings) -> AsyncIterator[Result]:
    """The token's roles, a look at an account and at the sites, our own address, subscriptions."""
    client, credential = around.graph(settings)
    try:
        yield await _permissions(credential, local=settings.graph_credential == "local")
        async for result in _looks(client, settings):
            yield result
        yield await _sites(client, settings)
    finally:
        await client.close()
    yield await _address(settings)
    async for result in _subscriptions(around, settings):
        yield result


async def _permissions(credential: Any, *, local: bool) -> Result:
    code = "permissions"
    if local:
        return Result(
            code,
            State.OK,
            "手元の代役です。権限は代役が呼び出しごとに確かめます。",
            "the local stand-in, which checks the permission of each call itself",
        )
    try:
        token = str((await credential.get_token(SCOPE)).token)
    except (AzureError, OSError, ValueError) as error:
        return Result(
            code,
            State.FAIL,
            f"Graph のトークンを得られません（{type(error).__name__}）。",
            f"no token for Graph ({type(error).__name__})",
            "SEKISHO_CLIENT_ID の管理 ID がこのアプリに付いているか確かめてください。",
            "See whether SEKISHO_CLIENT_ID's managed identity is assigned to this app.",
        )
    roles = roles_of(token)
    if roles is None:
        return Result(
            code,
            State.UNKNOWN,
            "アプリの権限はこのトークンからは分かりません。",
            "this token does not tell an application's permissions",
            "配備したアプリの中で実行してください（docs/how-to/doctor.md）。",
            "Run it as the deployed app (docs/how-to/doctor.md).",
        )
    missing, spare = sorted(calls.GRANTS - roles), sorted(roles - calls.GRANTS)
    if missing:
        return Result(
            code,
            State.FAIL,
            f"許可されていない権限：{', '.join(missing)}",
            f"permissions not granted: {', '.join(missing)}",
            "infra/scripts の同意用スクリプトを管理者が実行してください。",
            "An administrator runs the consent script in infra/scripts.",
        )
    if spare:
        return Result(
            code,
            State.WARN,
            f"使わない権限があります：{', '.join(spare)}",
            f"permissions that nothing here uses: {', '.join(spare)}",
            "取り消してください。",
            "Take them away.",
        )
    return Result(
        code,
        State.OK,
        f"必要な権限 {len(roles)} 件がそろい、余りはありません。",
        f"the {len(roles)} permissions needed are granted, and no other",
    )


def roles_of(token: str) -> frozenset[str] | None:
    """The application permissions in a token; None where it is no application's.

    Read, not verified: it is our own, and Graph verifies it.
    """
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return None
    if not isinstance(claims, dict) or claims.get("scp"):
        return None
    roles = claims.get("roles", [])
    return frozenset(map(str, roles)) if isinstance(roles, list) else None


async def _looks(client: Graph, settings: Settings) -> AsyncIterator[Result]:
    user = next((each for each in settings.watch if not each.startswith(GROUP)), "")
    if not user:
        yield Result(
            "account",
            State.UNKNOWN if settings.watch else State.WARN,
            "個別に監視する利用者がいないため、試しに読むことができません。",
            "no account is named by itself, so none can be looked at",
            "SEKISHO_WATCH に試験用の利用者を一人加えてください。",
            "Name one account for trials in SEKISHO_WATCH.",
        )
        return
    for look in (MAIL, ONEDRIVE):
        yield await _look(client, look, {"user": user})


async def _sites(client: Graph, settings: Settings) -> Result:
    """The files of Teams channels are in sites: who watches none shall know."""
    if not settings.sites:
        return Result(
            "sites",
            State.WARN,
            "SharePointのサイトと、Teamsのチャネルのファイルは監視していません。",
            "SharePoint sites, and the files of Teams channels in them, are not watched",
            "監視するには SEKISHO_SITES に all、またはサイトの id を書いてください。",
            "To watch them, put all, or ids of sites, into SEKISHO_SITES.",
        )
    if settings.sites == (ALL,):
        return await _look(client, ALL_SITES, {})
    return await _look(client, SITE, {"site": settings.sites[0]})


async def _look(client: Graph, look: Look, params: dict[str, str]) -> Result:
    try:
        await client.send(look.call, params)
    except GoneError:
        what = ("見つかりません", "is not found")
        do = (
            f"{look.setting} と、そこにある利用者のライセンスやサイトの id を確かめてください。",
            f"Look at {look.setting}: the licence of its account, the id of its site.",
        )
    except TransientError as error:
        what = (f"届きません（{type(error).__name__}）", f"is not reached ({type(error).__name__})")
        do = (
            "SEKISHO_GRAPH_BASE_URL と、外への通信の許可を確かめてください。",
            "Look at SEKISHO_GRAPH_BASE_URL and at the outbound network rules.",
        )
    except PermanentError as error:
        what = (f"拒否されました（{error}）", f"is refused ({error})")
        do = (
            f"{look.call.permission} の同意と、Exchange・SharePoint の範囲指定を確かめてください。",
            f"See the consent to {look.call.permission}, and Exchange's or SharePoint's scope.",
        )
    except SekishoError as error:
        what = (f"読めません（{type(error).__name__}）", f"cannot be read ({type(error).__name__})")
        do = ("しばらくして再度実行してください。", "Try again later.")
    else:
        return Result(look.code, State.OK, f"{look.ja}を読めます。", f"{look.en} can be read")
    return Result(look.code, State.FAIL, f"{look.ja}が{what[0]}。", f"{look.en} {what[1]}", *do)


async def _address(settings: Settings) -> Result:
    """What Graph does before it makes a subscription.

    learn.microsoft.com/graph/change-notifications-delivery-webhooks#notificationurl-validation
    """
    code, url = "webhook", settings.notification_url
    if not url or settings.notifications == "eventhub":
        return Result(
            code,
            State.OK,
            "通知は Event Hubs 経由です。" if url else "通知は使わず、定期の見回りだけです。",
            "notifications come by Event Hubs" if url else "no notifications: the sweep alone",
        )
    text = "sekisho doctor + 関所"
    try:
        async with httpx.AsyncClient(timeout=10.0) as client:
            for path in ("notifications", "lifecycle"):
                answer = await client.post(f"{url}/{path}", params={"validationToken": text})
                if answer.status_code != httpx.codes.OK or answer.text != text:
                    return _deaf(f"{path}: HTTP {answer.status_code}")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return _deaf(type(error).__name__)
    return Result(
        code, State.OK, "通知の受け口が答えます。", "the notification address answers as Graph asks"
    )


def _deaf(detail: str) -> Result:
    return Result(
        "webhook",
        State.FAIL,
        f"通知の受け口が答えません（{detail}）。",
        f"the notification address does not answer ({detail})",
        "SEKISHO_NOTIFICATION_URL と受付アプリを確かめてください。それまでは見回りが補います。",
        "Look at SEKISHO_NOTIFICATION_URL and at the intake app; until then the sweep watches.",
    )


async def _subscriptions(around: Surroundings, settings: Settings) -> AsyncIterator[Result]:
    if not settings.notification_url:
        return
    try:
        states = await _states(around, settings)
    except (SekishoError, ValueError) as error:
        yield unread("subscriptions", ("購読の表", "the table of subscriptions"), error)
        return
    now = around.clock()
    alive = [end for state, end in states if state == "active" and end is not None]
    dead = [end for end in alive if end <= now]
    near = [end for end in alive if now < end <= now + NEAR]
    waiting = sum(1 for state, _ in states if state in ("wanted", "creating"))
    if dead or (waiting and not alive):
        yield Result(
            "subscriptions",
            State.FAIL,
            f"購読 {len(states)} 件のうち、期限切れ {len(dead)} 件、未作成 {waiting} 件です。",
            f"of {len(states)} subscriptions {len(dead)} are expired, {waiting} not made",
            "受付アプリのタイマーと、通知の受け口を確かめてください。",
            "Look at the intake app's timer and at the notification address.",
        )
    elif near or waiting:
        yield Result(
            "subscriptions",
            State.WARN,
            f"購読 {len(states)} 件中、まもなく切れる {len(near)} 件、未作成 {waiting} 件です。",
            f"of {len(states)} subscriptions {len(near)} expire soon, {waiting} are not made",
            "15 分後に再度実行してください。減らなければ受付アプリを確かめてください。",
            "Try again in 15 minutes; if it is the same, look at the intake app.",
        )
    else:
        yield Result(
            "subscriptions",
            State.OK,
            f"購読 {len(alive)} 件が有効です。",
            f"{len(alive)} subscriptions are alive",
        )


async def _states(around: Surroundings, settings: Settings) -> list[tuple[str, datetime | None]]:
    found: list[tuple[str, datetime | None]] = []
    async with around.stores(settings.work) as stores:
        table = stores.table("subscriptions")
        for source in LIFETIME:
            start = ""
            while True:
                rows = [row async for row in table.query(source, start=start)]
                for row in rows:
                    end = row.values.get("expires")
                    state = str(row.values.get("state", ""))
                    found.append((state, end if isinstance(end, datetime) else None))
                if not rows:
                    break
                start = rows[-1].key + "0"
    return found
