"""Keeping one Graph subscription an account and source alive; the state is in a table.

Row: partition = source, key = the account's reference (``webhook.account_ref``). It is written
*before* Graph is asked, because the first notification may arrive before Graph's answer does.
Renewal is at a random-looking but fixed moment between 50 % and 60 % of a subscription's life, so
that 10,000 accounts enrolled together do not renew together.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.errors import GoneError, PermanentError, UnavailableError
from shared.graph import calls
from shared.graph.answers import Json, error_code
from shared.graph.client import Graph
from shared.graph.rich import Certificate
from shared.graph.webhook import account_ref, client_state, job
from shared.model import Envelope
from shared.ports import Clock, Row, Table, Value

# Just under Graph's own maxima of 10,080, 42,300 and 4,320 minutes
# (learn.microsoft.com/graph/api/resources/subscription#subscription-lifetime).
LIFETIME = {
    "mail": timedelta(minutes=10_000),
    "drive": timedelta(minutes=42_000),
    "library": timedelta(minutes=42_000),
    "calendar": timedelta(minutes=10_000),
    "teams": timedelta(minutes=4_300),
}
# Drive roots know only "updated". Mail: "updated" too, because a draft gets its text after it is
# created; our own updates are told by the ledger and the marker.
CHANGES = {
    "mail": "created,updated",
    "drive": "updated",
    "library": "updated",
    "calendar": "created,updated",
    "teams": "created,updated",
}
# Accounts that are swept and have no subscription of their own: the tenant's covers them, or those
# of a site's libraries.
SWEPT = frozenset({"chats", "site"})
_OF_DRIVES = frozenset({"drive", "library"})
_SITE = 16  # digits of a library's reference that are its site's
_SPREAD = 0.1
_BAD_REQUEST = 400
_NOT_FOUND = 404
_COLD_START = 30.0


@dataclass(frozen=True, slots=True)
class Account:
    """One account of one source: who, and for drives which drive. ``ref`` names it in queues.

    Of source ``teams`` the users are ``teams`` and ``chats``: the two that Graph watches a tenant
    by. Source ``chats`` is a user whose chats are swept, ``site`` a SharePoint site whose libraries
    are looked for, ``library`` one of them (its user is its drive).
    """

    source: str
    ref: str
    user: str
    drive: str = ""


class Subscriptions:
    """Enrols, renews and recreates; every method may run twice.

    ``key`` makes the clientState; ``nonce`` gives a fresh short random text; ``certificate`` is
    what Teams messages are sealed for (None: they are told of by id), ``model`` their licensing
    (``A``, ``B`` or empty). Where
    ``notification_url`` is no address, accounts are enrolled without a subscription and the sweep
    alone watches them.
    """

    def __init__(
        self,
        graph: Graph,
        table: Table,
        *,
        key: bytes,
        notification_url: str,
        lifecycle_url: str,
        clock: Clock,
        nonce: Callable[[], str],
        certificate: Certificate | None = None,
        model: str = "",
    ) -> None:
        self._graph = graph
        self._table = table
        self._key = key
        self._notification_url = notification_url
        self._subscribes = notification_url.startswith(("https://", "http://", "EventHub:"))
        self._lifecycle_url = lifecycle_url
        self._clock = clock
        self._nonce = nonce
        self._certificate = certificate
        self._model = model

    async def account(self, source: str, ref: str) -> Account:
        """Who is behind a reference; PermanentError for one that was never enrolled."""
        return _account(await self._row(source, ref))

    async def accounts(self, source: str) -> AsyncIterator[Account]:
        """Every enrolled account of a source."""
        async for row in self._rows(source):
            yield _account(row)

    async def register(self, source: str, user: str) -> Account:
        """Write down that an account is to be watched; nothing is asked of Graph yet."""
        ref = account_ref(source, user)
        row = await self._table.get(source, ref)
        if row is None:
            row = Row(source, ref, {"user": user, "nonce": self._nonce(), "state": "wanted"})
            await self._table.put(row)
        return _account(row)

    async def register_library(self, site: str, drive: str) -> Account:
        """The same for a library of the site with this reference, which begins its own."""
        ref = site[:_SITE] + account_ref("library", drive)[_SITE:]
        row = await self._table.get("library", ref)
        if row is None:
            told = {"user": drive, "drive": drive, "site": site, "state": "wanted"}
            row = Row("library", ref, {**told, "nonce": self._nonce()})
            await self._table.put(row)
        return _account(row)

    async def libraries(self, site: str) -> AsyncIterator[Account]:
        """The enrolled libraries of a site."""
        async for row in self._rows("library", site[:_SITE]):
            if not row.key.startswith(site[:_SITE]):
                return
            if row.values.get("site") == site:
                yield _account(row)

    async def due(self, source: str) -> AsyncIterator[Envelope]:
        """For the timer: ``enrol`` for those of a source that are new or due."""
        async for row in self._rows(source):
            if self._wants_enrolling(row):
                yield job("enrol", source, row.key, self._clock())

    async def enrol(self, source: str, ref: str) -> Account:
        """Make sure that a live subscription exists, and renew it if it is time."""
        row = await self._row(source, ref)
        account = await self._resolved(row)
        row = await self._row(source, ref)
        if not self._has_subscription(source):
            await self._save(row, state="sweep_only")
        elif row.values.get("subscription"):
            if self._due(row):
                await self._renew(row, account)
        elif row.values.get("state") == "creating":
            await self._adopt_or_create(row, account)
        else:
            await self._create(row, account)
        return account

    async def renew(self, source: str, ref: str) -> Account:
        """Renew now, whenever it expires (this also reauthorises); recreate if Graph lost it."""
        row = await self._row(source, ref)
        account = await self._resolved(row)
        row = await self._row(source, ref)
        if not self._has_subscription(source):
            return account
        if row.values.get("subscription"):
            await self._renew(row, account)
        else:
            await self._adopt_or_create(row, account)
        return account

    async def end(self, source: str, ref: str) -> None:
        """Stop watching an account: its subscription goes, then its row. Idempotent."""
        row = await self._table.get(source, ref)
        if row is None:
            return
        if row.values.get("subscription"):
            params = {"subscription": str(row.values["subscription"])}
            await self._graph.send(calls.SUBSCRIPTION_DELETE, params, accept={_NOT_FOUND})
        await self._table.delete(source, ref)

    async def swept(self, source: str) -> None:
        """An account of this source was swept to its end just now; the console shows when."""
        await self._table.put(Row("swept", source, {"time": self._clock()}))

    async def jobs(self, users: Mapping[str, tuple[str, ...]]) -> AsyncIterator[Envelope]:
        """For the timer: ``enrol`` for who is new or due, ``end`` for who is watched no more."""
        now = self._clock()
        for source, names in users.items():
            missing = {account_ref(source, user): user for user in names}
            async for row in self._rows(source):
                if missing.pop(row.key, None) is None:
                    yield job("end", source, row.key, now)
                elif self._wants_enrolling(row):
                    yield job("enrol", source, row.key, now)
            for user in missing.values():
                account = await self.register(source, user)
                yield job("enrol", source, account.ref, now)

    def _wants_enrolling(self, row: Row) -> bool:
        if not self._has_subscription(row.partition):
            return row.values.get("state") != "sweep_only"
        return not row.values.get("subscription") or self._due(row)

    def _has_subscription(self, source: str) -> bool:
        return self._subscribes and source not in SWEPT

    async def _rows(self, source: str, start: str = "") -> AsyncIterator[Row]:
        while True:
            last = ""
            async for row in self._table.query(source, start=start):
                last = row.key
                yield row
            if not last:
                return
            start = last + "0"  # references are of one length, so this is the next key

    async def _row(self, source: str, ref: str) -> Row:
        row = await self._table.get(source, ref)
        if row is None:
            message = f"no account of source {source} is enrolled under this reference"
            raise PermanentError(message)
        return row

    async def _resolved(self, row: Row) -> Account:
        """The account, its drive looked up once."""
        account = _account(row)
        if account.source != "drive" or account.drive:
            return account
        answer = await self._graph.send(
            calls.USER_DRIVE, {"user": account.user}, query={"select": "id"}
        )
        drive = str(answer.json().get("id", ""))
        row = await self._save(row, drive=drive)
        return _account(row)

    def _due(self, row: Row) -> bool:
        expires = row.values.get("expires")
        if not isinstance(expires, datetime) or self._outdated(row):
            return True
        life = LIFETIME[row.partition]
        spread = int(row.key[:4], 16) / 0xFFFF * _SPREAD
        return self._clock() >= expires - life * (0.5 - spread)

    def _outdated(self, row: Row) -> bool:
        """Whether it seals for a certificate that is not the newest (Graph cannot change that)."""
        newest = self._certificate.id if self._certificate else ""
        return row.partition == "teams" and row.values.get("certificate", "") != newest

    async def _renew(self, row: Row, account: Account) -> None:
        if self._outdated(row):
            params = {"subscription": str(row.values["subscription"])}
            await self._graph.send(calls.SUBSCRIPTION_DELETE, params, accept={_NOT_FOUND})
            row = await self._save(row, subscription="", state="wanted")
            await self._create(row, account)
            return
        until = self._clock() + LIFETIME[row.partition]
        try:
            answer = await self._graph.send(
                calls.SUBSCRIPTION_RENEW,
                {"subscription": str(row.values["subscription"])},
                body={"expirationDateTime": _wire(until)},
            )
        except GoneError:
            row = await self._save(row, subscription="", state="wanted")
            await self._create(row, account)
            return
        await self._save(row, expires=_expires(answer.json(), until), state="active")

    async def _adopt_or_create(self, row: Row, account: Account) -> None:
        """After a crash while creating: take over the subscription that Graph may have made."""
        resource = self._resource(account)
        async for page in self._graph.pages(calls.SUBSCRIPTIONS_LIST, {}):
            for each in page.get("value", []):
                ours = each.get("notificationUrl") == self._notification_url
                if ours and str(each.get("resource", "")).strip("/") == resource:
                    until = _expires(each, self._clock())
                    await self._save(
                        row, subscription=str(each["id"]), expires=until, state="active"
                    )
                    return
        await self._create(row, account)

    async def _create(self, row: Row, account: Account) -> None:
        row = await self._save(row, state="creating")
        until = self._clock() + LIFETIME[row.partition]
        drive = account.source in _OF_DRIVES
        headers = {"Prefer": "includesecuritywebhooks"} if drive else {}
        answer = await self._graph.send(
            calls.SUBSCRIPTION_CREATE,
            headers=headers,
            accept={_BAD_REQUEST},
            body={
                "changeType": CHANGES[account.source],
                "notificationUrl": self._notification_url,
                "lifecycleNotificationUrl": self._lifecycle_url,
                "resource": self._resource(account),
                "expirationDateTime": _wire(until),
                "clientState": client_state(
                    self._key, account.source, account.ref, str(row.values["nonce"])
                ),
                **self._sealing(account),
            },
        )
        if answer.status == _BAD_REQUEST:
            _refused(error_code(answer.data))
        made = answer.json()
        sealed = self._certificate.id if self._certificate and account.source == "teams" else ""
        await self._save(
            row,
            subscription=str(made["id"]),
            expires=_expires(made, until),
            state="active",
            certificate=sealed,
        )

    def _sealing(self, account: Account) -> Json:
        if account.source != "teams" or self._certificate is None:
            return {}
        return {
            "includeResourceData": True,
            "encryptionCertificate": self._certificate.text,
            "encryptionCertificateId": self._certificate.id,
        }

    def _resource(self, account: Account) -> str:
        match account.source:
            case "drive" | "library":
                return f"drives/{account.drive}/root"
            case "calendar":
                return f"users/{account.user}/events"
            case "teams":
                licensed = f"?model={self._model}" if self._model else ""
                return f"{account.user}/getAllMessages{licensed}"
            case _:
                return f"users/{account.user}/messages"

    async def _save(self, row: Row, **changes: Value) -> Row:
        values = {**row.values, **changes}
        etag = await self._table.put(Row(row.partition, row.key, values))
        return Row(row.partition, row.key, values, etag)


def _refused(code: str) -> None:
    """Graph did not reach our address in time (a cold start): later. Anything else: for good."""
    message = f"{calls.SUBSCRIPTION_CREATE} → 400 {code}".rstrip()
    if code == "ValidationError":
        raise UnavailableError(message, retry_after=_COLD_START)
    raise PermanentError(message)


def _account(row: Row) -> Account:
    user, drive = str(row.values["user"]), str(row.values.get("drive", ""))
    return Account(row.partition, row.key, user, drive)


def _wire(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _expires(answer: Json, otherwise: datetime) -> datetime:
    """What Graph granted (it may be less than was asked)."""
    try:
        return datetime.fromisoformat(str(answer["expirationDateTime"])).astimezone(UTC)
    except (KeyError, ValueError):
        return otherwise
