"""explain, edm, fingerprint, rules and SARIF. People and numbers are made up.

123456789018 is the stem 12345678901 with its check digit; addressee numbers count upwards.
"""

from __future__ import annotations

import json

import pytest

from shared.cli import run

NUMBER = "123456789018"
KEY = "00" * 16 + "ff" * 16
ROWS = (
    "宛名番号,氏名,生年月日\n0099887766,架空　太郎,昭和50年3月14日\n0099887767,見本 花子,1980/1/2\n"
)
FORM = """申請書（様式第1号）
次のとおり助成金の交付を受けたいので、関係書類を添えて申請します。
申請者 住所 ＿＿＿＿ 氏名 ＿＿＿＿ 事業の名称 事業の目的及び内容 交付申請額
上記の内容について、虚偽がないことを誓約します。
"""


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("SEKISHO_EDM_KEY", KEY)


def write(path, text, encoding="utf-8"):
    path.write_text(text, encoding=encoding)
    return str(path)


def findings(capfdbinary, *arguments):
    capfdbinary.readouterr()
    run(["scan", "--format", "json", *arguments])
    return [
        finding["entity"]
        for line in capfdbinary.readouterr().out.splitlines()
        for finding in json.loads(line)["findings"]
    ]


@pytest.fixture(params=["utf-8", "utf-8-sig", "cp932"])
def register(request, tmp_path):
    source = write(tmp_path / "名簿.csv", ROWS, request.param)
    out = tmp_path / "people.edm"
    columns = ["--columns", "宛名番号,氏名+生年月日"]
    assert run(["edm", "build", source, *columns, "--out", str(out)]) == 0
    return out


def test_explain_shows_every_candidate_masked(capfdbinary):
    assert run(["explain", f"個人番号 {NUMBER} 送り状 1234-5678-9012"]) == 1
    out = capfdbinary.readouterr().out.decode()
    assert NUMBER not in out
    assert "検査用数字が合う" in out
    assert "検査用数字が合わない" in out


def test_explain_json_adds_up(capfdbinary):
    assert run(["explain", "--format", "json", f"個人番号 {NUMBER}"]) == 1
    best = json.loads(capfdbinary.readouterr().out.splitlines()[0])
    assert (best["entity"], best["level"]) == ("my_number", "high")
    assert best["score"] == pytest.approx(sum(e["weight"] for e in best["evidence"]), abs=0.02)


def test_explain_of_nothing_is_0():
    assert run(["explain", "会議室が変わりました。"]) == 0


def test_edm_register_finds_its_people_in_any_writing(register, tmp_path, capfdbinary):
    for number, text in enumerate(
        ["００９９８８７７６７ です", "見本花子（S55.1.2生）", "架空太郎 1975-03-14"]
    ):
        mail = write(tmp_path / f"{number}.txt", text)
        assert "registered_person" in findings(capfdbinary, "--edm", str(register), mail)


def test_edm_register_finds_no_others(register, tmp_path, capfdbinary):
    mail = write(tmp_path / "mail.txt", "0099887768 見本花子 1975-03-14 仮名花子 1980/1/3 架空太郎")
    found = findings(capfdbinary, "--edm", str(register), mail)
    # 架空太郎 stands within reach of 1975-03-14 and is that person; nobody else is.
    assert found.count("registered_person") == 1


def test_edm_register_holds_no_value_and_is_its_owners_alone(register):
    data = register.read_bytes()
    for secret in ("0099887766", "架空", "見本", "昭和50", "1975-03-14"):
        for encoding in ("utf-8", "utf-16-le", "cp932"):
            assert secret.encode(encoding) not in data
    assert register.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("columns", ["電話番号", "氏名+電話番号", "氏名+生年月日+宛名番号"])
def test_edm_build_refuses_columns_that_do_not_fit(tmp_path, columns):
    source = write(tmp_path / "名簿.csv", ROWS)
    out = tmp_path / "people.edm"
    assert run(["edm", "build", source, "--columns", columns, "--out", str(out)]) == 64
    assert not out.exists()


