"""A gate with everything around it, in memory: sanitising, masking, passwords, notices, waiting."""

from __future__ import annotations

import hashlib
import hmac
import io
import struct
import time
import zlib
from dataclasses import replace
from email.message import EmailMessage

import pyzipper
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from shared.detect import Engine, FingerprintKey
from shared.extract import Limits, extract
from shared.pipeline import scan
from shared.policy import Policy, default_text
from shared.ports import App
from shared.sandbox.tasks import Task, perform
from shared.sanitize import Options
from shared.services import sidecar
from shared.services.gate import GateService
from shared.services.gate.clean import Cleaning
from shared.services.gate.landed import Shelf
from shared.services.gate.locked import Locks
from shared.services.gate.masked import Masking
from shared.services.gate.outcomes import Outcomes
from shared.services.gate.telling import GateNotices
from shared.services.gate.waiting import Waiting
from shared.services.outbox import Outbox
from shared.services.sidecar import Sidecar

KEY = b"a key of the tests, not a secret"
ENGINE = Engine(FingerprintKey("t1", KEY))
OUTSIDE, INSIDE = "s@other.example.com", "t@city.example.jp"


def digest(data):
    return hmac.digest(KEY, data, "sha256").hex()


async def read(content, passwords=()):
    return extract(content, clock=time.monotonic, passwords=passwords)[0]


def task(kind):
    async def run(content, given):
        words = () if kind == "sanitise" else given
        options = given if kind == "sanitise" else Options()
        return perform(Task(kind, content, Limits(), options, words), time.monotonic)

    return run


class Whole:
    """The gate of a rig, and the pipeline over it with the default policy (and what is laid on)."""

    def __init__(self, rig, *, policy="", stores=None, **given):
        self.rig = rig
        self.stores = stores or rig.stores
        texts = [default_text(), *([policy] if policy else [])]
        self.policy = Policy.load(texts, ["default.yaml", "site.yaml"][: len(texts)])
        self.landing = self.stores.blobs("landing")
        self.envelopes = self.stores.blobs("envelopes")
        shelf = Shelf(self.landing, self.envelopes, rig.quarantine)
        self.waiting = Waiting(self.stores.table("gatewaiting"), rig.clock)
        self.outbox = Outbox(self.stores.table("outbox"), rig.clock)
        self.recorded = []
        self.locks = Locks(
            shelf,
            Outcomes(shelf, self.waiting),
            rig.clock,
            KEY,
            task("unlock"),
            read,
            self._record,
            given.pop("url", "https://gate.example.lg.jp"),
        )
        which, options = given.pop("which", ("external",)), given.pop("options", Options())
        self.cleaning = Cleaning(
            shelf,
            given.pop("sanitise", task("sanitise")),
            digest,
            which,
            ("city.example.jp",),
            options,
        )
        self.service = GateService(
            rig.graph,
            landing=self.landing,
            envelopes=self.envelopes,
            quarantine=rig.quarantine,
            limit=5_000_000,
            cleaning=self.cleaning,
            masking=Masking(task("mask"), read, ENGINE.scan),
            locks=self.locks,
            notices=GateNotices(
                self.outbox,
                self.policy,
                rig.clock,
                mail=True,
                senders=given.pop("senders", "inside"),
                inside=("city.example.jp",),
            ),
            waiting=self.waiting,
            subject_tag=given.pop("subject_tag", ""),
        )
        self.results = []
        self.exceptions = given.pop("exceptions", None)

    async def _record(self, item, outcome):
        self.recorded.append((item, outcome))

    async def put(self, claim, outcome):
        """ports.Results."""
        self.results.append((claim, outcome))

    def app(self):
        more = {"exceptions": self.exceptions} if self.exceptions else {}
        return App(
            clock=self.rig.clock,
            ledger=replace(self.rig.ledger, policy_version=self.policy.version),
            services={"gate": self.service},
            extract=read,
            detect=ENGINE.scan,
            decide=self.policy.decide,
            digest=lambda extraction: digest(repr(extraction).encode()),
            results=self,
            policy_version=self.policy.version,
            **more,
        )

    async def land(self, name, data, **given):
        given.setdefault("recipients", (self.rig.UPN,))
        if name.startswith("mail/"):
            given.setdefault("sender", OUTSIDE)
        await sidecar.write(self.envelopes, name, Sidecar(**given))
        await self.landing.put(name, data)
        return await self.service.items_for(name)

    async def passes(self, name, data, **given):
        """Land it and scan every item; the outcomes."""
        return [await self.scan(each) for each in await self.land(name, data, **given)]

    async def scan(self, item):
        before = len(self.results)
        await scan(item, self.app(), first_seen=self.rig.clock())
        return self.results[-1][1] if len(self.results) > before else None

    async def scan_landed(self):
        """What the blob trigger would do for everything that lies in landing."""
        found = []
        for name in [each async for each in self.landing.names()]:
            found += [await self.scan(each) for each in await self.service.items_for(name)]
        return found

    def mails(self):
        return [each.raw for each in self.rig.user.mailbox.messages.values()]

    def files(self):
        return {f.name: f.data for f in self.rig.user.drive.items.values() if not f.folder}

    async def everything(self):
        """Every byte of every blob, row and queue."""
        account, found = self.rig.account, []
        for container in account.containers.values():
            for name, blob in container.items():
                found += [name.encode(), blob.data, repr(vars_of(blob)).encode()]
        for rows in account.tables.values():
            found += [repr((key, dict(row.values))).encode() for key, row in rows.items()]
        for messages in account.queues.values():
            found += [bytes(each.body) for each in messages]
        return b"\n".join(found)


