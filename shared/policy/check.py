"""What is wrong with a policy, with line and column: unknown keys, holes and contradictions."""

from __future__ import annotations

import json
import pkgutil
from functools import cache
from itertools import pairwise

import jsonschema
from jsonschema.exceptions import ValidationError, relevance

from shared.errors import PolicyError
from shared.model import Disposition
from shared.policy.tree import Node

CLASSES = ("1", "2", "3C", "3B", "3A")
_NEEDED = ("format", "classes", "places", "matrix", "rules")
_NEEDED_IN_RULE = ("title", "reason", "when")
_COUNTING = ("min_level", "min_count")


@cache
def _validator() -> jsonschema.Draft202012Validator:
    raw = pkgutil.get_data("shared.policy", "schema.json")
    assert raw is not None
    return jsonschema.Draft202012Validator(json.loads(raw))


def check_text(root: Node) -> None:
    """One text by itself, before merging: its keys, its values' shapes, each rule once."""
    errors = sorted(
        _validator().iter_errors(root.plain()), key=lambda each: list(map(str, each.path))
    )
    if errors:
        worst = _deepest(errors[0])
        root.at(list(worst.absolute_path)).fail(_say(worst, root))
    seen: set[str] = set()
    for rule in _rules(root):
        name = rule_id(rule)
        if name in seen:
            rule.at(["id"]).fail(f"the rule {name!r} is in this file twice")
        seen.add(name)


def _deepest(error: ValidationError) -> ValidationError:
    while error.context:
        error = max(error.context, key=relevance)
    return error


def _say(error: ValidationError, root: Node) -> str:
    """The schema's complaint in words; an unknown key is named at its own place."""
    node = root.at(list(error.absolute_path))
    if error.validator == "additionalProperties" and isinstance(error.schema, dict):
        known = sorted(error.schema.get("properties", {}))
        for key, inner in node.items():
            if key not in known:
                inner.fail(f"unknown key {key!r}; known here: {', '.join(known)}")
    if error.validator == "required":
        return f"missing: {error.message}"
    return error.message


def check_merged(root: Node) -> None:
    """The whole policy: nothing missing, nothing contradictory."""
    for key in _NEEDED:
        if root.get(key) is None:
            root.fail(f"missing: {key!r}")
    _check_matrix(root)
    places = {key for key, _ in root.at(["places"]).items()}
    conditions: dict[str, str] = {}
    for rule in _rules(root):
        _check_rule(rule, places)
        # Two rules that match the very same items: one of them says nothing, or contradicts.
        condition = json.dumps(rule.at(["when"]).plain(), sort_keys=True)
        if condition in conditions:
            other = conditions[condition]
            rule.at(["when"]).fail(
                f"the same conditions as in the rule {other!r}: keep one of them"
            )
        conditions[condition] = rule_id(rule)


def _check_matrix(root: Node) -> None:
    matrix, places = root.at(["matrix"]), dict(root.at(["places"]).items())
    for name in CLASSES:
        if root.at(["classes"]).get(name) is None:
            root.at(["classes"]).fail(f"missing: the class {name!r}")
        row = matrix.get(name)
        if row is None:
            matrix.fail(f"missing: the row of class {name!r}")
        for place, cell in row.items():
            if place not in places:
                cell.fail(f"the place {place!r} is not among the policy's places")
        for place, node in places.items():
            if row.get(place) is None:
                node.fail(f"missing: the cell of {place!r} in the matrix's row of class {name!r}")
    _check_order(matrix)


def _check_order(matrix: Node) -> None:
    for milder, stricter in pairwise(CLASSES):
        for place, cell in matrix.at([stricter]).items():
            if _rank(cell) < _rank(matrix.at([milder, place])):
                cell.fail(
                    f"in {place!r} class {stricter} is treated more mildly than class {milder}"
                )


def _rank(cell: Node) -> Disposition:
    return Disposition[str(cell.value).upper()]


def _check_rule(rule: Node, places: set[str]) -> None:
    name = rule_id(rule)
    for key in _NEEDED_IN_RULE:
        if rule.get(key) is None:
            rule.fail(f"missing: {key!r} of the rule {name!r}")
    outcomes = [key for key in ("class", "disposition") if rule.get(key) is not None]
    if len(outcomes) != 1:
        rule.at(outcomes[-1:]).fail(
            f"the rule {name!r} needs a class or a disposition, and only one of them"
            " (null takes the default's away)"
        )
    when = rule.at(["when"])
    for key in _COUNTING:
        if when.get(key) is not None and when.get("entities") is None:
            when.at([key]).fail(f"{key} counts findings: say of which entities")
    for place in when.at(["places"]).children():
        if place.value not in places:
            place.fail(f"the place {place.value!r} is not among the policy's places")
    _check_cases(rule, places)


def _check_cases(rule: Node, places: set[str]) -> None:
    for kind in ("hits", "misses"):
        tests = rule.get("tests")
        for case in tests.at([kind]).children() if tests and tests.get(kind) else ():
            place = case.get("place")
            if place is not None and place.value not in places:
                place.fail(f"the place {place.value!r} is not among the policy's places")


def _rules(root: Node) -> list[Node]:
    rules = root.get("rules")
    return list(rules.children()) if rules else []


def rule_id(rule: Node) -> str:
    """A rule's id; PolicyError if it has none (the schema asks for it)."""
    node = rule.get("id")
    if node is None or not isinstance(node.value, str):
        message = "a rule has no id"
        raise PolicyError(message)
    return node.value
