from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shared.audit.chain import Tip, append
from shared.audit.head import Head, es256_signer, key_id, public_pem, sign
from shared.cli import run
from shared.codec import encode
from tests.unit.audit.payloads import event
from tests.unit.storage.conftest import START

PEM = ec.generate_private_key(ec.SECP256R1()).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)


@pytest.fixture
def copy(tmp_path):
    """A container ``audit`` of nine records in three blobs, copied to a folder, and a key."""
    tip = Tip()
    for blob in (1, 2, 3):
        lines = []
        for number in range(3):
            line, tip = append(tip, encode({"id": f"{blob}{number}", "n": number}))
            lines.append(line)
        path = tmp_path / "audit" / "chain" / f"{blob:08d}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(lines))
        head = tmp_path / "audit" / "heads" / "2026/11/24" / f"{tip.count:016d}.json"
        head.parent.mkdir(parents=True, exist_ok=True)
        head.write_bytes(encode(sign(Head(tip.count, tip.hash, START), es256_signer(PEM))))
    (tmp_path / "key.pem").write_bytes(public_pem(PEM))
    return tmp_path


def verify(copy, *more):
    return run(["audit", "verify", "--dir", str(copy / "audit"), *more])


def key(copy):
    return "--public-key", str(copy / "key.pem")


def damage(copy, blob, old, new):
    path = copy / "audit" / "chain" / f"{blob:08d}.jsonl"
    path.write_bytes(path.read_bytes().replace(old, new, 1))


def test_verify_says_that_a_copy_holds(copy, capsys):
    assert verify(copy, *key(copy)) == 0
    out = capsys.readouterr().out
    assert "記録 1〜9 に不整合はありません" in out
    assert "3 signed heads" in out


def test_verify_without_a_key_says_what_it_cannot_show(copy, capsys, monkeypatch):
    monkeypatch.delenv("SEKISHO_SIGNING_KEY", raising=False)
    assert verify(copy) == 2
    out = capsys.readouterr().out
    assert "公開鍵がありません" in out
    assert "a cut end" in out


def test_verify_takes_the_key_of_the_settings(copy, monkeypatch):
    monkeypatch.setenv("SEKISHO_SIGNING_KEY", base64.b64encode(PEM).decode())
    assert verify(copy) == 0
    monkeypatch.delenv("SEKISHO_SIGNING_KEY")
    monkeypatch.setenv("SEKISHO_HEAD_KEYS", base64.b64encode(public_pem(PEM)).decode())
    assert verify(copy) == 0


@pytest.mark.parametrize(
    ("blob", "old", "new", "seq", "kind", "words"),
    [
        (2, b'"n":1', b'"n":7', 5, "edit", "書き換え"),
        (3, b'{"seq":9', b"", 9, "truncation", "失われて"),
    ],
)
def test_verify_names_the_first_broken_record(copy, capsys, blob, old, new, seq, kind, words):
    if kind == "truncation":
        path = copy / "audit" / "chain" / f"{blob:08d}.jsonl"
        path.write_bytes(path.read_bytes().partition(old)[0])
    else:
        damage(copy, blob, old, new)
    assert verify(copy, *key(copy)) == 1
    out = capsys.readouterr().out
    assert f"記録 {seq}" in out
    assert kind in out
    assert words in out


def test_verify_from_a_record_looks_at_nothing_before(copy, capsys):
    damage(copy, 1, b'"n":1', b'"n":7')
    assert verify(copy, *key(copy), "--from", "5") == 0
    assert "記録 5〜9" in capsys.readouterr().out
    assert verify(copy, *key(copy), "--from", "4") == 0
    capsys.readouterr()
    assert verify(copy, *key(copy), "--from", "99") == 64
    assert "there is no record 98" in capsys.readouterr().err


def test_verify_tells_machines_in_json(copy, capsysbinary):
    damage(copy, 2, b'"n":1', b'"n":7')
    assert verify(copy, *key(copy), "--format", "json") == 1
    told = json.loads(capsysbinary.readouterr().out)
    assert (told["result"], told["up_to"], told["broken"]["seq"]) == ("broken", 4, 5)


def test_verify_refuses_what_is_no_key(copy, capsys):
    (copy / "key.pem").write_text("no key")
    assert verify(copy, *key(copy)) == 64
    assert "P-256" in capsys.readouterr().err


