"""explain, replay, report and leak draft, on exported lines."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from local.memory import Account, MemoryStores
from shared.audit.chain import Tip, append
from shared.cli import records, run
from shared.codec import encode
from shared.storage.audit_rows import Rows
from shared.storage.index_audit import AuditIndex
from tests.unit.policy.recorded import TIME, event, finding
from tests.unit.policy.test_record import STRICTER, golden


@pytest.fixture
def exported(tmp_path):
    """The golden case: a note of the chain's own, records of the chain, and a bare event."""
    tip, path = Tip(), tmp_path / "audit.jsonl"
    raws = [b'{"note":"rolled"}', *(encode(each) for each in golden())]
    lines = []
    for raw in raws:
        line, tip = append(tip, raw)
        lines.append(line)
    path.write_bytes(b"".join(lines) + encode(event(8)) + b"\n")
    return path


@pytest.fixture
def stricter(tmp_path):
    path = tmp_path / "site.yaml"
    path.write_text(STRICTER, encoding="utf-8")
    return path


def test_replay_writes_table_json_and_chart(exported, stricter, tmp_path, capsys):
    out, chart = tmp_path / "out.json", tmp_path / "out.svg"
    said = ["--json", str(out), "--chart", str(chart), "--from", "2026-07-01", "--to", "2026-07-01"]
    command = ["policy", "replay", "--events", str(exported), "--policy", str(stricter), *said]
    assert run(command) == 0
    shown = capsys.readouterr().out
    assert "t***@example.jp" in shown
    assert "taro" not in shown
    told = json.loads(out.read_text(encoding="utf-8"))
    assert (told["events"], told["newly_blocked"]) == (8, 3)
    assert told["changes"][0] == {
        "before": "tag", "after": "block", "rule_id": "phones", "owner": "t***@example.jp",
        "items": 2,
    }  # fmt: skip
    drawn = chart.read_text(encoding="utf-8")
    assert "遮断" in drawn
    assert "<script" not in drawn.split("</defs>")[-1]


def test_replay_looks_at_the_days_asked_for(exported, tmp_path):
    out = tmp_path / "out.json"
    command = ["policy", "replay", "--events", str(exported), "--json", str(out)]
    assert run([*command, "--from", "2026-07-02"]) == 0
    assert json.loads(out.read_text(encoding="utf-8"))["events"] == 0


def test_records_say_which_line_is_none(tmp_path, capsys, monkeypatch):
    path = tmp_path / "bad.jsonl"
    path.write_bytes(encode(event(1)) + b'\n{"x":1}\n')
    assert run(["policy", "replay", "--events", str(path)]) == 64
    assert "line 2" in capsys.readouterr().err
    monkeypatch.delenv("SEKISHO_AUDIT", raising=False)
    assert run(["policy", "replay"]) == 64
    assert "--events" in capsys.readouterr().err


def test_explain_tells_a_recorded_decision(exported, capsys):
    assert run(["policy", "explain", f"{4:064x}", "--events", str(exported)]) == 0
    shown = capsys.readouterr().out
    assert "to be milder, all of: my-number-high" in shown
    assert run(["policy", "explain", "0000", "--events", str(exported)]) == 64


def test_explain_tells_a_hypothesis(capsys):
    said = ["--finding", "entity=my_number,level=medium,count=2", "--gap", "encrypted"]
    assert run(["policy", "explain", *said]) == 0
    assert "my-number-medium、unread" in capsys.readouterr().out
    assert run(["policy", "explain"]) == 64
    assert run(["policy", "explain", "--finding", "entity=moon"]) == 64
    assert run(["policy", "explain", "--gap", "moon"]) == 64


def test_report_reads_verdicts(exported, tmp_path):
    verdicts, out = tmp_path / "incidents.jsonl", tmp_path / "out.json"
    row = {"event": f"{4:064x}", "verdict": "true_positive"}
    verdicts.write_text(json.dumps(row) + "\n", encoding="utf-8")
    command = ["policy", "report", "--events", str(exported), "--incidents", str(verdicts)]
    assert run([*command, "--json", str(out)]) == 0
    rows = {each["cohort"]: each for each in json.loads(out.read_text(encoding="utf-8"))}
    assert rows["pilot"]["false_positive_share"] == 0
    verdicts.write_text("[]\n", encoding="utf-8")
    assert run(command) == 64


def test_leak_draft_is_written(exported, tmp_path):
    out = tmp_path / "draft.md"
    command = ["leak", "draft", "--incident", f"{4:064x}", "--events", str(exported)]
    assert run([*command, "--known", "2026-07-02", "--output", str(out)]) == 0
    assert "## 9. その他参考となる事項" in out.read_text(encoding="utf-8")


def test_explain_of_an_item_tells_its_latest_decision(exported, capsys):
    assert run(["policy", "explain", "m4", "--events", str(exported)]) == 0
    shown = capsys.readouterr().out
    assert "記録 recorded: 2026-07-01" in shown
    assert "規則 / rule" in shown
    assert run(["policy", "explain", "no such item", "--events", str(exported)]) == 64


async def test_item_is_looked_up_in_storage_without_reading_it_all():
    stores = MemoryStores(Account(lambda: TIME))
    rows, index = (
        Rows(stores.table("auditevents"), stores.blobs("audit")),
        AuditIndex(stores.table("incidentindex")),
    )
    first = event(1, [finding()], disposition="block", rule_ids=("my-number-high",))
    later = replace(first, id=f"{2:064x}", time=TIME + timedelta(hours=1), disposition="tag")
    gone = replace(first, id=f"{3:064x}", time=TIME + timedelta(hours=2), disposition="none")
    for each in (first, later, gone):
        await rows.insert(each)
        await index.enter(each)
    assert (await records._looked_up(stores, first.id)).id == first.id
    assert (await records._looked_up(stores, first.item.id)).id == later.id
    assert await records._looked_up(stores, "another") is None
