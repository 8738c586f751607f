"""The app settings of a local run, with fresh keys (nothing secret is ever committed)."""

from __future__ import annotations

import base64
import secrets
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

# Whose the local tenant is; the stand-in is told so.
TENANT = "6c1d0e2f-5a4b-4c3d-9e8f-0a1b2c3d4e5f"
APPLICATION = "1f2e3d4c-5b6a-4798-8a9b-0c1d2e3f4a5b"
KEYS = "/common/discovery/v2.0/keys"


def fresh_certificate(name: str = "local-1") -> str:
    """``<id>:<base64 of PEM>``: a new RSA key and a certificate that it signs itself."""
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sekisho local")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return f"{name}:{base64.b64encode(pem).decode()}"


def fresh_key(name: str = "local-1") -> str:
    """``<id>:<base64 of 32 random bytes>``, as the key settings want it."""
    return f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def fresh_signing_key() -> str:
    """Base64 of a new P-256 private key in PEM."""
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return base64.b64encode(pem).decode()


def app_settings(
    *, storage: str, graph_base_url: str, host_url: str, watch: list[str] | None = None
) -> dict[str, str]:
    """Everything that ``function_app.py`` needs beside PATH.

    ``storage`` is the emulator's connection string, ``watch`` the user ids to enrol. Timers run
    every few seconds, because a person is waiting.
    """
    return {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "AzureWebJobsStorage": storage,
        "SEKISHO_WORK": storage,
        "SEKISHO_EVIDENCE": storage,
        "SEKISHO_AUDIT": storage,
        "SEKISHO_ROLE": "all",
        "SEKISHO_BLOB_SOURCE": "EventGrid",
        "SEKISHO_GRAPH_BASE_URL": graph_base_url,
        "SEKISHO_GRAPH_CREDENTIAL": "local",
        "SEKISHO_CLIENT_ID": APPLICATION,
        "SEKISHO_NOTIFICATIONS": "webhook",
        "SEKISHO_NOTIFICATION_URL": f"{host_url}/api/graph",
        "SEKISHO_NOTIFICATION_HUB": "",
        "SEKISHO_WATCH": ",".join(watch or []),
        "SEKISHO_SITES": "all",
        "SEKISHO_COHORTS": "",
        "SEKISHO_TENANT_ID": TENANT,
        "SEKISHO_TEAMS": "on",
        "SEKISHO_TEAMS_MODEL": "",
        "SEKISHO_RICH_CERTIFICATES": fresh_certificate(),
        "SEKISHO_VALIDATION_KEYS_URL": f"{graph_base_url.removesuffix('/v1.0')}{KEYS}",
        "SEKISHO_RENEW_SCHEDULE": "*/5 * * * * *",
        "SEKISHO_SWEEP_SCHEDULE": "*/20 * * * * *",
        "SEKISHO_POISON_SCHEDULE": "*/5 * * * * *",
        "SEKISHO_BASELINE_PER_MINUTE": "600",
        "SEKISHO_EXCEPTIONS_SCHEDULE": "*/5 * * * * *",
        "SEKISHO_NOTICE_SCHEDULE": "*/5 * * * * *",
        "SEKISHO_NOTICE_MAILBOX": "",
        "SEKISHO_NOTICE_SECURITY": "",
        "SEKISHO_NOTICE_CARD": "off",
        "SEKISHO_NOTICE_WEBHOOK": "",
        "SEKISHO_NOTICE_CONTACT": "情報政策課 / Information Policy Division",
        "SEKISHO_NOTICE_TEMPLATES": "",
        "SEKISHO_ORGANISATION_JA": "見本県",
        "SEKISHO_ORGANISATION_EN": "Sample Prefecture",
        "SEKISHO_HEAD_SCHEDULE": "*/10 * * * * *",
        "SEKISHO_HEAD_KEYS": "",
        "SEKISHO_VERIFY_SCHEDULE": "*/15 * * * * *",
        "SEKISHO_EXPORT_FORMATS": "ocsf",
        "SEKISHO_EXPORT_SCHEDULE": "*/20 * * * * *",
        "SEKISHO_SENTINEL_ENDPOINT": "",
        "SEKISHO_SENTINEL_RULE": "",
        "SEKISHO_ALERT_SCHEDULE": "*/15 * * * * *",
        "SEKISHO_ALERT_BLOCKS": "strictest",
        "SEKISHO_ALERT_SWEEP_ITEMS": "20",
        "SEKISHO_ALERT_QUEUE_MINUTES": "15",
        "SEKISHO_ALERT_LAPSED": "5",
        "SEKISHO_RETAIN_COPIES_DAYS": "0",
        "SEKISHO_RETAIN_INCIDENTS_DAYS": "0",
        "SEKISHO_RETAIN_SEARCH_DAYS": "0",
        "SEKISHO_RETAIN_LEDGER_DAYS": "400",
        "SEKISHO_LEGAL_HOLD": "off",
        "SEKISHO_RETENTION_SCHEDULE": "0 30 18 * * *",
        "SEKISHO_CLIENT_STATE_KEY": fresh_key(),
        "SEKISHO_FINGERPRINT_KEY": fresh_key(),
        "SEKISHO_MARKER_KEY": fresh_key(),
        "SEKISHO_SIGNING_KEY": fresh_signing_key(),
        "SEKISHO_POLICY_FILE": "",
        "SEKISHO_ISOLATION": "fork",
        "SEKISHO_NAMES": "off",
        "SEKISHO_OCR": "off",
        "SEKISHO_LEASE_SECONDS": "30",
        "SEKISHO_CONSOLE_LOGIN": "local",
        "SEKISHO_CONSOLE_URL": host_url,
        "SEKISHO_CONSOLE_ISSUER": "",
        "SEKISHO_CONSOLE_CLIENT_ID": "",
        "SEKISHO_CONSOLE_KEY": fresh_key(),
        "SEKISHO_TELEMETRY_FILE": "",
        "SEKISHO_TELEMETRY_SHARE": "100",
        "APPLICATIONINSIGHTS_CONNECTION_STRING": "",
        "SEKISHO_GATE_DELIVERY": "graph",
        "SEKISHO_GATE_SUBJECT_TAG": "",
        "SEKISHO_GATE_TELLS_SENDERS": "inside",
        "SEKISHO_MAIL_DOMAINS": "",
        "SEKISHO_SANITISE": "external",
        "SEKISHO_SANITISE_LINKS": "defang",
        "SEKISHO_SANITISE_PARTS": "hold",
        "SEKISHO_PASSWORD_URL": host_url,
        "SEKISHO_PASSWORD_LOGIN": "off",
        "SEKISHO_FILE_LABELS": "",
        "SEKISHO_MAX_ITEM_BYTES": "150000000",
    }
