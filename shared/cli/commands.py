"""The commands and their options; what they do is in the modules beside."""

from __future__ import annotations

import asyncio
from importlib import metadata
from pathlib import Path

import click

from shared.cli import extracting, policies, scanning
from shared.cli.output import prepare

EXIT_USAGE = 64
FORMATS = click.Choice(["text", "json"])
EXISTING = click.Path(exists=True, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(metadata.version("sekisho"), prog_name="sekisho")
def sekisho() -> None:
    """関所: ファイルの中の個人番号などを見つけます / finds My Numbers and the like in files."""
    prepare()


@sekisho.command()
@click.argument("paths", nargs=-1, required=True, type=EXISTING, metavar="PATH…")
@click.option("--format", "shape", type=FORMATS, default="text", show_default=True)
@click.option(
    "--policy",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="庁内の規則（標準の規則に重ねる） / a site's policy, merged over the defaults",
)
@click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    default=0.0,
    help="これより確からしさの低いものを数えない / findings below it do not count (0…1)",
)
@click.option(
    "--place",
    default="landing",
    show_default=True,
    help="どこに置く物として判定するか / the place of the policy's matrix to decide for",
)
def scan(
    paths: tuple[Path, ...], shape: str, policy: Path | None, min_confidence: float, place: str
) -> int:
    """ファイルとフォルダーを調べます / scan files and folders.

    Exit 0: clean, 1: findings, 2: something could not be read, 64: usage error.
    """
    try:
        rules = policies.load(policy)
    except policies.PolicyFileError as error:
        raise click.UsageError(str(error)) from error
    if place not in rules.places:
        message = f"{place!r} is none of {', '.join(rules.places)}"
        raise click.BadParameter(message, param_hint="--place")
    options = scanning.Options(rules, min_confidence, place)
    return asyncio.run(scanning.scan(paths, options, as_json=shape == "json"))


@sekisho.command()
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--format", "shape", type=FORMATS, default="text", show_default=True)
def extract(path: Path, shape: str) -> int:
    """何が読めて、何が読めなかったか / what was read, and what could not be.

    Exit 0: all was read, 2: something was not, 64: usage error.
    """
    return asyncio.run(extracting.extract(path, as_json=shape == "json"))


@sekisho.group()
def policy() -> None:
    """規則ファイルを確かめます / check a policy file."""


@policy.command()
@click.argument(
    "file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
def validate(file: Path | None) -> int:
    """書き方の誤りと矛盾を探します / look for mistakes and contradictions (exit 1 if there are)."""
    return policies.validate(file)


@policy.command()
@click.argument(
    "file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
def test(file: Path | None) -> int:
    """規則に付いた例を実行します / run the rules' own test cases (exit 1 if one fails)."""
    return policies.test(file)
