"""The demo's judgement: it must fail when something is not as expected, and show masks alone."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest
from rich.console import Console

from local.demo import report
from local.demo.readback import State
from local.demo.report import Result
from local.demo.watch import Line, latest
from local.demo.world import Sent
from local.samples import expectations, numbers, samples
from shared.audit.chain import Tip, append


def line(disposition="block", *, seq=1, item="m1", entities=("my_number",), gaps=()):
    findings = [
        {"entity": e, "location": "本文", "level": 3, "confidence": 0.9, "masked": "1234********"}
        for e in entities
    ]
    return Line(
        seq,
        {
            "id": f"event-{seq}",
            "time": "2026-11-24T00:00:05Z",
            "item": {"source": "mail", "id": item},
            "disposition": disposition,
            "findings": findings,
            "gaps": [{"code": each, "location": ""} for each in gaps],
            "evidence_ref": "",
        },
    )


def result(name="mail-jis", found=None, state="removed"):
    sample = next(each for each in samples() if each.name == name)
    at = datetime(2026, 11, 24, 0, 0, 2, tzinfo=UTC).timestamp()  # three seconds before the line
    sent = Sent(sample, "m1", "u1", "", at)
    made = State(state, "404")
    return Result(sent, expectations()[name], found or line(), made)


def test_result_as_expected_has_no_problems():
    assert result().problems == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (result(found=line("allow")), "allow, not block"),
        (result(found=line("review")), "review, not block"),
        (result(state="lost"), "lost, not removed"),
        (result(found=line(entities=("phone_number",))), "no my_number"),
        (result("mail-ppap", line("review", entities=()), "review"), "no gap encrypted"),
    ],
)
def test_result_names_what_is_not_as_expected(wrong, words):
    assert words in "; ".join(wrong.problems)


def test_result_without_an_audit_line_is_a_problem():
    missing = Result(result().sent, expectations()["mail-jis"])
    assert missing.problems == ["no audit line"]


def test_latest_is_the_last_judged_line_of_an_item():
    lines = [line("allow", seq=1), line("block", seq=2), line("none", seq=3), line(seq=4, item="x")]
    found = latest(lines)
    assert found["mail", "m1"].seq == 2
    assert found["mail", "x"].seq == 4


def test_chain_holds_only_when_whole_and_not_empty():
    first, tip = append(Tip(), b'{"a":1}')
    second, _ = append(tip, b'{"a":2}')
    assert report.chain_holds([first, second])
    assert not report.chain_holds([])
    assert not report.chain_holds([second])
    assert not report.chain_holds([first, second.replace(b'"a":2', b'"a":3')])


def test_report_has_exactly_the_promised_keys(tmp_path):
    report.write(tmp_path / "report.json", [result()], chain_verified=True)
    body = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert list(body) == ["items", "chain_verified"]
    (item,) = body["items"]
    assert list(item) == [
        *("name", "source", "disposition", "expected", "action"),
        *("audit_id", "seconds", "findings", "gaps"),
    ]
    assert (item["expected"], item["action"], item["audit_id"]) == ("block", "removed", "event-1")
    assert item["seconds"] == 3.0
    assert item["findings"][0]["level"] == "high"


def test_table_shows_each_item_and_what_is_wrong():
    screen = Console(file=io.StringIO(), width=140)
    report.say(screen, [result(), result(found=line("allow"))], chain_verified=False)
    shown = screen.file.getvalue()
    assert "allow, not block" in shown
    assert "1 of 2" in shown
    assert "broken" in shown
    assert not [each for each in numbers() if each in shown]
