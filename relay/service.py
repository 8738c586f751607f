"""The relay put together, started and stopped: the only place that knows all its parts."""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import pkgutil
import signal
import socket
import ssl
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from relay import status
from relay.client import Hops
from relay.cloud import Cloud
from relay.delivery import Delivery, Patience
from relay.forward import Forwarder
from relay.granted import Exceptions
from relay.held import Keeper
from relay.journal import Journal
from relay.judging import Bench
from relay.mails import Post
from relay.orders import Orders
from relay.outbox import Outbox
from relay.reception import Admission, Reception, Room, Rules
from relay.releasing import Releasing
from relay.sealed import Sealer, read_keys
from relay.settings import Settings
from relay.smtp import Limits, StrictSMTP
from relay.spool import Spool
from shared.errors import SettingsError
from shared.model import Disposition
from shared.policy.notices import LANGUAGES, House, Notices
from shared.policy.rule import Words
from shared.services.relay_granted import list_key
from shared.services.release_header import passed

COUNTED = 15.0  # seconds between two counts
LOOK = 2.0  # seconds between two looks at what people ask for
UPWARD = 8  # mails on their way up at a time: mostly waiting for the cloud
WRITERS = 16  # threads that sync mails to the disk
log = logging.getLogger("sekisho.relay")


def now() -> datetime:
    """The relay's clock."""
    return datetime.now(UTC)


def journal_path(folder: Path) -> Path:
    """Where the journal lies in the spool's folder."""
    return folder / "journal.db"


