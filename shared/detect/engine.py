"""The engine: segments in, masked and explained findings out."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING

from shared.detect.masks import FingerprintKey, mask
from shared.detect.parts import Parts, compiled
from shared.detect.rulebook import Reason, Rule, Rulebook
from shared.detect.scene import Draft, Scene
from shared.detect.skeleton import skeleton
from shared.detect.tables import Tables
from shared.detect.vector import VectorMatcher
from shared.detect.words import WordIndex
from shared.model import Evidence, Finding, Level, Segment

if TYPE_CHECKING:
    from shared.detect.forms import Forms
    from shared.detect.register import Register

MOST_FINDINGS = 5_000
_MOST_WORDED = 5_000

type _Said = tuple[tuple[Reason, ...], float, int, tuple[Evidence, ...]]
"""(reasons, confidence, characters that the mask shows, evidence); by the id of the reasons,
which stays theirs as long as they are kept here."""
NAMES = ("件名", "名前", "subject", "name")
"""The last part of the location of segments that hold an item's subject or a name."""

ENVELOPE = ("差出人", "宛先", "CC", "BCC", "返信先")
"""Segments of a mail's own addresses: those are how mail works, not what it says."""


class Engine:
    """Finds what the rules name. Thread-safe; compiled with the first scan.

    Args:
        key: for the fingerprints; its id is part of them.
        site_rules: YAML texts laid over the rules of the package (see ``rulebook.load``).
        show: the most characters that a mask leaves (a rule or a policy may leave fewer).
        plain: use the ``re`` matcher even where Vectorscan is there (same findings, slower).
        names: look for people's names in running text near other evidence, with SudachiPy (loads
            a dictionary of 200 MB with the first such text).
        edm: registers of people (``sekisho edm build``) to look values up in.
        forms: registered documents (``sekisho fingerprint add``).
        most: findings kept for one entity of one item; above it, one more finding counts the rest.
    """

    def __init__(
        self,
        key: FingerprintKey,
        *,
        site_rules: Iterable[str] = (),
        show: int = 4,
        plain: bool = False,
        names: bool = False,
        edm: Sequence[Register] = (),
        forms: Forms | None = None,
        most: int = MOST_FINDINGS,
    ) -> None:
        self._key = key
        self._fingerprint = key.fingerprinter()
        self._site_rules = tuple(site_rules)
        self._show = show
        self._plain = plain
        self._names = names
        self._edm = tuple(edm)
        self._forms = forms
        self._most = most
        self._said: dict[int, _Said] = {}
        self._lock = threading.Lock()
        self._parts: Parts | None = None

    def __repr__(self) -> str:
        return f"Engine(key={self._key.id!r})"

    @property
    def book(self) -> Rulebook:
        """The rules in force, with their words."""
        return self._compiled().book

    @property
    def rules(self) -> Mapping[str, Rule]:
        """The rules in force, by entity."""
        return self.book.rules

    @property
    def accelerated(self) -> bool:
        """Whether Vectorscan is in use."""
        return isinstance(self._compiled().matcher, VectorMatcher)

    def scan(self, segments: Sequence[Segment]) -> tuple[Finding, ...]:
        """All findings of one item, by segment and position.

        Above ``most`` findings of one entity a last finding of it (evidence ``more``) says how
        many more there are, at the highest level among them: nothing is dropped in silence.
        """
        parts = self._compiled()
        subject = _Subject(parts, segments)
        findings: list[Finding] = []
        kept: dict[str, int] = {}
        rest: dict[str, tuple[int, Segment, Draft]] = {}
        for segment, drafts in self._examined(parts, segments, subject):
            for draft in drafts:
                kept[draft.entity] = so_far = kept.get(draft.entity, 0) + 1
                if so_far <= self._most:
                    findings.append(self._finding(parts, segment, draft))
                else:
                    count, where, top = rest.get(draft.entity, (0, segment, draft))
                    if (draft.level or 0) > (top.level or 0):
                        where, top = segment, draft
                    rest[draft.entity] = (count + 1, where, top)
        findings += [self._more(parts, count, where, top) for count, where, top in rest.values()]
        return tuple(findings)

    def _examined(
        self, parts: Parts, segments: Sequence[Segment], subject: _Subject
    ) -> Iterator[tuple[Segment, list[Draft]]]:
        """The drafts of each segment, and then those of whole items (registered documents)."""
        rules = parts.book.rules
        for segment in segments:
            drafts = _examine(parts, segment, subject)
            if self._edm:
                from shared.detect import registered  # noqa: PLC0415 - only where there is a register

                rule = rules[registered.ENTITY]
                text = segment.text
                found = registered.drafts(self._edm, rule, text, skeleton(text))
                drafts = sorted(
                    [*drafts, *(draft for draft in found if draft.level)],
                    key=lambda draft: draft.candidate.start,
                )
            yield segment, drafts
        if self._forms:
            rule = rules["registered_document"]
            for segment, draft in self._forms.drafts(rule, segments):
                yield segment, [draft]

    def drafts(self, text: str, *, table: bool = False, everything: bool = False) -> list[Draft]:
        """The judged candidates of a text, for ``explain`` and for tests. They hold values.

        With ``everything`` also those that reach no level, and those that lost to a rival.
        """
        parts = self._compiled()
        segment = Segment("", text, table=table)
        if not everything:
            return _examine(parts, segment, _Subject(parts, ()))
        scene = _scene(parts, segment, _Subject(parts, ()))
        if scene is None:
            return []
        return [d for recognizer in parts.concerned(scene) for d in recognizer.everything(scene)]

    def _compiled(self) -> Parts:
        if self._parts is None:
            with self._lock:
                if self._parts is None:
                    self._parts = compiled(self._site_rules, plain=self._plain, names=self._names)
        return self._parts

    def _finding(self, parts: Parts, segment: Segment, draft: Draft) -> Finding:
        said = self._said.get(id(draft.reasons))
        if said is None or said[0] is not draft.reasons:
            said = self._say(parts, draft)
        _, sure, show, evidence = said
        candidate = draft.candidate
        return Finding(
            draft.entity,
            segment.where(candidate.start) if segment.marks else segment.location,
            candidate.start,
            candidate.end,
            sure,
            draft.level or Level.LOW,
            mask(candidate.value.decode(), show),
            self._fingerprint(draft.entity, candidate.value),
            evidence,
        )

    def _say(self, parts: Parts, draft: Draft) -> _Said:
        """What follows from the reasons alone: kept, as many drafts share one tuple of them."""
        rule = parts.book.rules[draft.entity]
        evidence = tuple([worded(parts.book, reason) for reason in draft.reasons])
        said = draft.reasons, confidence(rule, draft.score), min(self._show, rule.show), evidence
        if draft.reasons:
            if len(self._said) >= _MOST_WORDED:
                self._said.clear()
            self._said[id(draft.reasons)] = said
        return said

    def _more(self, parts: Parts, count: int, segment: Segment, draft: Draft) -> Finding:
        rule = parts.book.rules[draft.entity]
        return Finding(
            entity=draft.entity,
            location=segment.where(draft.candidate.start),
            start=draft.candidate.start,
            end=draft.candidate.end,
            confidence=confidence(rule, draft.score),
            level=draft.level or Level.LOW,
            masked=f"+{count}",
            fingerprint=self._fingerprint(draft.entity, b"more"),
            evidence=(worded(parts.book, Reason("more", 0.0, n=count)),),
        )


