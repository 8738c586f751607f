"""Random policies and items: a naive evaluator agrees, and more is never milder."""

from __future__ import annotations

import json

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.model import Context, Disposition, Finding, Gap, GapCode, Level
from shared.policy import Policy, default_text
from shared.policy.tree import merge, parse

ENTITIES = ["my_number", "phone_number", "corporate_number"]
PLACES = ["own_mailbox", "landing", "onedrive_anonymous", "nowhere_known"]
SHARING = ["anonymous", "guest"]
DOMAINS = ["example.jp", "a.example.jp", "other.test", ""]
CODES = ["encrypted", "bomb", "partial"]
LEVELS = ["low", "medium", "high"]
RANKS = ["allow", "tag", "review", "block"]
DEFAULT = yaml.safe_load(default_text())
DEFAULT_RULES = [rule["id"] for rule in DEFAULT["rules"]]
CLASSES = ["1", "2", "3C", "3B", "3A"]


def some(values):
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)


WHEN = st.fixed_dictionaries(
    {"entities": some([*ENTITIES, "any"])},
    optional={
        "min_level": st.sampled_from(LEVELS),
        "min_count": st.integers(1, 3),
        "gaps": some([*CODES, "any"]),
        "places": some(PLACES[:3]),
        "sources": some(["mail", "gate"]),
        "sharing": some(SHARING),
        "sender_domains": some(DOMAINS[:3]),
        "recipient_domains": some(DOMAINS[:3]),
    },
) | st.fixed_dictionaries(
    {}, optional={"gaps": some([*CODES, "any"]), "sharing": some(SHARING)}
).filter(bool)
OUTCOME = st.one_of(
    st.fixed_dictionaries({"class": st.sampled_from(CLASSES)}),
    st.fixed_dictionaries({"disposition": st.sampled_from(RANKS[1:])}),
)
MODES = st.sampled_from(["off", "simulate", "notify", "enforce", "enforce", "enforce"])


@st.composite
def sites(draw):
    """A site file of up to four rules of its own, no two with the same conditions."""
    whens = draw(
        st.lists(WHEN, max_size=4, unique_by=lambda each: json.dumps(each, sort_keys=True))
    )
    rules = []
    for index, when in enumerate(whens):
        if when in [rule["when"] for rule in DEFAULT["rules"]]:
            continue
        words = {"ja": "あ", "en": "a"}
        body = {"id": f"site-{index}", "title": words, "reason": words, "when": when}
        rules.append(body | draw(OUTCOME) | {"mode": draw(MODES)})
    modes = draw(st.dictionaries(st.sampled_from(DEFAULT_RULES), MODES))
    rules.extend({"id": name, "mode": mode} for name, mode in modes.items())
    return {"rules": rules}


FINDINGS = st.lists(
    st.builds(
        lambda entity, level, number: Finding(entity, "x", 0, 1, 0.5, level, "*", f"k:{number}"),
        st.sampled_from(ENTITIES),
        st.sampled_from(list(Level)),
        st.integers(1, 3),
    ),
    max_size=5,
)
GAPS = st.lists(
    st.builds(Gap, st.sampled_from([GapCode(code) for code in CODES]), st.just("x")), max_size=2
)
CONTEXTS = st.builds(
    Context,
    st.sampled_from(["mail", "gate"]),
    st.sampled_from(PLACES),
    sender_domain=st.sampled_from(DOMAINS),
    recipient_domains=st.lists(st.sampled_from(DOMAINS), max_size=2).map(tuple),
    sharing=st.lists(st.sampled_from(SHARING), max_size=2).map(tuple),
)


def naive(plain, matrix, context, findings, gaps):
    """The policy again, from its words: no shared code, no early end."""
    answers = ["tag"] if gaps else ["allow"]
    for rule in plain:
        if rule.get("mode", "enforce") == "enforce" and naive_match(
            rule["when"], context, findings, gaps
        ):
            if rule.get("disposition"):
                answers.append(rule["disposition"])
            else:
                row = matrix[rule["class"]]
                answers.append(row.get(context.place, max(row.values(), key=RANKS.index)))
    return max(answers, key=RANKS.index)


def under(domain, parents):
    return any(domain == parent or domain.endswith("." + parent) for parent in parents)


def naive_count(when, findings):
    floor = LEVELS.index(when.get("min_level", "low")) + 1
    values = set()
    for each in findings:
        if (each.entity in when["entities"] or "any" in when["entities"]) and each.level >= floor:
            values.add(each.fingerprint)
    return len(values) >= when.get("min_count", 1)


def naive_match(when, context, findings, gaps):
    domain, to = context.sender_domain, context.recipient_domains
    checks = {
        "entities": lambda _: naive_count(when, findings),
        "gaps": lambda wanted: any(gap.code in wanted or "any" in wanted for gap in gaps),
        "places": lambda wanted: context.place in wanted,
        "sources": lambda wanted: context.source in wanted,
        "sharing": lambda wanted: any(grant in wanted for grant in context.sharing),
        "sender_domains": lambda wanted: under(domain, wanted),
        "recipient_domains": lambda wanted: any(under(each, wanted) for each in to),
    }
    return all(checks[key](wanted) for key, wanted in when.items() if key in checks)


def merged_rules(base, over):
    by_id = {rule["id"]: dict(rule) for rule in base}
    for rule in over:
        by_id[rule["id"]] = by_id.get(rule["id"], {}) | rule
    return list(by_id.values())


@settings(max_examples=200, deadline=None)
@given(sites(), st.lists(st.tuples(CONTEXTS, FINDINGS, GAPS), min_size=3, max_size=8))
def test_decide_agrees_with_a_naive_evaluator_and_more_is_never_milder(site, items):
    policy = Policy.load([default_text(), json.dumps(site)])
    rules = merged_rules(DEFAULT["rules"], site["rules"])
    _, more_findings, more_gaps = items[0]
    for context, findings, gaps in items:
        said = policy.decide(context, findings, gaps)
        assert said.disposition.name.lower() == naive(
            rules, DEFAULT["matrix"], context, findings, gaps
        )
        assert said.would_be >= said.disposition
        assert not gaps or said.disposition > Disposition.ALLOW
        richer = policy.decide(context, [*findings, *more_findings], [*gaps, *more_gaps])
        assert richer.disposition >= said.disposition
        assert richer.would_be >= said.would_be


PIECES = st.lists(
    st.tuples(
        st.sampled_from(["my-number-high", "personal", "unread"]),
        st.fixed_dictionaries(
            {},
            optional={
                "mode": MODES,
                "obligations": st.just(["incident"]),
                "cohorts": st.dictionaries(st.sampled_from(["pilot", "wave"]), MODES, max_size=2),
            },
        ),
    ),
    max_size=3,
    unique_by=lambda pair: pair[0],
).map(lambda pairs: json.dumps({"rules": [{"id": name, **body} for name, body in pairs]}))


@settings(max_examples=60, deadline=None)
@given(PIECES, PIECES)
def test_merge_is_associative_with_the_defaults(one, two):
    default, first, second = parse(default_text(), "d"), parse(one, "1"), parse(two, "2")
    left = merge(merge(default, first), second)
    right = merge(default, merge(first, second))
    assert left.plain() == right.plain()
