"""Commands on the record: ``sekisho audit …``."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

import click

from shared.audit.formats import FORMATS
from shared.cli import exporting, keeping, reporting, stores, verifying

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
OUT = click.Path(dir_okay=False, writable=True, path_type=Path)
DAY = click.DateTime(["%Y-%m-%d"])
DIR = click.option("--dir", "root", type=FOLDER, help="手元の写し / a local copy of the container")


def register(sekisho: click.Group) -> None:
    """Add the commands to their group."""
    sekisho.add_command(audit)
    sekisho.add_command(report)


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
@DIR
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


@audit.command("public-key")
def public_key() -> int:
    """署名の公開鍵（PEM） / the public key that verifies signed heads."""
    click.echo(stores.public_key(), nl=False)
    return 0


@audit.command()
@click.option("--format", "kind", type=click.Choice(list(FORMATS)), required=True)
@click.option("--from", "start", type=DAY, help="この日から（日本時間） / from this day")
@click.option("--to", "end", type=DAY, help="この日まで（日本時間） / up to this day")
@click.option("--out", type=OUT, required=True, help="書き出す先 / the file to write")
@DIR
def export(
    kind: str, start: datetime | None, end: datetime | None, out: Path, root: Path | None
) -> int:
    """記録を他の道具の形式で書き出します / the record in another tool's format.

    Exit 0: all is written, 1: the chain breaks, what lies before is written, 64: usage error.
    """
    days = exporting.Days(start.date() if start else None, end.date() if end else None)
    return asyncio.run(exporting.export(kind, root, days, out))


@audit.command()
@click.option("--days", type=click.IntRange(0, 3660), default=0, help="前日までの日数も / days too")
@click.option("--fix", is_flag=True, help="差を直す / write the differences")
def recount(days: int, *, fix: bool) -> int:
    """件数の記録を、案件と監査記録から数え直します / count anew what the counters say.

    Exit 0: they agree (or agree now, with --fix), 1: they differ, 64: usage error.
    """
    return asyncio.run(keeping.recount(days, fix=fix))


@audit.command()
@click.argument("incident", metavar="INCIDENT")
@click.option("--why", default="", help="保全の理由 / why its copies must stay")
@click.option("--lift", is_flag=True, help="保全を解く / lift the hold")
def hold(incident: str, why: str, *, lift: bool) -> int:
    """案件の写しを消さないようにします（保全） / keep an incident's copies whatever happens.

    INCIDENT is the id in its page's address, such as 2026-11/8235999999999-0123….
    """
    if bool(why) == lift:
        message = "--why か --lift の一方が必要です / give --why or --lift"
        raise click.UsageError(message)
    return asyncio.run(keeping.hold(incident, "" if lift else why))


@click.command()
@click.option("--month", required=True, help="月（2026-11） / the month, in Japan")
@click.option("--out", type=OUT, help="書き出す先 / the file; else sekisho-MONTH.html")
@DIR
@click.option("--incidents", type=FILE, help="案件（JSON 行） / incidents, with a copy")
@click.option("--policy", type=FILE, help="庁内の規則（規則の名前） / a site's policy, for names")
@click.option("--organisation", default="", help="表題に添える名前 / whose report it is")
def report(
    month: str,
    out: Path | None,
    root: Path | None,
    incidents: Path | None,
    policy: Path | None,
    organisation: str,
) -> int:
    """月次報告を一つの HTML ファイルにします / a month as one HTML file, to print or to send.

    Exit 0: done, 1: the chain breaks, what lies before is counted, 64: usage error.
    """
    first = reporting.first_day(month)
    out = out or Path(f"sekisho-{first:%Y-%m}.html")
    asked = reporting.Asked(first, out, root, incidents, policy, organisation)
    return asyncio.run(reporting.report(asked))
