"""The commands and their options; what they do is in the modules beside."""

from __future__ import annotations

import asyncio
import sys
from importlib import metadata
from pathlib import Path

import click

from shared.cli import (
    edm,
    explain,
    extracting,
    fingerprints,
    policies,
    registers,
    scanning,
    site_rules,
)
from shared.cli.output import prepare

EXIT_USAGE = 64
FORMATS = click.Choice(["text", "json"])
SCAN_FORMATS = click.Choice(["text", "json", "sarif"])
EXISTING = click.Path(exists=True, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
OUT = click.Path(dir_okay=False, writable=True, path_type=Path)
KEY = click.option(
    "--key-file",
    type=FILE,
    help=f"登録の鍵（16〜64バイト） / the registers' key; else {registers.VARIABLE} in hexadecimal",
)
RULES = click.option(
    "--rules",
    "rule_files",
    multiple=True,
    type=FILE,
    help="庁内の検出の規則 / a site's detection rules (may be repeated)",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(metadata.version("sekisho"), prog_name="sekisho")
def sekisho() -> None:
    """関所: ファイルの中の個人番号などを見つけます / finds My Numbers and the like in files."""
    prepare()


@sekisho.command()
@click.argument("paths", nargs=-1, required=True, type=EXISTING, metavar="PATH…")
@click.option("--format", "shape", type=SCAN_FORMATS, default="text", show_default=True)
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
@RULES
@click.option(
    "--edm",
    "edm_files",
    multiple=True,
    type=FILE,
    help="登録した人の表（edm build で作る） / registers of people (may be repeated)",
)
@click.option(
    "--forms",
    "forms_file",
    type=FILE,
    help="登録した文書（fingerprint add で作る） / registered documents",
)
@KEY
def scan(
    paths: tuple[Path, ...],
    shape: str,
    policy: Path | None,
    min_confidence: float,
    place: str,
    rule_files: tuple[Path, ...],
    edm_files: tuple[Path, ...],
    forms_file: Path | None,
    key_file: Path | None,
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
    secret = registers.key(key_file) if edm_files or forms_file else b""
    options = scanning.Options(
        rules,
        min_confidence,
        place,
        site_rules.texts(rule_files),
        registers.registers(edm_files, secret),
        registers.forms(forms_file, secret) if forms_file else None,
    )
    return asyncio.run(scanning.scan(paths, options, shape))


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


@sekisho.command(name="explain")
@click.argument("text")
@click.option("--format", "shape", type=FORMATS, default="text", show_default=True)
@click.option("--table", is_flag=True, help="文字列を表として見る / look at the text as a table")
@RULES
def explain_command(text: str, shape: str, *, table: bool, rule_files: tuple[Path, ...]) -> int:
    """候補ごとの点数と根拠を表にします / the scoring of every candidate in TEXT (- reads stdin).

    Exit 0: nothing reaches a level, 1: something does, 64: usage error.
    """
    if text == "-":
        text = sys.stdin.buffer.read().decode("utf-8", "replace")
    rules = site_rules.texts(rule_files)
    return explain.explain(text, rules, table=table, as_json=shape == "json")


@sekisho.group(name="edm")
def edm_group() -> None:
    """登録した人との照合 / exact data match with registered people."""


@edm_group.command()
@click.argument("source", type=FILE, metavar="CSV")
@click.option(
    "--columns",
    required=True,
    multiple=True,
    help="照合する列。氏名+生年月日 のように二つを組み合わせる / columns; + combines two",
)
@click.option("--out", required=True, type=OUT, help="書き出す先 / the register to write")
@KEY
def build(source: Path, columns: tuple[str, ...], out: Path, key_file: Path | None) -> int:
    """名簿から照合表を作ります（値は書かない） / make a register of keyed hashes."""
    each = [name.strip() for column in columns for name in column.split(",")]
    return edm.build(source, each, out, registers.key(key_file))


@sekisho.group(name="fingerprint")
def fingerprint_group() -> None:
    """様式の指紋 / fingerprints of documents."""


@fingerprint_group.command()
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FORM…")
@click.option("--out", required=True, type=OUT, help="足す先 / the file to add to")
@KEY
def add(files: tuple[Path, ...], out: Path, key_file: Path | None) -> int:
    """様式を登録します / register forms, so that filled-in ones are known.

    Exit 0: all were read, 2: one of them was not, 64: usage error.
    """
    return asyncio.run(fingerprints.add(files, out, registers.key(key_file)))


@sekisho.group(name="rules")
def rules_group() -> None:
    """検出の規則を確かめます / check a site's detection rules."""


@rules_group.command(name="test")
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE…")
def rules_test(files: tuple[Path, ...]) -> int:
    """規則の hits と misses を実行します / run the rules' own examples (exit 1 if one fails)."""
    return site_rules.test(files)