@pytest.mark.parametrize("key", ["", "00" * 8, "00" * 65, "not hexadecimal"])
def test_edm_without_a_right_key_is_a_usage_error(tmp_path, monkeypatch, key):
    monkeypatch.setenv("SEKISHO_EDM_KEY", key)
    source = write(tmp_path / "名簿.csv", ROWS)
    arguments = ["--columns", "氏名", "--out", str(tmp_path / "x.edm")]
    assert run(["edm", "build", source, *arguments]) == 64


def test_register_of_another_key_is_a_usage_error(register, tmp_path):
    key = tmp_path / "key"
    key.write_bytes(b"another key of sixteen bytes")
    mail = write(tmp_path / "mail.txt", "0099887766")
    assert run(["scan", "--edm", str(register), "--key-file", str(key), mail]) == 64


def test_filled_in_form_is_found(tmp_path, capfdbinary):
    form = write(tmp_path / "助成金申請書.txt", FORM)
    out = str(tmp_path / "forms.json")
    assert run(["fingerprint", "add", form, "--out", out]) == 0
    filled = write(tmp_path / "mail.txt", FORM.replace("＿＿＿＿", "架空"))
    blank = write(tmp_path / "other.txt", "助成金の交付を受けたい方は窓口へお越しください。" * 9)
    assert "registered_document" in findings(capfdbinary, "--forms", out, filled)
    assert "registered_document" not in findings(capfdbinary, "--forms", out, blank)


def test_fingerprints_are_added_and_hold_no_text(tmp_path):
    out = tmp_path / "forms.json"
    for name in ("甲", "乙"):
        form = write(tmp_path / f"{name}.txt", name * 40 + FORM)
        assert run(["fingerprint", "add", form, "--out", str(out)]) == 0
    assert sorted(json.loads(out.read_bytes())["forms"]) == ["乙", "甲"]
    assert "助成金" not in out.read_text(encoding="utf-8")


def test_form_without_text_is_said_and_exits_2(tmp_path, capfdbinary):
    form = write(tmp_path / "空.txt", "")
    assert run(["fingerprint", "add", form, "--out", str(tmp_path / "forms.json")]) == 2
    assert "✗" in capfdbinary.readouterr().out.decode()


RULE = """entity: staff_code
ja: 職員コード
en: Staff code
source: made up for this test
labels: [職員コード]
needs_label: true
pattern: {after_label: 'S[0-9]{6}'}
hits: [職員コード S123456]
misses: [職員コード S12345, "品番 S123456"]
"""


def test_site_rule_that_does_as_it_says_passes(tmp_path, capfdbinary):
    assert run(["rules", "test", write(tmp_path / "staff.yaml", RULE)]) == 0
    assert "3 passed, 0 failed" in capfdbinary.readouterr().out.decode()


@pytest.mark.parametrize(
    "wrong",
    [
        RULE.replace("hits: [職員コード S123456]", "hits: [職員コード S12345]"),
        RULE.replace('"品番 S123456"', "職員コード S999999"),
        RULE.split("misses", maxsplit=1)[0],
        RULE.replace("pattern:", "patern:"),
        "entity: [",
    ],
)
def test_site_rule_that_does_not_fails(tmp_path, wrong):
    assert run(["rules", "test", write(tmp_path / "staff.yaml", wrong)]) == 1


def test_scan_uses_site_rules(tmp_path, capfdbinary):
    rule = write(tmp_path / "staff.yaml", RULE)
    mail = write(tmp_path / "mail.txt", "職員コード S123456")
    assert "staff_code" in findings(capfdbinary, "--rules", rule, mail)


def test_sarif_names_findings_and_gaps_and_no_value(tmp_path, capfdbinary):
    mail = write(tmp_path / "個人 番号.txt", f"個人番号 {NUMBER}")
    (tmp_path / "x.dat").write_bytes(b"\x00\xff\x81\x13" * 500)
    assert run(["scan", "--format", "sarif", mail, str(tmp_path / "x.dat")]) == 2
    out = capfdbinary.readouterr().out
    assert NUMBER.encode() not in out
    document = json.loads(out)
    assert document["version"] == "2.1.0"
    (scan,) = document["runs"]
    results = scan["results"]
    assert {"my_number", "gap/unknown_format"} <= {each["ruleId"] for each in results}
    declared = {rule["id"] for rule in scan["tool"]["driver"]["rules"]}
    assert {each["ruleId"] for each in results} == declared
    uri = results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert " " not in uri