class Relay:
    """One a spool: a second one for the same folder is refused with a SettingsError."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = only_one(settings.spool)
        self.hostname = settings.hostname or socket.getfqdn()
        self.spool = Spool(settings.spool, Sealer(read_keys(settings.spool_keys)))
        self._unfinished = self.spool.prepare()
        self.journal = Journal(journal_path(settings.spool))
        self.disk = ThreadPoolExecutor(WRITERS, thread_name_prefix="spool")
        self.bench = Bench(settings)
        self._tls = _tls(settings)
        self._tasks: list[asyncio.Task[None]] = []

    def _assemble(self) -> None:
        given = self.settings
        self.cloud = Cloud.connect(given, now)
        keys = read_keys(given.fingerprint_key)
        self.exceptions = Exceptions(self.cloud, tuple(list_key(each.value) for each in keys), now)
        self.outbox = Outbox(self.spool, self.journal, now)
        post = Post(self.hostname, given.notice_from)
        self.room = Room(self.spool, given.spool_max_bytes, given.spool_min_free_bytes)
        self.keeper = Keeper(
            settings=given,
            spool=self.spool,
            outbox=self.outbox,
            cloud=self.cloud,
            policy=self.bench.policy,
            notices=Notices(self.bench.policy, house(given)),
            post=post,
            clock=now,
            releasing=Releasing(
                self.spool,
                self.outbox,
                self.cloud,
                now,
                self.bench.clean,
                passed(keys[0].value),
                timedelta(days=given.originals_days),
            ),
        )
        self.forwarder = Forwarder(
            spool=self.spool,
            bench=self.bench,
            keeper=self.keeper,
            cloud=self.cloud,
            hold=Disposition[given.hold.upper()],
            granted=self.exceptions.now,
        )
        self.keeper.arrived = self.forwarder.again
        self.orders = Orders(
            cloud=self.cloud,
            outbox=self.outbox,
            keeper=self.keeper,
            room=self.room,
            poll=given.poll_seconds,
        )
        self.delivery = Delivery(
            spool=self.spool,
            journal=self.journal,
            outbox=self.outbox,
            hops=Hops(self.hostname, given.delivery_certificate),
            cloud=self.cloud,
            post=post,
            routes=given.routes,
            patience=Patience(
                given.retry_first_seconds, given.retry_longest_seconds, given.give_up_hours * 3600.0
            ),
            at_a_time=given.delivery_connections,
            clock=now,
        )
        self.reception = Reception(
            self.spool,
            self.room,
            Rules(given.routes, given.sender_domains, given.max_recipients, self.hostname),
            self.disk,
            self.forwarder.arrived,
        )
        self.admission = Admission(
            given.networks, given.max_connections, given.max_connections_each
        )
        self._limits = Limits(given.max_message_bytes, given.max_line, given.max_bytes_in_hand)

    async def start(self) -> asyncio.Server:
        """Recover, begin to work, then open the door."""
        self._assemble()
        uncertain = await asyncio.to_thread(self.outbox.recover)
        await asyncio.to_thread(self.keeper.recover)
        waiting = await asyncio.to_thread(self.forwarder.recover)
        log.info(
            "recovered: %d waiting, %d never accepted, %d sent without an answer",
            waiting, self._unfinished, uncertain,
        )  # fmt: skip
        for _ in range(max(self.settings.workers * 2, UPWARD)):
            self._begin(self.forwarder.work())
        for work in (
            self.orders.work(),
            self.delivery.work(),
            self.delivery.tell(),
            self.exceptions.work(),
        ):
            self._begin(work)
        self._begin(self._attend())
        self._begin(self._count())
        host, port = self.settings.listen
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(self._session, host, port)
        log.info("listening on %s:%d", *self.server.sockets[0].getsockname()[:2])
        return self.server

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    def _session(self) -> StrictSMTP:
        return StrictSMTP(
            self.reception,
            limits=self._limits,
            admission=self.admission,
            hostname=self.hostname,
            timeout=float(self.settings.idle_seconds),
            tls_context=self._tls,
            require_starttls=self.settings.tls == "required",
        )

    async def _attend(self) -> None:
        while True:
            self.keeper.changed.clear()
            there = await self.keeper.attend()
            pause = LOOK if there else LOOK * 5
            with suppress(TimeoutError):
                await asyncio.wait_for(self.keeper.changed.wait(), pause)

    async def _count(self) -> None:
        while True:
            await asyncio.to_thread(self._counted)
            await asyncio.sleep(COUNTED)

    def _counted(self) -> None:
        self.journal.prune(now().timestamp())
        status.write(status.look(self.spool, self.journal, now().timestamp()), self.settings.spool)

    async def stop(self) -> None:
        """No new mail; what is in hand is finished, for as long as ``stop_seconds``."""
        self.server.close()
        self.admission.shut()
        end = asyncio.get_running_loop().time() + self.settings.stop_seconds
        while self.admission.inside and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.05)
            self.admission.shut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        left = max(end - asyncio.get_running_loop().time(), 1.0)
        with suppress(TimeoutError):
            await asyncio.wait_for(self.delivery.finish(), left)
        await self.cloud.close()
        self.bench.close()
        self.disk.shutdown()
        self.journal.close()
        os.close(self._lock)
        log.info("stopped")


async def serve(settings: Settings) -> None:
    """Until SIGTERM or SIGINT."""
    relay = Relay(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)
    await relay.start()
    await stop.wait()
    log.info("stopping")
    await relay.stop()


def house(settings: Settings) -> House:
    """What notices say of us, with the console's own words for what was found."""
    words = {language: _catalogue(language) for language in LANGUAGES}
    kinds = {
        name.removeprefix("entity."): Words(said, words["en"].get(name, said))
        for name, said in words["ja"].items()
        if name.startswith("entity.")
    }
    named = Words(settings.organisation_ja, settings.organisation_en or settings.organisation_ja)
    return House(named, settings.contact, kinds)


def _catalogue(language: str) -> dict[str, str]:
    raw = pkgutil.get_data("shared.console", f"locales/{language}.json")
    assert raw is not None
    found: dict[str, str] = json.loads(raw)
    return found


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.tls == "off":
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    assert settings.tls_certificate is not None  # settings saw to it
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
    except (OSError, ssl.SSLError):
        message = "relay settings: tls_certificate and tls_key do not load as a pair of PEM files"
        raise SettingsError(message) from None
    return context


def only_one(folder: Path) -> int:
    """Hold the spool for this process (a file handle); SettingsError if another one does."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o660)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        message = "relay settings: another relay runs on this spool"
        raise SettingsError(message) from None
    return handle
