"""The cloud's way in: no key anywhere, a token of a user-assigned identity, over TLS.

Azurite takes tokens (``--oauth basic``: it checks audience, issuer and time). The platform's
identity endpoint (learn.microsoft.com/azure/app-service/overview-managed-identity) is played by a
small server. The product's own settings, runtime and credential run in a process of their own.
"""

from __future__ import annotations

import http.server
import ipaddress
import json
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from local.azurite import ACCOUNT, Azurite
from local.environment import TENANT, app_settings

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[3]
HEADER = "a-header-that-only-this-app-knows"
IDENTITIES = {
    "SEKISHO_WORK": "11111111-0000-4000-8000-000000000001",
    "SEKISHO_EVIDENCE": "11111111-0000-4000-8000-000000000002",
    "SEKISHO_AUDIT": "11111111-0000-4000-8000-000000000003",
}
PROGRAM = """
import asyncio, os
from shared.bootstrap.runtime import Runtime
from shared.ports import Row
from shared.settings import Settings

async def main():
    run = Runtime(Settings.load(os.environ))
    for stores in (run.work, run.evidence, run.audit):
        await stores.blobs("proof").put("a", b"data", metadata={"k": "v"})
        assert (await stores.blobs("proof").get("a")).data == b"data"
        await stores.queue("proof").put(b"message")
        await stores.table("proof").put(Row("p", "k", {"v": 1}))
        assert (await stores.table("proof").get("p", "k")).values["v"] == 1
        lease = stores.lease("proof")
        await lease.release("l", await lease.acquire("l"))
        await stores.close()
    print("through")

asyncio.run(main())
"""


def certificate(folder):
    """A key and a self-signed certificate for the loopback address."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "azurite")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert, pem = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert, pem


class Endpoint(http.server.BaseHTTPRequestHandler):
    """Gives tokens to whoever sends the app's header, for the identity it names."""

    issuer = f"https://sts.windows.net/{TENANT}/"
    audience = "https://storage.azure.com"
    asked: list[tuple[str, str]] = []  # noqa: RUF012 - one server, one test

    def do_GET(self):
        query = {key: value[0] for key, value in parse_qs(urlsplit(self.path).query).items()}
        if self.headers.get("X-IDENTITY-HEADER") != HEADER:
            self.send_error(403)
            return
        self.asked.append((query.get("client_id", ""), query["resource"]))
        now = int(time.time())
        claims = {"aud": self.audience, "iss": self.issuer, "nbf": now - 60, "iat": now - 60}
        token = jwt.encode({**claims, "exp": now + 3600}, "0" * 32, "HS256")
        body = {"access_token": token, "expires_on": str(now + 3600), "token_type": "Bearer"}
        data = json.dumps({**body, "resource": query["resource"]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args):
        del args


@pytest.fixture
def endpoint():
    Endpoint.asked.clear()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/msi/token"
    server.shutdown()
    server.server_close()


@pytest.fixture
def secured(tmp_path):
    """An Azurite that speaks TLS and takes tokens, and its certificate."""
    cert, key = certificate(tmp_path)
    options = ("--oauth", "basic", "--cert", str(cert), "--key", str(key))
    with Azurite(tmp_path / "azurite", options=options) as azurite:
        yield azurite, cert


def environment(azurite, cert, endpoint):
    """The settings as the cloud gives them: addresses and client ids, no key of storage."""
    settings = app_settings(
        storage="", graph_base_url="http://127.0.0.1:1/v1.0", host_url="http://127.0.0.1:1"
    )
    for name, client in IDENTITIES.items():
        settings.pop(name)
        for kind, port in zip(("blob", "queue", "table"), azurite.ports, strict=True):
            settings[f"{name}__{kind}ServiceUri"] = f"https://127.0.0.1:{port}/{ACCOUNT}"
        settings[f"{name}__clientId"] = client
    return {
        **{key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ},
        **settings,
        "IDENTITY_ENDPOINT": endpoint,
        "IDENTITY_HEADER": HEADER,
        "SSL_CERT_FILE": str(cert),
    }


def run(env):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_blobs_queues_and_tables_open_to_the_identity_of_their_account(secured, endpoint):
    azurite, cert = secured
    done = run(environment(azurite, cert, endpoint))
    assert done.stdout.strip() == "through", done.stderr[-2000:]
    assert {client for client, _ in Endpoint.asked} == set(IDENTITIES.values())
    assert {resource for _, resource in Endpoint.asked} == {"https://storage.azure.com"}


@pytest.mark.parametrize(
    ("claim", "value"),
    [("issuer", "https://example.com/"), ("audience", "https://graph.microsoft.com")],
)
def test_a_token_of_another_issuer_or_for_another_service_opens_nothing(
    secured, endpoint, monkeypatch, claim, value
):
    monkeypatch.setattr(Endpoint, claim, value)
    azurite, cert = secured
    done = run(environment(azurite, cert, endpoint))
    assert done.returncode != 0
    assert "through" not in done.stdout
