"""The relay's reception on a real socket, with nothing behind the spool."""

from __future__ import annotations

import asyncio
import base64
import os
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from relay.reception import Admission, Reception, Room, Rules
from relay.routes import route
from relay.sealed import Sealer, keys_of
from relay.smtp import Limits, StrictSMTP
from relay.spool import INCOMING, Letter, Spool


def certificate(folder, name="relay.city.example"):
    """A PEM file with a key and a certificate that it signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path = folder / "relay.pem"
    path.write_bytes(
        made.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


def sealer(*names):
    names = names or ("k1",)
    lines = [f"{name}:{base64.b64encode(os.urandom(32)).decode()}" for name in names]
    return Sealer(keys_of("\n".join(lines), "test"))


def spool_in(folder):
    spool = Spool(folder, sealer())
    spool.prepare()
    return spool


class Line:
    """A client that sends bytes as they are."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def answer(self):
        lines = [await self.reader.readline()]
        while lines[-1][3:4] == b"-":
            lines.append(await self.reader.readline())
        return b"".join(lines).decode()

    async def say(self, raw):
        self.writer.write(raw)
        await self.writer.drain()
        return await self.answer()

    async def begin(self, sender=b"<a@x.example>", to=b"<b@city.example>"):
        await self.say(b"EHLO me\r\n")
        assert (await self.say(b"MAIL FROM:" + sender + b"\r\n")).startswith("250")
        assert (await self.say(b"RCPT TO:" + to + b"\r\n")).startswith("250")
        assert (await self.say(b"DATA\r\n")).startswith("354")

    async def closed(self):
        return await self.reader.read() == b""


class Door:
    def __init__(self, spool, server, reception, admission):
        self.spool, self.server = spool, server
        self.reception, self.admission = reception, admission
        self.port = server.sockets[0].getsockname()[1]
        self.arrived = []

    async def line(self):
        line = Line(*await asyncio.open_connection("127.0.0.1", self.port))
        line.greeting = await line.answer()
        return line

    def mails(self):
        return [self.spool.read(INCOMING, name, Letter) for name in self.spool.names(INCOMING)]

    def bodies(self):
        return [data.partition(b"\r\n\r\n")[2] for _, data in self.mails()]


@asynccontextmanager
async def door(folder, **given):
    spool = spool_in(folder)
    admission = Admission(
        tuple(map(ip_network, given.get("networks", ["127.0.0.0/8"]))),
        given.get("connections", 10),
        given.get("each", 10),
    )
    disk = ThreadPoolExecutor(2)
    names = []
    reception = Reception(
        spool,
        Room(spool, given.get("max_bytes", 10**9), 0),
        Rules(
            {"city.example": route("plain://127.0.0.1:1")},
            frozenset(given.get("sender_domains", ())),
            given.get("recipients", 5),
            "relay.city.example",
        ),
        disk,
        names.append,
    )
    limits = Limits(given.get("message", 100_000), 998, given.get("in_hand", 1_000_000))
    tls: ssl.SSLContext | None = given.get("tls")

    def session():
        return StrictSMTP(
            reception, limits=limits, admission=admission, hostname="relay.city.example",
            timeout=given.get("timeout", 30.0), tls_context=tls, require_starttls=tls is not None,
        )  # fmt: skip

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0)
    made = Door(spool, server, reception, admission)
    made.arrived, made.limits = names, limits
    try:
        yield made
    finally:
        server.close()
        admission.shut()
        await asyncio.sleep(0)
        disk.shutdown()
