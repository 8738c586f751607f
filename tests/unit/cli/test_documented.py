"""Every command, option and policy key is in the reference."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from shared.cli.commands import sekisho
from shared.policy import Policy, default_text, schema_text

REFERENCE = Path(__file__).resolve().parents[3] / "docs" / "reference"
COMMANDS = (REFERENCE / "command.md").read_text(encoding="utf-8")
POLICY = (REFERENCE / "policy.md").read_text(encoding="utf-8")


def leaves(command, path):
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from leaves(inner, [*path, name])
    else:
        yield " ".join(path), command


@pytest.mark.parametrize(("name", "command"), list(leaves(sekisho, ["sekisho"])))
def test_command_and_its_options_are_documented(name, command):
    section = COMMANDS.split(f"## `{name}", 1)[1].split("\n## ", 1)[0]
    options = [opt for param in command.params for opt in param.opts if opt.startswith("--")]
    assert [each for each in options if each not in section] == []


def keys(schema):
    found = set(schema.get("properties", {}))
    for inner in [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]:
        found |= keys(inner)
    return found | (keys(schema["items"]) if isinstance(schema.get("items"), dict) else set())


def test_policy_keys_are_documented():
    missing = [key for key in sorted(keys(json.loads(schema_text()))) if f"`{key}`" not in POLICY]
    assert missing == []


def test_policy_example_of_the_reference_is_right():
    example = POLICY.split("```yaml\n", 1)[1].split("```", 1)[0]
    policy = Policy.load([default_text(), example])
    assert policy.test() == ()
    assert "many-phones" in [rule.id for rule in policy.rules]
