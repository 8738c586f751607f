"""Commands on the record: ``sekisho audit …``."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from shared.cli import verifying

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def register(sekisho: click.Group) -> None:
    """Add the commands to their group."""
    sekisho.add_command(audit)


@click.group()
def audit() -> None:
    """監査記録を確かめ、書き出します / verify and export the record."""


@audit.command()
@click.option(
    "--from",
    "first",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="この番号の記録から / from this record on",
)
@click.option("--dir", "root", type=FOLDER, help="手元の写し / a local copy of the container")
@click.option(
    "--public-key",
    "keys",
    multiple=True,
    type=FILE,
    help="署名の公開鍵（PEM） / the signer's public key; else that of the settings",
)
@click.option("--format", "shape", type=click.Choice(["text", "json"]), default="text")
@click.option(
    "--note/--no-note", default=True, help="結果を画面に出す / tell the console the outcome"
)
def verify(first: int, root: Path | None, keys: tuple[Path, ...], shape: str, *, note: bool) -> int:
    """記録が書き換えられていないか確かめます / does the record hold?

    Exit 0: it holds and signed heads vouch for its end, 1: it is broken (the first broken record
    and the kind of break are named), 2: it holds, but nothing vouches for its end, 64: usage error.
    """
    asked = verifying.Asked(first, shape == "json", note)
    if root is not None:
        return asyncio.run(verifying.folder(root, keys, asked))
    return asyncio.run(verifying.storage(keys, asked))
