"""The command as a person and a script see it: codes, lines, words, never a traceback."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from shared.cli import reading, run

# 123456789018: the stem 12345678901 and its check digit, as in the detector's own examples.
NUMBER = "123456789018"


@pytest.fixture
def clean(tmp_path):
    path = tmp_path / "お知らせ.txt"
    path.write_text("会議室が変わりました。", encoding="utf-8")
    return path


@pytest.fixture
def caught(tmp_path):
    path = tmp_path / "名簿.txt"
    path.write_text(f"氏名 山田太郎\n個人番号：{NUMBER}\n", encoding="utf-8")
    return path


@pytest.fixture
def unread(tmp_path):
    path = tmp_path / "backup.dat"
    path.write_bytes(b"\x00\xff" + random.Random(1).randbytes(2000))
    return path


def lines(capfdbinary):
    return [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]


def test_scan_codes_are_clean_findings_unread_and_unread_beats_findings(clean, caught, unread):
    assert run(["scan", str(clean)]) == 0
    assert run(["scan", str(caught)]) == 1
    assert run(["scan", str(unread)]) == 2
    assert run(["scan", str(clean), str(caught), str(unread)]) == 2


def test_scan_json_line_has_exactly_the_promised_keys(caught, capfdbinary):
    assert run(["scan", "--format", "json", str(caught)]) == 1
    (item,) = lines(capfdbinary)
    assert list(item) == ["path", "disposition", "findings", "gaps"]
    assert item["path"] == str(caught)
    assert item["disposition"] == "block"
    assert item["gaps"] == []
    (finding,) = item["findings"]
    assert list(finding) == [
        *("entity", "location", "start", "end", "confidence", "level", "masked", "evidence")
    ]
    assert (finding["entity"], finding["level"]) == ("my_number", "high")
    assert {frozenset(each) for each in finding["evidence"]} == {
        frozenset({"code", "weight", "ja", "en"})
    }


@pytest.mark.parametrize("shape", ["text", "json"])
def test_scan_never_shows_the_number(caught, capfdbinary, shape):
    run(["scan", "--format", shape, str(caught)])
    out, err = capfdbinary.readouterr()
    assert NUMBER.encode() not in out + err


def test_scan_json_names_gaps(unread, capfdbinary):
    run(["scan", "--format", "json", str(unread)])
    (item,) = lines(capfdbinary)
    assert item["gaps"] == [{"code": "unknown_format", "location": ""}]
    assert item["disposition"] == "review"


@pytest.mark.usefixtures("caught")
def test_scan_walks_folders_once_and_in_order(tmp_path, clean, capfdbinary):
    inner = tmp_path / "中" / "奥"
    inner.mkdir(parents=True)
    (inner / "a.txt").write_text("あ", encoding="utf-8")
    (tmp_path / "中" / "loop").symlink_to(tmp_path)
    run(["scan", "--format", "json", str(tmp_path), str(clean)])
    names = [Path(item["path"]).name for item in lines(capfdbinary)]
    assert names == ["お知らせ.txt", "a.txt", "名簿.txt"]


def test_scan_min_confidence_leaves_out_what_is_less_sure(caught, capfdbinary):
    assert run(["scan", "--format", "json", "--min-confidence", "1", str(caught)]) == 0
    (item,) = lines(capfdbinary)
    assert item["findings"] == []
    assert item["disposition"] == "allow"


def test_scan_uses_the_sites_policy(tmp_path, caught, capfdbinary):
    policy = tmp_path / "site.yaml"
    policy.write_text("rules: [{id: my-number-high, mode: off}]", encoding="utf-8")
    run(["scan", "--format", "json", "--policy", str(policy), str(caught)])
    assert lines(capfdbinary)[0]["disposition"] == "review"


def test_mail_addresses_in_the_head_are_no_findings(tmp_path):
    mail = tmp_path / "a.eml"
    mail.write_bytes(
        b"From: a@city.example.jp\r\nTo: b@city.example.jp\r\nSubject: x\r\n\r\nhello\r\n"
    )
    assert run(["scan", str(mail)]) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["scan"],
        ["scan", "no-such-file"],
        ["scan", "--format", "xml", "."],
        ["scan", "--min-confidence", "2", "."],
        ["scan", "--place", "moon", "."],
        ["scan", "--policy", "no-such-file", "."],
        ["scan", "--unknown", "."],
        ["extract"],
        ["extract", "no-such-file"],
        ["frobnicate"],
    ],
)
def test_usage_errors_are_64_and_said_on_stderr(arguments, capfd):
    assert run(arguments) == 64
    out, err = capfd.readouterr()
    assert out == ""
    assert err
    assert "Traceback" not in err


def test_missing_file_is_named(capfd):
    run(["scan", "no-such-file"])
    assert "no-such-file" in capfd.readouterr().err


def test_wrong_policy_is_a_usage_error_with_its_place(tmp_path, caught, capfd):
    policy = tmp_path / "site.yaml"
    policy.write_text("rules:\n  - id: personal\n    wehn: {}\n", encoding="utf-8")
    assert run(["scan", "--policy", str(policy), str(caught)]) == 64
    assert "line 3, column 5: unknown key 'wehn'" in capfd.readouterr().err


def test_file_that_cannot_be_opened_is_a_gap_by_name(tmp_path, capfdbinary):
    (tmp_path / "dangling.txt").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    assert run(["scan", "--format", "json", str(tmp_path)]) == 2
    codes = {Path(each["path"]).name: each["gaps"][0]["code"] for each in lines(capfdbinary)}
    assert codes == {"dangling.txt": "crashed", "pipe": "unsupported"}


def test_file_over_the_limit_is_a_gap_and_not_read(caught, capfdbinary, monkeypatch):
    monkeypatch.setattr(reading, "MAX_BYTES", 3)
    assert run(["scan", "--format", "json", str(caught)]) == 2
    assert lines(capfdbinary)[0]["gaps"] == [{"code": "too_large", "location": ""}]


def test_name_that_is_no_unicode_is_scanned(tmp_path, capfdbinary):
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\x93\xfa\x96{.txt")).write_bytes(b"hello")
    assert run(["scan", "--format", "json", str(tmp_path)]) == 0
    assert len(lines(capfdbinary)) == 1


def test_extract_json_lines_are_segments_then_gaps(caught, unread, capfdbinary):
    assert run(["extract", "--format", "json", str(caught)]) == 0
    found = lines(capfdbinary)
    assert all(list(each) == ["location", "text"] for each in found)
    assert any(NUMBER in each["text"] for each in found)
    assert run(["extract", "--format", "json", str(unread)]) == 2
    assert lines(capfdbinary)[-1] == {"code": "unknown_format", "location": ""}


def test_extract_text_has_no_control_characters_of_the_content(tmp_path, capfd):
    path = tmp_path / "a.txt"
    path.write_text("あ\x1b[31mい\x07う", encoding="utf-8")
    run(["extract", str(path)])
    out = capfd.readouterr().out
    assert "い" in out
    assert "\x07" not in out
    assert "\x1b[31mい" not in out


def test_policy_validate_says_where(tmp_path, capfd):
    assert run(["policy", "validate"]) == 0
    wrong = tmp_path / "site.yaml"
    wrong.write_text("matrix: {'3C': {phone: allow}}", encoding="utf-8")
    assert run(["policy", "validate", str(wrong)]) == 1
    assert f"{wrong}: line 1, column 17" in capfd.readouterr().err.replace("\n", "")


def test_policy_test_fails_on_a_rule_that_lies(tmp_path, capfd):
    assert run(["policy", "test"]) == 0
    lie = tmp_path / "site.yaml"
    lie.write_text("rules: [{id: personal, tests: {hits: [{gaps: [bomb]}]}}]", encoding="utf-8")
    assert run(["policy", "test", str(lie)]) == 1
    assert "does not match" in capfd.readouterr().out


def test_version_and_help(capfd):
    assert run(["--version"]) == 0
    assert metadata.version("sekisho") in capfd.readouterr().out
    assert run(["--help"]) == 0
    assert "scan" in capfd.readouterr().out


def test_command_in_a_process_of_its_own_gives_its_code_and_no_noise(caught):
    program = [sys.executable, "-c", "from shared.cli import main; main()"]
    done = subprocess.run([*program, "scan", str(caught)], capture_output=True, check=False)
    assert done.returncode == 1
    assert "個人番号".encode() in done.stdout
    assert done.stderr == b""