def mail(subject="資料の送付", body="本文です。\n", html="", attach=(), sender=OUTSIDE, number=1):
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, "hanako@city.example.jp", subject
    made["Date"] = "Wed, 01 Apr 2026 10:00:00 +0900"
    made["Message-ID"] = f"<{number}@other.example.com>"
    made.set_content(body)
    if html:
        made.add_alternative(html, subtype="html")
    for name, data in attach:
        made.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return made.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def locked_zip(password, members):
    out = io.BytesIO()
    with pyzipper.AESZipFile(out, "w", encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(password.encode())
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


def vars_of(thing):
    """The fields of a value, slots or not, but for its bytes."""
    names = getattr(type(thing), "__slots__", None) or vars(thing)
    return {name: getattr(thing, name) for name in names if name != "data"}


def seven_zip_aes(password, name, data, cycles=6):
    """A 7z archive of one member under 7zAES (7zFormat.txt; 7zAes.cpp)."""
    key = hashlib.sha256()
    for count in range(1 << cycles):
        key.update(password.encode("utf-16-le") + count.to_bytes(8, "little"))
    vector = bytes(range(16))
    padded = data + b"\0" * (-len(data) % 16)
    cipher = Cipher(algorithms.AES(key.digest()), modes.CBC(vector)).encryptor()
    packed = cipher.update(padded) + cipher.finalize()
    named = name.encode("utf-16-le") + b"\0\0"
    crc = struct.pack("<I", zlib.crc32(data))
    coder = b"\x24\x06\xf1\x07\x01\x12" + bytes([cycles | 0x40, 0x0F]) + vector
    header = b"\x01\x04\x06\x00\x01\x09" + bytes([len(packed)]) + b"\x00"
    header += b"\x07\x0b\x01\x00\x01" + coder
    header += b"\x0c" + bytes([len(data)]) + b"\x0a\x01" + crc + b"\x00\x00"
    header += b"\x05\x01\x11" + bytes([len(named) + 1]) + b"\x00" + named + b"\x00\x00"
    start = struct.pack("<QQI", len(packed), len(header), zlib.crc32(header))
    signature = b"7z\xbc\xaf\x27\x1c\x00\x04" + struct.pack("<I", zlib.crc32(start)) + start
    return signature + packed + header
