"""``sekisho-relay``: serve, and what an operator asks of a running relay."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click

from relay import requests, status
from relay.journal import Journal
from relay.judging import load_policy
from relay.notes import SENT, UNCLEAN, Note, item_of
from relay.sealed import Sealer, read_keys
from relay.service import journal_path, now, only_one, serve
from relay.settings import PREFIX, Settings
from relay.spool import DEAD, HELD, Letter, Spool
from shared.errors import SekishoError
from shared.policy.notices import reference, safe
from shared.services.relay_delivery import DELETE, RELEASE

CONFIG = Path("/etc/sekisho/relay.toml")


_STANDS = {
    SENT: "無害化した写しを配達済み（原本） / original of a delivered copy",
    UNCLEAN: "無害化できない / cannot be sanitised",
}


@click.group()
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar=f"{PREFIX}CONFIG",
    help=f"The options' file; {CONFIG} where it exists.",
)
@click.pass_context
def main(context: click.Context, config: Path | None) -> None:
    """関所の中継サーバ / The relay of Sekisho, inside the government's network."""
    context.obj = config or (CONFIG if CONFIG.is_file() else None)


def _settings(context: click.Context) -> Settings:
    return _or_exit(lambda: Settings.load(context.obj, os.environ))


def _or_exit[T](work: Callable[[], T]) -> T:
    try:
        return work()
    except SekishoError as error:
        click.echo(str(error), err=True)
        sys.exit(2)


def _spool(settings: Settings) -> Spool:
    return _or_exit(lambda: Spool(settings.spool, Sealer(read_keys(settings.spool_keys))))


@main.command("serve")
@click.pass_context
def serve_command(context: click.Context) -> None:
    """Take, judge and deliver mail until SIGTERM."""
    settings = _settings(context)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    logging.getLogger("mail").setLevel(logging.CRITICAL)  # aiosmtpd's own log names addresses
    logging.getLogger("azure").setLevel(logging.WARNING)
    _or_exit(lambda: asyncio.run(serve(settings)))


@main.command()
@click.pass_context
def check(context: click.Context) -> None:
    """Check the options, the keys and the policy, and change nothing."""
    settings = _settings(context)
    _spool(settings)
    policy = _or_exit(lambda: load_policy(settings.policy))
    click.echo(f"設定は正しいです / the options are right (policy {policy.version})")


@main.command("status")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def status_command(context: click.Context, *, as_json: bool) -> None:
    """How many mails wait, where, and for how long."""
    settings = _settings(context)
    if not journal_path(settings.spool).exists():
        click.echo(
            "中継サーバはまだ動いたことがありません / the relay has never run here", err=True
        )
        sys.exit(1)
    journal = Journal(journal_path(settings.spool), read_only=True)
    found = asdict(status.look(_spool(settings), journal, now().timestamp()))
    journal.close()
    if as_json:
        click.echo(json.dumps(found))
        return
    for name, value in found.items():
        click.echo(f"{name:24} {value}")


@main.command()
@click.pass_context
def health(context: click.Context) -> None:
    """Exit 1 where the running relay does not answer (for containers)."""
    settings = _settings(context)
    wrong = status.healthy(settings.spool, settings.listen)
    click.echo(wrong or "healthy")
    sys.exit(1 if wrong else 0)


@main.command("list")
@click.pass_context
def list_command(context: click.Context) -> None:
    """Held mails, the oldest first: name, time, decision, who agreed so far. No words of them."""
    spool = _spool(_settings(context))
    for name in spool.names(HELD):
        note = _or_exit(partial(spool.noted, name, Note))
        if note is None:
            click.echo(f"{name}  (being judged)")
            continue
        decision = note.intent.decision
        agreed = "; ".join(f"{at}: {', '.join(who)}" for at, who in note.approvals.items())
        click.echo(
            f"{name}  {note.first_seen:%Y-%m-%d %H:%M}Z  {decision.disposition.name.lower():6}"
            f"  {', '.join(decision.rule_ids)}  {_STANDS.get(note.clean, '')}  {agreed}".rstrip()
        )
    for name in spool.names(DEAD):
        click.echo(f"{name}  (dead: refused for good, or damaged; see `retry`)")


@main.command()
@click.argument("name")
@click.pass_context
def show(context: click.Context, name: str) -> None:
    """Why a mail is held: what was found (masked) and where, and what a release needs."""
    settings = _settings(context)
    spool = _spool(settings)
    note = _or_exit(lambda: spool.noted(name, Note))
    if note is None:
        click.echo("そのような保留中のメールはありません / no such held mail", err=True)
        sys.exit(1)
    letter: Letter = _or_exit(lambda: spool.meta(HELD, name, Letter))
    decision = note.intent.decision
    policy = _or_exit(lambda: load_policy(settings.policy))
    key = item_of(name, note.intent).key(decision.policy_version)
    click.echo(f"受付番号 / reference   {reference(key)}")
    click.echo(
        f"判定 / decision        {decision.disposition.name.lower()} ({note.intent.context.place})"
    )
    click.echo(f"規則 / rules           {', '.join(decision.rule_ids)}")
    click.echo(f"宛先の数 / recipients  {len(letter.recipients)}")
    for finding in decision.findings:
        click.echo(f"  {finding.entity}  {finding.masked}  {safe(finding.location)}")
    if note.clean:
        click.echo(f"いま / now              {_STANDS[note.clean]}")
    for gap in (*decision.gaps, *note.gaps):
        click.echo(f"  gap {gap.code.value}  {safe(gap.location)}")
    click.echo(
        f"放行に必要な人数 / people needed for a release: {policy.people_for(decision.rule_ids)}"
    )


def _ask(context: click.Context, name: str, action: str) -> None:
    settings = _settings(context)
    if not _spool(settings).has(HELD, name):
        click.echo("そのような保留中のメールはありません / no such held mail", err=True)
        sys.exit(1)
    requests.ask(settings.spool, name, action)
    click.echo("受け付けました。list で確かめてください / taken; see `list`")


@main.command()
@click.argument("name")
@click.pass_context
def release(context: click.Context, name: str) -> None:
    """Agree to let a held mail go; where policy asks for two, two users of this machine must."""
    _ask(context, name, RELEASE)


@main.command()
@click.argument("name")
@click.pass_context
def delete(context: click.Context, name: str) -> None:
    """Agree to remove a held mail; as many people as a release needs."""
    _ask(context, name, DELETE)


@main.command()
@click.argument("name")
@click.pass_context
def retry(context: click.Context, name: str) -> None:
    """Send on what lies with the dead, once its cause is gone."""
    settings = _settings(context)
    if not _spool(settings).has(DEAD, name):
        click.echo("そのようなメールはありません / no such mail", err=True)
        sys.exit(1)
    requests.ask(settings.spool, name, requests.RETRY)
    click.echo("受け付けました / taken")


@main.command()
@click.pass_context
def rekey(context: click.Context) -> None:
    """Seal everything again with the first key of the file, so that an old one can go.

    Only while the relay is stopped.
    """
    settings = _settings(context)
    handle = _or_exit(lambda: only_one(settings.spool))
    count = _or_exit(lambda: _spool(settings).reseal())
    os.close(handle)
    click.echo(f"{count} 件を新しい鍵で保管し直しました / {count} files sealed anew")


if __name__ == "__main__":
    main()
