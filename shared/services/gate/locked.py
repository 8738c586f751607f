"""PPAP: what waits at the gate for a password, and how one opens it.

The recipient gets a link to a page where they type it, or a mail from the same sender carries it:
the encrypted one itself, one before (``earlier``), or the following. A password is an argument and
nothing else: it is tried in memory inside one request, what it opened goes on as an item of its own
(scanned, sanitised, delivered), and it is forgotten.

``locked/{pair}/{id}.json`` in the envelopes says what waits. ``pair`` is an HMAC of sender and
recipient, so that the following mail finds it; the link is an HMAC over the lock and its end.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.codec import decode, encode
from shared.errors import ChangedError, GoneError, MalformedError, StorageConflictError
from shared.model import (
    Content,
    Envelope,
    Extraction,
    Item,
    Outcome,
    OutcomeState,
    Step,
)
from shared.ports import Clock, Queue
from shared.sandbox.tasks import Done
from shared.services import sidecar as envelopes_of
from shared.services.common import keep
from shared.services.gate.arrivals import FILES, MAIL
from shared.services.gate.candidates import candidates
from shared.services.gate.earlier import BEFORE, LOOKS, Mailbox
from shared.services.gate.landed import Landed, Shelf
from shared.services.gate.outcomes import HOLD, Outcomes

VALID = timedelta(days=7)
WINDOW, MOST_IN_WINDOW, MOST = timedelta(minutes=15), 5, 30
"""So many attempts in so much time, and in all; then an official decides."""
LOOK = "look"
"""The kind of a message that asks to look for the password in mails; its body names the lock."""
_NAME = re.compile(r"locked/[0-9a-f]{32}/[0-9a-f]{32}\.json")
_TOKEN = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{32})\.([0-9]{10})\.([A-Za-z0-9_-]{43})")


class Answer(StrEnum):
    """What became of an attempt."""

    OPENED = "opened"
    WRONG = "wrong"
    LIMITED = "limited"
    DONE = "done"  # opened, released or removed before
    UNKNOWN = "unknown"  # the link is not one of ours, or it has expired
    BUSY = "busy"  # another attempt at this very moment


@dataclass(frozen=True, slots=True)
class Lock:
    """One recipient's copy that waits for a password."""

    id: str
    pair: str
    item: Item
    recipient: str = field(repr=False)
    until: datetime
    attempts: int = 0
    recent: tuple[datetime, ...] = ()
    v: int = 1


type Record = Callable[[Item, Outcome], Awaitable[None]]
"""Puts what was done on the record."""


