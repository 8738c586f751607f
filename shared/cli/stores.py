"""The storage that the app's settings name, for commands that read the record."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import click

from shared.audit.head import Verify, any_of, key_id, public_pem
from shared.errors import SekishoError
from shared.storage.stores import AzureStores

KINDS = ("blob", "queue", "table")


class StoreError(click.ClickException):
    """Storage or a key is not there; the message says which setting to give."""

    exit_code = 64


@asynccontextmanager
async def stores(name: str) -> AsyncIterator[AzureStores]:
    """The account of a connection (``SEKISHO_AUDIT`` …); StoreError.

    By connection string, or by ``NAME__blobServiceUri`` and its sisters with whoever is signed in
    on this machine (``az login``, or a managed identity).
    """
    string = os.environ.get(name, "")
    urls = [os.environ.get(f"{name}__{kind}ServiceUri", "") for kind in KINDS]
    try:
        if string:
            async with AzureStores(connection_string=string) as opened:
                yield opened
        elif all(urls):
            from azure.identity.aio import DefaultAzureCredential  # noqa: PLC0415 - slow to load

            async with (
                DefaultAzureCredential() as who,
                AzureStores(
                    blob_url=urls[0], queue_url=urls[1], table_url=urls[2], credential=who
                ) as opened,
            ):
                yield opened
        else:
            message = (
                f"{name}（または {name}__blobServiceUri など）を設定してください"
                f" / set {name}, or {name}__blobServiceUri and its sisters"
            )
            raise StoreError(message)
    except (SekishoError, ValueError) as error:
        # A ValueError is the SDK's about the connection string, which holds a key: not quoted.
        words = str(error) if isinstance(error, SekishoError) else "not a connection string"
        message = f"{name}: {words}"
        raise StoreError(message) from None


def has(name: str) -> bool:
    """Whether the environment names this account."""
    return bool(os.environ.get(name) or os.environ.get(f"{name}__blobServiceUri"))


def verifier(files: Sequence[Path]) -> Verify | None:
    """What checks signed heads: public keys in PEM files, else those of the settings; or None.

    Of the settings: the public half of SEKISHO_SIGNING_KEY, and SEKISHO_HEAD_KEYS. StoreError for
    what is no P-256 key.
    """
    try:
        pems = [file.read_bytes() for file in files] or list(_of_settings())
        return any_of(pems) if pems else None
    except OSError as error:
        message = f"--public-key: {type(error).__name__}"
        raise StoreError(message) from None
    except (ValueError, binascii.Error):
        message = "公開鍵を読めません（P-256 の PEM） / not a P-256 public key in PEM"
        raise StoreError(message) from None


def public_key() -> str:
    """The public half of SEKISHO_SIGNING_KEY in PEM, its id on stderr; StoreError."""
    private = os.environ.get("SEKISHO_SIGNING_KEY", "")
    try:
        public = public_pem(base64.b64decode(private, validate=True))
    except (ValueError, binascii.Error):
        message = "SEKISHO_SIGNING_KEY がないか、読めません / is missing, or is no private key"
        raise StoreError(message) from None
    click.echo(f"id: {key_id(public)}", err=True)
    return public.decode()


def _of_settings() -> list[bytes]:
    found = []
    if private := os.environ.get("SEKISHO_SIGNING_KEY"):
        found.append(public_pem(base64.b64decode(private, validate=True)))
    former = os.environ.get("SEKISHO_HEAD_KEYS", "").split(",")
    found += [base64.b64decode(each.strip(), validate=True) for each in former if each.strip()]
    return found