def confidence(rule: Rule, score: float) -> float:
    """0…1, the logistic function of the score (its midpoint and scale are data)."""
    return round(1 / (1 + math.exp(-(score - rule.midpoint) / rule.scale)), 3)


def worded(book: Rulebook, reason: Reason) -> Evidence:
    """A reason in words, from our own dictionaries only."""
    evidence = book.worded.get(reason)
    if evidence is None:
        words = book.evidence[reason.code]
        evidence = Evidence(
            reason.code,
            reason.weight,
            words["ja"].format(word=reason.word, n=reason.n),
            words["en"].format(word=reason.word, n=reason.n),
        )
        if len(book.worded) < _MOST_WORDED:
            book.worded[reason] = evidence
    return evidence


class _Subject:
    """The words in the item's subject and names, which count a little for all of it."""

    def __init__(self, parts: Parts, segments: Sequence[Segment]) -> None:
        self._parts = parts
        self._segments = segments
        self._found: frozenset[int] | None = None

    def words(self) -> frozenset[int]:
        """Their indices in the vocabulary; looked for once, when something was found."""
        if self._found is None:
            found: set[int] = set()
            for segment in self._segments:
                if segment.location.endswith(NAMES):
                    text = segment.text[:1000]
                    vocabulary = self._parts.book.vocabulary
                    index = WordIndex(self._parts.matcher, vocabulary, text, skeleton(text))
                    found.update(word for _, _, word in index.between(0, len(text)))
            self._found = frozenset(found)
        return self._found


def _scene(parts: Parts, segment: Segment, subject: _Subject) -> Scene | None:
    text = segment.text
    classes = skeleton(text)
    hits = parts.matcher.shapes(classes)
    triggers = parts.triggers.find(text, classes)
    if not hits and not triggers:
        return None
    words = WordIndex(parts.matcher, parts.book.vocabulary, text, classes)
    return Scene(text, classes, hits, words, Tables(text), triggers, subject.words)


def _examine(parts: Parts, segment: Segment, subject: _Subject) -> list[Draft]:
    scene = _scene(parts, segment, subject)
    if scene is None:
        return []
    skipped = "email_address" if segment.location.endswith(ENVELOPE) else ""
    drafts = resolve(
        [d for each in parts.concerned(scene) if each.entity != skipped for d in each.drafts(scene)]
    )
    if drafts and (joined := [d for each in parts.joining for d in each.join(scene, drafts)]):
        drafts = sorted(drafts + joined, key=lambda draft: draft.candidate.start)
    return drafts


def resolve(drafts: list[Draft]) -> list[Draft]:
    """Of overlapping drafts the best-scored; a My Number of medium or more always stays."""
    if len(drafts) <= 1:
        return drafts
    drafts.sort(key=attrgetter("candidate.start"))
    kept: list[Draft] = []
    reached = 0
    for draft in drafts:
        candidate = draft.candidate
        if candidate.start >= reached:
            reached = candidate.end
            kept.append(draft)
            continue
        reached = max(reached, candidate.end)
        first = len(kept)
        while first and kept[first - 1].candidate.end > draft.candidate.start:
            first -= 1
        rivals = kept[first:]
        if rivals and not _stays(draft) and any(rival.score >= draft.score for rival in rivals):
            continue
        kept[first:] = [r for r in rivals if _stays(r) or r.score >= draft.score]
        kept.append(draft)
    return kept


def _stays(draft: Draft) -> bool:
    return draft.entity == "my_number" and (draft.level or Level.LOW) >= Level.MEDIUM
