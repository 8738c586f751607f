"""Rules from YAML: weights, words and thresholds are data; a site overrides single lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

from shared.detect.matcher import Vocabulary
from shared.errors import PolicyError
from shared.model import Evidence

PACKAGE: Final = "shared.detect.rules"
NEAR, AGAINST, PERSON = "near", "against", "person"

type Steps = tuple[tuple[int, float], ...]
"""(characters, log-odds), ascending: the weight of a word by its distance."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is data about one entity.

    ``labels`` are the entity's own names; ``levels`` the least scores of low, medium and high;
    ``roles`` what each word of the vocabulary says for this entity (``near``, ``against``,
    ``person`` or nothing); ``show`` how many characters a mask may leave; ``gazetteer`` names that
    announce a value as labels do, but say nothing about other numbers.
    """

    entity: str
    ja: str
    en: str
    source: str
    check: str
    labels: tuple[str, ...]
    spaced: tuple[str, ...]
    levels: tuple[float, float, float]
    near: Steps
    against: Steps
    weights: Mapping[str, float]
    midpoint: float
    scale: float
    show: int
    needs_label: bool
    pattern: Mapping[str, Any] = field(default_factory=dict)
    hits: tuple[str, ...] = field(default=(), repr=False)
    misses: tuple[str, ...] = field(default=(), repr=False)
    friends: tuple[str, ...] = ()
    speaks: str = AGAINST
    gazetteer: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Reason:
    """An evidence before it is put into words; ``word`` is from our own lists."""

    code: str
    weight: float
    word: str = ""
    n: int = 0


@dataclass(frozen=True)
class Rulebook:
    """All rules of an engine, its vocabulary, and the role of each word for each entity.

    ``factors`` says of each word how much of its weight counts (a group's ``factor``).
    """

    rules: Mapping[str, Rule]
    vocabulary: Vocabulary
    roles: Mapping[str, tuple[str, ...]]
    factors: tuple[float, ...]
    evidence: Mapping[str, Mapping[str, str]]
    worded: dict[Reason, Evidence] = field(default_factory=dict, repr=False)

    def labels_of(self, entities: Iterable[str]) -> tuple[Vocabulary, list[tuple[str, ...]]]:
        """The labels of these entities, and for each of them whose it is."""
        owners: dict[str, list[str]] = {}
        for entity in entities:
            rule = self.rules[entity]
            for label in (*rule.labels, *rule.gazetteer):
                owners.setdefault(_fold(label), []).append(entity)
        vocabulary = Vocabulary(sorted(owners))
        return vocabulary, [tuple(owners[word]) for word in vocabulary.words]


def _yaml(text: str, where: str) -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        value = yaml.load(text, Loader=loader)  # noqa: S506 - both are safe loaders # nosec B506
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        message = f"{where}{line}: not YAML"
        raise PolicyError(message) from None
    if not isinstance(value, dict):
        message = f"{where}: a mapping is expected"
        raise PolicyError(message)
    return value


@cache
def _package_data() -> dict[str, dict[str, Any]]:
    return {
        entry.name.removesuffix(".yaml"): _yaml(entry.read_text("utf-8"), entry.name)
        for entry in sorted(files(PACKAGE).iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".yaml")
    }


def load(site_rules: Iterable[str] = ()) -> Rulebook:
    """The package's rules with a site's YAML texts laid over them; PolicyError says where.

    A site's text is ``entity: …`` with the lines that it changes, or a new entity (with
    ``pattern``), or ``words: {group: {speaks, words}}``.
    """
    data = _package_data()
    words = {name: dict(group) for name, group in data["_words"].items()}
    entries = {
        value["entity"]: dict(value) for name, value in data.items() if not name.startswith("_")
    }
    for number, text in enumerate(site_rules, 1):
        where = f"site rule {number}"
        site = _yaml(text, where)
        words.update(site.pop("words", {}))
        if "entity" in site:
            _lay_over(entries.setdefault(site["entity"], {}), site)
        elif site:
            message = f"{where}: name the entity"
            raise PolicyError(message)
    defaults = data["_scoring"]
    rules = {entity: _rule(entity, entry, defaults) for entity, entry in entries.items()}
    return _book(rules, words, data["_evidence"])


def _lay_over(entry: dict[str, Any], site: Mapping[str, Any]) -> None:
    for key, value in site.items():
        if isinstance(value, dict):
            entry[key] = {**entry.get(key, {}), **value}
        else:
            entry[key] = value


def _rule(entity: str, entry: Mapping[str, Any], defaults: Mapping[str, Any]) -> Rule:
    levels = {**defaults["levels"], **entry.get("levels", {})}
    confidence = {**defaults["confidence"], **entry.get("confidence", {})}
    try:
        return Rule(
            entity=entity,
            ja=str(entry["ja"]),
            en=str(entry["en"]),
            source=str(entry["source"]),
            check=str(entry.get("check", "")),
            labels=tuple(map(str, entry.get("labels", ()))),
            spaced=tuple(map(str, entry.get("spaced", ()))),
            levels=(float(levels["low"]), float(levels["medium"]), float(levels["high"])),
            near=_steps(entry.get("near", defaults["near"])),
            against=_steps(entry.get("against", defaults["against"])),
            weights={**defaults["weights"], **entry.get("weights", {})},
            midpoint=float(confidence["midpoint"]),
            scale=float(confidence["scale"]),
            show=int(entry.get("show", 4)),
            needs_label=bool(entry.get("needs_label", False)),
            pattern=dict(entry.get("pattern", {})),
            hits=tuple(entry.get("hits", ())),
            misses=tuple(entry.get("misses", ())),
            friends=tuple(entry.get("friends", ())),
            speaks=str(entry.get("speaks", AGAINST)),
            gazetteer=_names(str(entry.get("gazetteer", ""))),
        )
    except (KeyError, TypeError, ValueError) as error:
        message = f"rule {entity}: {type(error).__name__}: {error}"
        raise PolicyError(message) from None


@cache
def _names(file: str) -> tuple[str, ...]:
    """The names of a list that comes with the package (words between spaces, ``#`` comments)."""
    if not file:
        return ()
    if not re.fullmatch(r"[a-z_]+\.txt", file) or not (entry := files(PACKAGE) / file).is_file():
        message = "no such list of names"
        raise ValueError(message)
    lines = entry.read_text("utf-8").splitlines()
    return tuple(dict.fromkeys(" ".join(line for line in lines if line[:1] != "#").split()))


def _steps(pairs: Iterable[Iterable[float]]) -> Steps:
    return tuple(sorted((int(distance), float(weight)) for distance, weight in pairs))


def _book(
    rules: Mapping[str, Rule],
    words: Mapping[str, Mapping[str, Any]],
    evidence: Mapping[str, Mapping[str, str]],
) -> Rulebook:
    groups: dict[str, set[str]] = {}
    for name, group in words.items():
        for word in group["words"]:
            groups.setdefault(_fold(word), set()).add(name)
    for rule in rules.values():
        for word in rule.labels:
            groups.setdefault(_fold(word), set()).add(rule.entity)
    vocabulary = Vocabulary(sorted(groups))
    speaks = {name: str(group.get("speaks", AGAINST)) for name, group in words.items()}
    speaks.update((rule.entity, rule.speaks) for rule in rules.values())
    belongs = [frozenset(groups[word]) for word in vocabulary.words]
    kinds = set(belongs)
    roles = {}
    for entity, rule in rules.items():
        said = {kind: _role(rule, kind, speaks) for kind in kinds}
        roles[entity] = tuple([said[kind] for kind in belongs])
    factor = {name: float(group.get("factor", 1.0)) for name, group in words.items()}
    factors = tuple(
        max(factor.get(group, 1.0) for group in groups[word]) for word in vocabulary.words
    )
    return Rulebook(rules, vocabulary, roles, factors, evidence)


def _fold(word: str) -> str:
    return word.lower() if word.isascii() else word


def _role(rule: Rule, groups: frozenset[str], speaks: Mapping[str, str]) -> str:
    """What a word of these groups says for the rule's entity."""
    if rule.entity in groups:
        return NEAR
    others = groups.difference(rule.friends)
    if not others:
        return ""
    said = {speaks.get(group, AGAINST) for group in others}
    for role in (PERSON, AGAINST):
        if role in said:
            return role
    return ""
