"""The app settings of a local run, with fresh keys (nothing secret is ever committed)."""

from __future__ import annotations

import base64
import secrets

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec


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
        "SEKISHO_CLIENT_ID": "",
        "SEKISHO_NOTIFICATION_URL": f"{host_url}/api/graph",
        "SEKISHO_WATCH": ",".join(watch or []),
        "SEKISHO_RENEW_SCHEDULE": "*/5 * * * * *",
        "SEKISHO_SWEEP_SCHEDULE": "*/20 * * * * *",
        "SEKISHO_HEAD_SCHEDULE": "*/10 * * * * *",
        "SEKISHO_CLIENT_STATE_KEY": fresh_key(),
        "SEKISHO_FINGERPRINT_KEY": fresh_key(),
        "SEKISHO_MARKER_KEY": fresh_key(),
        "SEKISHO_SIGNING_KEY": fresh_signing_key(),
        "SEKISHO_POLICY_FILE": "",
        "SEKISHO_ISOLATION": "fork",
        "SEKISHO_LEASE_SECONDS": "30",
        "SEKISHO_MAX_ITEM_BYTES": "150000000",
    }
