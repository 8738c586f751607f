"""One trace from event to audit; nothing in it that an item could have said."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import UnavailableError
from shared.model import (
    Claim,
    Content,
    Context,
    Decision,
    Disposition,
    Extraction,
    Gap,
    GapCode,
    Intent,
    Item,
    Mode,
    Outcome,
    OutcomeState,
)
from shared.model import Envelope as Message
from shared.ports import App
from shared.telemetry import Target, born, configure, message, observe, stage
from shared.telemetry.attributes import KEYS, clean

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
TRACE = "0af7651916cd43dd8448eb211c80319c"
SECRET = "山田太郎"


@pytest.fixture
def written(tmp_path):
    """The lines of a file that this process's telemetry goes to."""
    path = tmp_path / "telemetry.jsonl"
    configure(Target(file=str(path), role="scan"))
    yield lambda: [json.loads(line) for line in path.read_text().splitlines()]
    configure(Target())


def spans(lines):
    return {each["name"]: each for each in lines if "span" in each}


def envelope(trace=TRACE):
    return Message("item", first_seen=NOW - timedelta(seconds=3), trace=trace)


def test_stages_of_two_processes_join_in_one_trace(written):
    born(TRACE, "notification")
    with message("graph-hints", envelope(), NOW):
        pass
    with message("scan-items", envelope(), NOW), stage("extract", "mail"):
        pass
    found = spans(written())
    assert {each["trace"] for each in found.values()} == {TRACE}
    root = found["notification"]
    assert root["parent"] == ""
    assert root["span"] == TRACE[16:]
    assert found["graph-hints"]["parent"] == found["scan-items"]["parent"] == root["span"]
    assert found["extract"]["parent"] == found["scan-items"]["span"]


@pytest.mark.parametrize(
    "trace", ["", "t1", "0" * 32, "0AF7" * 8, "g" * 32, f"{'1' * 16}{'0' * 16}"]
)
def test_what_is_no_trace_id_begins_a_trace_of_its_own(trace, written):
    born(trace, "notification")
    with message("scan-items", envelope(trace), NOW):
        pass
    assert list(spans(written())) == ["scan-items"]


def test_an_error_is_its_class_and_never_its_words(written):
    def work(error):
        with message("scan-items", envelope(), NOW), stage("fetch", "mail"):
            raise error

    for error in (UnavailableError(SECRET), RuntimeError(SECRET)):
        with pytest.raises(type(error)):
            work(error)
    lines = [each for each in written() if "span" in each]
    assert SECRET not in json.dumps(lines, ensure_ascii=False)
    assert {each["status"] for each in lines} == {"ERROR"}
    assert {each["attributes"]["error"] for each in lines} == {
        "UnavailableError",
        "unforeseen.RuntimeError",
    }


@given(st.text())
def test_a_value_is_one_of_our_words_or_other(value):
    [found] = clean({"source": value}).values()
    assert found == "other" or (found == value and value.isascii() and " " not in value)


@pytest.mark.parametrize(
    "value", [SECRET, "1234 5678 9018", "123456789018", "a" * 49, "名簿.xlsx", ""]
)
def test_a_value_that_could_be_somebodys_is_not_quoted(value):
    assert clean({"source": value}) == {"source": "other"}


def test_a_number_of_somebody_is_no_count():
    assert clean({"attempt": 123456789018}) == {"attempt": "other"}


def test_a_key_that_nobody_allowed_is_an_error():
    assert "name" not in KEYS
    with pytest.raises(ValueError, match="name"):
        clean({"name": "x"})


def test_without_a_target_nothing_is_made(tmp_path):
    configure(Target())
    born(TRACE, "notification")
    with message("scan-items", envelope(), NOW), stage("fetch", "mail"):
        pass
    assert list(tmp_path.iterdir()) == []


class Recorded:
    """A service, and results, that say what they were asked."""

    async def fetch(self, item):
        del item

    async def apply(self, claim):
        del claim
        return Outcome("tag", OutcomeState.APPLIED)

    def recognises(self, claim, fetched, content_digest):
        del claim, fetched, content_digest
        return False

    async def put(self, claim, outcome):
        del claim, outcome


async def test_an_observed_app_counts_dispositions_gaps_and_age(written, tmp_path):
    decision = Decision(
        Disposition.REVIEW, Disposition.BLOCK, Mode.ENFORCE, "p1", gaps=(Gap(GapCode.BOMB, SECRET),)
    )
    item = Item("mail", "AAMk1", SECRET, "v1")
    claim = Claim(item, "k", "w", 1, "e", NOW - timedelta(seconds=2))
    claim = replace(claim, intent=Intent(decision, Context("mail", "own_mailbox"), "d", "e"))

    async def extract(content):
        del content
        return Extraction(())

    recorded = Recorded()
    app = observe(
        App(
            clock=lambda: NOW,
            ledger=None,
            services={"mail": recorded},
            extract=extract,
            detect=lambda *_: (),
            decide=lambda *_: decision,
            digest=lambda _: "d",
            results=recorded,
            policy_version="p1",
        )
    )
    with message("scan-items", envelope(), NOW):
        await app.services["mail"].fetch(item)
        await app.extract(Content(b"", SECRET))
        app.detect(())
        assert app.decide(Context("mail", "own_mailbox"), (), ()) is decision
        outcome = await app.services["mail"].apply(claim)
        await app.results.put(claim, outcome)
    await_metrics(tmp_path / "telemetry.jsonl")
    lines = written()
    assert list(spans(lines)) == [
        "fetch",
        "extract",
        "detect",
        "decide",
        "apply",
        "report",
        "scan-items",
    ]
    labels = {each["metric"]: each["labels"] for each in lines if "metric" in each}
    assert labels["sekisho.items"] == {
        "source": "mail",
        "state": "applied",
        "disposition": "review",
        "would_be": "block",
        "mode": "enforce",
    }
    assert labels["sekisho.gaps"] == {"source": "mail", "gap": "bomb"}
    assert labels["sekisho.messages"] == {"queue": "scan-items", "end": "done"}
    ages = [each for each in lines if each.get("metric") == "sekisho.item.age"]
    assert ages[-1]["value"] == 2
    assert SECRET not in json.dumps(lines, ensure_ascii=False)


def await_metrics(path):
    """The reader exports once a second."""
    import time  # noqa: PLC0415 - only here

    end = time.monotonic() + 10
    while "sekisho.item.age" not in path.read_text():
        assert time.monotonic() < end, "no metrics within 10 s"
        time.sleep(0.05)
