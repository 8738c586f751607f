"""``sekisho policy``: the defaults with a site's file over them."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table

from shared.cli.output import clean, console
from shared.errors import PolicyError
from shared.policy import Policy, default_text


class PolicyFileError(Exception):
    """The policy file cannot be used; the message says where and why."""


def load(file: Path | None) -> Policy:
    """The default policy, with the file merged over it if one is given; PolicyFileError."""
    texts, names = [default_text()], ["default.yaml"]
    if file is not None:
        try:
            texts.append(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            message = f"{file}: {type(error).__name__}"
            raise PolicyFileError(message) from error
        names.append(str(file))
    try:
        return Policy.load(texts, names)
    except PolicyError as error:
        raise PolicyFileError(str(error)) from error


def validate(file: Path | None) -> int:
    """Say whether the policy is right; 0, or 1 with the place of the mistake."""
    try:
        policy = load(file)
    except PolicyFileError as error:
        console(stderr=True).print(f"✗ {clean(str(error))}", markup=False)
        return 1
    console().print(
        f"規則に誤りはありません / the policy is valid: {policy.version} "
        f"({len(policy.rules)} rules, {policy.case_count()} cases)"
    )
    return 0


def test(file: Path | None) -> int:
    """Run every rule's own cases; 0, or 1 with a table of those that fail."""
    try:
        policy = load(file)
    except PolicyFileError as error:
        console(stderr=True).print(f"✗ {clean(str(error))}", markup=False)
        return 1
    failures = policy.test()
    table = Table("規則 / rule", "場所 / where", "結果 / result", title="規則の例 / policy cases")
    for failure in failures:
        table.add_row(failure.rule_id, clean(failure.where), failure.message)
    if failures:
        console().print(table)
    passed = policy.case_count() - len({failure.where for failure in failures})
    console().print(f"{passed} passed, {policy.case_count() - passed} failed")
    return 1 if failures else 0
