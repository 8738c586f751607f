"""The moving parts of an engine, put together once: rules, recognizers, matchers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.detect.labelled import Triggers
from shared.detect.matcher import Matcher, PlainMatcher, Vocabulary
from shared.detect.recognizer import Recognizer
from shared.detect.recognizers import ALL
from shared.detect.recognizers.person_name import PersonName
from shared.detect.recognizers.sensitive_information import SensitiveInformation
from shared.detect.rule_recognizer import RuleRecognizer
from shared.detect.rulebook import Rulebook, load
from shared.detect.scene import Scene
from shared.detect.shapes import Shape
from shared.detect.vector import VectorMatcher

_MOST_KNOWN = 1_000


@dataclass(frozen=True, slots=True)
class Parts:
    """What one engine holds; read-only, shared by threads."""

    book: Rulebook
    recognizers: tuple[Recognizer, ...]
    matcher: Matcher
    triggers: Triggers
    by_shape: Mapping[str, tuple[int, ...]]
    by_label: Mapping[str, int]
    joining: tuple[SensitiveInformation | PersonName, ...]
    known: dict[tuple[str, ...], list[Recognizer]] = field(default_factory=dict)

    def concerned(self, scene: Scene) -> list[Recognizer]:
        """The recognizers that have a shape among the hits, in their order."""
        key = (*scene.hits, "", *scene.triggers)
        known = self.known.get(key)
        if known is None:
            indices = {index for name in scene.hits for index in self.by_shape[name]}
            indices.update(self.by_label[entity] for entity in scene.triggers)
            known = [self.recognizers[index] for index in sorted(indices)]
            if len(self.known) < _MOST_KNOWN:
                self.known[key] = known
        return known


def compiled(site_rules: Iterable[str], *, plain: bool, names: bool) -> Parts:
    """Rules to recognizers and matchers. PolicyError where a site's rule is wrong."""
    book = load(site_rules)
    recognizers = (
        *(kind(book.rules[kind.entity], book) for kind in ALL),
        *(RuleRecognizer(rule, book) for rule in book.rules.values() if rule.pattern),
    )
    shapes: dict[str, Shape] = {}
    by_shape: dict[str, tuple[int, ...]] = {}
    by_label: dict[str, int] = {}
    for index, recognizer in enumerate(recognizers):
        for shape in recognizer.shapes:
            shapes[shape.name] = shape
            by_shape[shape.name] = (*by_shape.get(shape.name, ()), index)
        if recognizer.labelled:
            by_label[recognizer.entity] = index
    matcher = _matcher(tuple(shapes.values()), book.vocabulary, plain=plain)
    vocabulary, owners = book.labels_of(by_label)
    triggers = Triggers(_matcher((), vocabulary, plain=plain), vocabulary, owners)
    joining: list[SensitiveInformation | PersonName] = []
    if names:
        joining.append(PersonName(book.rules[PersonName.entity], book))
    joining += [r for r in recognizers if isinstance(r, SensitiveInformation)]
    return Parts(book, recognizers, matcher, triggers, by_shape, by_label, tuple(joining))


def _matcher(shapes: Sequence[Shape], vocabulary: Vocabulary, *, plain: bool) -> Matcher:
    if not plain:
        try:
            return VectorMatcher(shapes, vocabulary)
        except Exception:  # noqa: BLE001, S110 - no wheel, another CPU, a failed compile: all mean the same
            pass
    return PlainMatcher(shapes, vocabulary)