@dataclass(frozen=True, slots=True)
class Locks:
    """``key`` signs links and pairs; ``url`` is where the page is (empty: no links are sent).

    ``mailbox`` reads the recipient's earlier mails and ``queue`` is where the looks for them wait;
    without them only the following mail and the page open anything.
    """

    shelf: Shelf
    outcomes: Outcomes
    clock: Clock
    key: bytes = field(repr=False)
    unlock: Callable[[Content, tuple[str, ...]], Awaitable[Done]]
    extract: Callable[[Content], Awaitable[Extraction]]
    record: Record
    url: str = ""
    mailbox: Mailbox | None = None
    queue: Queue | None = None

    async def wait(self, landed: Landed) -> Lock:
        """Note that this copy waits for a password; the same lock however often.

        Looks for one in mails that are there already follow by the queue, after the hold is
        written down.
        """
        user = landed.user
        sender = (landed.senders or ("",))[-1]
        said = f"{landed.key}\0{landed.base.recipient}".encode()
        base = replace(landed.base, generation=0)
        lock = Lock(
            self._mac("lock", said)[:32],
            self._pair(sender, user),
            base,
            user,
            self.clock() + VALID,
        )
        with suppress(StorageConflictError):  # an earlier attempt's stands, with its time
            await self.shelf.envelopes.put(_name(lock), encode(lock), only_new=True)
        if self.queue is not None and landed.is_mail:
            look = encode(Envelope(LOOK, first_seen=self.clock(), body={"lock": _name(lock)}))
            for delay in LOOKS:
                await self.queue.put(look, delay=delay)
        there = decode((await self.shelf.envelopes.get(_name(lock))).data, Lock)
        if self.outcomes.waiting is not None:
            await self.outcomes.waiting.locked(_name(there), there.until)
        return there

    def link(self, lock: Lock) -> str:
        """The page's address for this lock; empty where there is no page."""
        return f"{self.url}/api/passwords/{self.token(lock)}" if self.url else ""

    def token(self, lock: Lock) -> str:
        """Unguessable, for one lock, until its end."""
        end = f"{int(lock.until.timestamp()):010d}"
        return f"{lock.pair}.{lock.id}.{end}.{self._signature(lock.pair, lock.id, end)}"

    async def find(self, token: str) -> Lock | None:
        """The lock of a link; None where it is not ours, has expired or is gone."""
        found = await self._found(token)
        return found[0] if found else None

    async def open(self, token: str, passwords: Sequence[str]) -> Answer:
        """One attempt from the page: counted first, then tried, then forgotten."""
        found = await self._found(token)
        if found is None:
            return Answer.UNKNOWN
        lock, etag = found
        now = self.clock()
        recent = tuple(each for each in lock.recent if each > now - WINDOW)
        if len(recent) >= MOST_IN_WINDOW or lock.attempts >= MOST:
            return Answer.LIMITED
        counted = replace(lock, attempts=lock.attempts + 1, recent=(*recent, now))
        try:
            await self.shelf.envelopes.put(_name(lock), encode(counted), etag=etag)
        except StorageConflictError:
            return Answer.BUSY
        return await self._try(counted, tuple(passwords))

    async def follow(self, landed: Landed, content: Content) -> int:
        """Try what a mail says on what waits from its sender to its recipient; how many opened."""
        names = [
            name
            for sender in landed.senders
            async for name in self.shelf.envelopes.names(
                f"locked/{self._pair(sender, landed.user)}/"
            )
        ]
        if not names:
            return 0
        words = candidates((await self.extract(content)).segments)
        count = 0
        for name in dict.fromkeys(names):
            with suppress(GoneError):
                lock = decode((await self.shelf.envelopes.get(name)).data, Lock)
                if lock.item.id != landed.base.id and words:
                    count += await self._try(lock, words) is Answer.OPENED
        return count

    async def look(self, envelope: Envelope) -> bool:
        """Try what the locked mail itself says, and its sender's mails in the recipient's mailbox.

        Whether it opened. MalformedError where the message names no lock; TransientError.
        """
        name = envelope.body.get("lock", "")
        if not _NAME.fullmatch(name):
            text = "a message that asks to look for a password names no lock"
            raise MalformedError(text)
        try:
            lock = decode((await self.shelf.envelopes.get(name)).data, Lock)
            landed = await self.shelf.load(lock.item)
        except ChangedError:  # opened, released or removed meanwhile
            return False
        mail = Content(landed.data, landed.sidecar.name, landed.media_type)
        words = candidates((await self.extract(mail)).segments)
        if await self._try(lock, words) is Answer.OPENED:
            return True
        if self.mailbox is None:
            return False
        since = lock.until - VALID - BEFORE
        words = await self.mailbox.words(landed.user, landed.senders, since)
        return bool(words) and await self._try(lock, words) is Answer.OPENED

    async def forget(self, landed: Landed) -> None:
        """What was released or removed in another way waits no more."""
        said = f"{landed.key}\0{landed.base.recipient}".encode()
        sender = (landed.senders or ("",))[-1]
        pair, lock = self._pair(sender, landed.user), self._mac("lock", said)[:32]
        name = f"locked/{pair}/{lock}.json"
        with suppress(GoneError):
            await self._gone(decode((await self.shelf.envelopes.get(name)).data, Lock))

    async def _gone(self, lock: Lock) -> None:
        await self.shelf.envelopes.delete(_name(lock))
        if self.outcomes.waiting is not None:
            await self.outcomes.waiting.opened(_name(lock), lock.until)

    async def _found(self, token: str) -> tuple[Lock, str] | None:
        match = _TOKEN.fullmatch(token)
        if match is None:
            return None
        pair, lock_id, end, signature = match.groups()
        if not hmac.compare_digest(signature, self._signature(pair, lock_id, end)):
            return None
        if int(end) <= self.clock().timestamp():
            return None
        try:
            blob = await self.shelf.envelopes.get(f"locked/{pair}/{lock_id}.json")
        except GoneError:
            return None
        return decode(blob.data, Lock), blob.etag

    async def _try(self, lock: Lock, passwords: tuple[str, ...]) -> Answer:
        outcome = await self.outcomes.read(lock.item)
        try:
            landed = await self.shelf.load(lock.item)
        except GoneError:
            return Answer.DONE
        if outcome is None or outcome.action != HOLD:
            return Answer.DONE
        given = Content(landed.data, landed.sidecar.name, landed.media_type)
        done = await self.unlock(given, passwords)
        if done.content is None or not done.count:
            return Answer.WRONG
        child = await self._child(lock, landed, done.content)
        kept = await keep(self.shelf.quarantine, f"{landed.key}.{lock.id}.locked.bin", landed.data)
        steps = (kept, Step("opened", child))
        opened = Outcome("open", OutcomeState.APPLIED, steps)
        await self.record(lock.item, opened)
        await self.outcomes.write(lock.item, opened)
        await self.outcomes.clear(landed, opened)
        await self._gone(lock)
        return Answer.OPENED

    async def _child(self, lock: Lock, landed: Landed, content: Content) -> str:
        """The open content as an upload of its own, once, for this one recipient."""
        base = hashlib.sha256(f"opened\0{lock.id}".encode()).hexdigest()[:32]
        name = f"{MAIL}{base}.eml" if landed.is_mail else f"{FILES}{base}"
        sidecar, index = landed.sidecar, int(lock.item.recipient)
        options = sidecar.recipient_options
        folder = f"{sidecar.folder}/" if sidecar.folder else ""
        made = replace(
            sidecar,
            recipients=(lock.recipient,),
            recipient_options=options[index : index + 1],
            path=envelopes_of.clean_path(folder + content.name) if sidecar.path else "",
            media_type=content.media_type if not landed.is_mail else sidecar.media_type,
            via="password",
        )
        if await self._taken(name):
            return name
        await envelopes_of.write(self.shelf.envelopes, name, made)
        with suppress(StorageConflictError):
            await self.shelf.landing.put(name, content.data, only_new=True)
        return name

    async def _taken(self, name: str) -> bool:
        """Whether it has landed already: it is there, or it has an outcome."""
        if await self.shelf.landing.properties(name) is not None:
            return True
        async for each in self.shelf.envelopes.names(f"{name}."):
            if each.endswith(".outcome"):
                return True
        return False

    def _pair(self, sender: str, user: str) -> str:
        return self._mac("pair", f"{sender.casefold()}\0{user.casefold()}".encode())[:32]

    def _signature(self, pair: str, lock: str, end: str) -> str:
        raw = hmac.digest(self.key, f"link\0{pair}.{lock}.{end}".encode(), "sha256")
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    def _mac(self, what: str, said: bytes) -> str:
        return hmac.digest(self.key, what.encode() + b"\0" + said, "sha256").hex()


def _name(lock: Lock) -> str:
    return f"locked/{lock.pair}/{lock.id}.json"
