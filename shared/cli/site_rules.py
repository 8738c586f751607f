"""``sekisho rules test``: a site's rules run their own hits and misses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from shared.cli.output import clean, console
from shared.detect import Engine, FingerprintKey
from shared.detect.rulebook import Rule
from shared.errors import PolicyError
from shared.model import Level, Segment


def texts(files: Sequence[Path]) -> list[str]:
    """The files' texts; UsageError."""
    try:
        return [file.read_text(encoding="utf-8") for file in files]
    except UnicodeDecodeError as error:
        message = f"a rule file is UTF-8: {error.reason}"
        raise click.UsageError(message) from error


def test(files: Sequence[Path]) -> int:
    """Run every example of the rules that the files change; 0, or 1 with those that fail."""
    engine = Engine(FingerprintKey("rules", bytes(32)), site_rules=texts(files))
    plain = Engine(FingerprintKey("rules", bytes(32)))
    try:
        rules = [rule for name, rule in engine.rules.items() if rule != plain.rules.get(name)]
    except PolicyError as error:
        console(stderr=True).print(f"✗ {clean(str(error))}", markup=False)
        return 1
    table = Table("規則 / rule", "例 / example", "結果 / result", title="規則の例 / rule examples")
    failed = count = 0
    for rule in rules:
        for kind, at, good in _results(engine, rule):
            count += 1
            if not good:
                failed += 1
                result = "見つからない / not found" if kind == "hits" else "見つかった / found"
                table.add_row(rule.entity, f"{kind}[{at}]", Text(result))
        if not rule.hits or not rule.misses:
            failed += 1
            count += 1
            table.add_row(rule.entity, "–", "hits と misses が要ります / needs hits and misses")
    if failed:
        console().print(table)
    console().print(f"{count - failed} passed, {failed} failed")
    return 1 if failed else 0


def _results(engine: Engine, rule: Rule) -> list[tuple[str, int, bool]]:
    """(kind, index, whether it does as it says) of each example; a finding is of medium or more."""
    results = []
    for kind, examples in (("hits", rule.hits), ("misses", rule.misses)):
        for at, text in enumerate(examples):
            found = any(
                finding.entity == rule.entity and finding.level >= Level.MEDIUM
                for finding in engine.scan([Segment("", text)])
            )
            results.append((kind, at, found == (kind == "hits")))
    return results