def test_verify_of_storage_names_the_setting_that_is_missing(capsys, monkeypatch):
    for name in ("SEKISHO_AUDIT", "SEKISHO_AUDIT__blobServiceUri"):
        monkeypatch.delenv(name, raising=False)
    assert run(["audit", "verify"]) == 64
    assert "SEKISHO_AUDIT" in capsys.readouterr().err


def test_verify_of_storage_never_quotes_the_connection(capsys, monkeypatch):
    monkeypatch.setenv("SEKISHO_AUDIT", "AccountKey=c2VjcmV0")
    assert run(["audit", "verify"]) == 64
    assert "c2VjcmV0" not in capsys.readouterr().err


def test_public_key_is_what_verify_takes(monkeypatch, capsys):
    monkeypatch.setenv("SEKISHO_SIGNING_KEY", base64.b64encode(PEM).decode())
    assert run(["audit", "public-key"]) == 0
    printed = capsys.readouterr()
    assert printed.out.encode() == public_pem(PEM)
    assert key_id(public_pem(PEM)) in printed.err
    monkeypatch.delenv("SEKISHO_SIGNING_KEY")
    assert run(["audit", "public-key"]) == 64


@pytest.fixture
def events(tmp_path):
    """Two real events, a day apart, in a copy."""
    lines, tip = [], Tip()
    for number, day in enumerate((24, 25)):
        made = replace(event("=1+1"), id=f"{number:064x}", time=START.replace(day=day))
        line, tip = append(tip, encode(made))
        lines.append(line)
    path = tmp_path / "audit" / "chain" / "00000001.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"".join(lines))
    return tmp_path


def export(events, kind, *more):
    out = events / f"out.{kind}"
    where = ("--dir", str(events / "audit"), "--out", str(out))
    return run(["audit", "export", "--format", kind, *where, *more]), out


@pytest.mark.parametrize("kind", ["ocsf", "cef", "csv", "cloudevents", "sentinel"])
def test_export_writes_every_event(events, kind):
    code, out = export(events, kind)
    assert code == 0
    assert len(out.read_bytes().splitlines()) == (3 if kind == "csv" else 2)
    assert [each.name for each in events.iterdir() if each.name.startswith(".")] == []


def test_export_of_a_day_is_that_of_japan(events):
    code, out = export(events, "sentinel", "--from", "2026-11-25", "--to", "2026-11-25")
    assert code == 0
    [line] = out.read_bytes().splitlines()
    assert json.loads(line)["EventId"] == f"{1:064x}"
    assert export(events, "sentinel", "--to", "2026-11-23")[1].read_bytes() == b""


def test_export_stops_where_the_chain_breaks(events, capsys):
    path = events / "audit" / "chain" / "00000001.jsonl"
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + second.replace(b"applied", b"refused"))
    code, out = export(events, "sentinel")
    assert (code, len(out.read_bytes().splitlines())) == (1, 1)
    assert "連鎖が途切れて" in capsys.readouterr().err


def test_report_writes_a_month(events, capsys):
    out = events / "report.html"
    where = ("--dir", str(events / "audit"), "--out", str(out))
    assert run(["report", "--month", "2026-11", *where, "--organisation", "架空市"]) == 0
    text = out.read_text(encoding="utf-8")
    assert "2026年11月" in text
    assert "架空市" in text
    assert "2 件の報告" in capsys.readouterr().out


@pytest.mark.parametrize("month", ["2026-13", "2026", "11-2026"])
def test_report_refuses_what_is_no_month(events, month, capsys):
    assert run(["report", "--month", month, "--dir", str(events / "audit")]) == 64
    assert "--month" in capsys.readouterr().err


def test_report_takes_incidents_from_a_file(events):
    times = {"opened": "2026-11-24T10:00:00Z", "first": "2026-11-24T11:00:00Z"}
    said = {"state": "closed", "verdict": "false_positive", **times}
    lines = [{"event": f"{n:064x}", **said} for n in (0, 1)]
    file, out = events / "incidents.jsonl", events / "report.html"
    file.write_text("\n".join(map(json.dumps, lines)))
    where = ("--dir", str(events / "audit"), "--out", str(out), "--incidents", str(file))
    assert run(["report", "--month", "2026-11", *where]) == 0
    assert "1.0 時間" in out.read_text(encoding="utf-8")
    file.write_text("{}")
    assert run(["report", "--month", "2026-11", *where]) == 64
