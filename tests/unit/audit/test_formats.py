from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from shared.audit.formats import FORMATS, Entry
from shared.audit.formats.ocsf import VERSION
from shared.audit.formats.sentinel import COLUMNS, declaration
from shared.audit.formats.sheet import BOM, DANGER
from shared.codec import decode
from shared.model import AuditEvent
from tests.unit.audit.payloads import PAYLOADS, START, event

NUMBERS = {"seq", "findings", "persons", "seconds"}


def entry(text="own", disposition="block", source="mail", seq=7):
    return Entry(seq, "ab" * 32, event(text, disposition, source))


@pytest.fixture(scope="module")
def schemas():
    made = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=VERSION))
    finding = made.get_class_schema("data_security_finding", ["security_control"])
    deed = made.get_class_schema("entity_management", [])
    return {2006: Draft202012Validator(finding), 3004: Draft202012Validator(deed)}


def problems(schemas, made):
    found = schemas[made["class_uid"]].iter_errors(made)
    return [f"{'/'.join(map(str, each.path))}: {each.message}" for each in found]


@pytest.mark.parametrize("disposition", ["allow", "tag", "review", "block", "none"])
@pytest.mark.parametrize("source", ["mail", "gate", "drive", "console"])
def test_ocsf_is_valid_by_the_published_schema(schemas, disposition, source):
    made = json.loads(FORMATS["ocsf"].line(entry(disposition=disposition, source=source)))
    assert problems(schemas, made) == []
    assert made["class_uid"] == (3004 if source == "console" else 2006)


def test_ocsf_schema_would_see_a_wrong_event(schemas):
    made = json.loads(FORMATS["ocsf"].line(entry()))
    assert problems(schemas, made | {"severity_id": 17})
    assert problems(schemas, made | {"invented": 1})


def test_ocsf_tells_what_was_read_back_and_not_what_was_asked():
    asked = replace(entry().event, action_state="not_enforceable")
    made = json.loads(FORMATS["ocsf"].line(Entry(1, "", asked)))
    assert (made["disposition"], made["action"]) == ("Detected", "Observed")
    assert json.loads(FORMATS["ocsf"].line(entry()))["disposition"] == "Blocked"


def test_ocsf_counts_findings_and_people():
    made = json.loads(FORMATS["ocsf"].line(entry()))
    details = made["data_security"]["discovery_details"]
    assert details == [{"type": "my_number", "count": 2}]
    assert (made["data_security"]["category"], made["unmapped"]["persons"]) == ("Governmental", 1)
    assert made["time"] == int(START.timestamp() * 1000)


def test_csv_has_a_mark_for_excel_and_a_row_an_event():
    data = FORMATS["csv"].render([entry(), entry(disposition="allow", seq=8)])
    assert data.startswith(BOM)
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert [row["seq"] for row in rows] == ["7", "8"]
    assert (rows[0]["time_jst"], rows[0]["entities"]) == ("2026-11-24 18:30:00", "my_number:2")


def cef(line):
    """Header and extension of a CEF line, by the standard's own escapes."""
    parts = re.split(r"(?<!\\)(?:\\\\)*\|", line, maxsplit=7)
    found = re.findall(r"(\w+)=((?:[^=\\]|\\.)*)(?=\s\w+=|$)", parts[7])
    return parts[:7], {key: re.sub(r"\\(.)", r"\1", value) for key, value in found}


def test_cef_is_a_line_with_header_and_fields():
    line = FORMATS["cef"].line(entry("a|b=c\\d")).decode()
    head, fields = cef(line.rstrip("\n"))
    assert head[:3] == ["CEF:0", "Sekisho", "Sekisho"]
    assert (head[4], head[6]) == ("decision", "9")
    assert (fields["cat"], fields["cs2"], fields["cn1"]) == ("block", "a|b=c\\d", "7")


def test_there_are_three_hundred_payloads():
    assert len(PAYLOADS) >= 300


@pytest.mark.parametrize("source", ["mail", "console"])
def test_no_payload_becomes_a_formula_a_line_or_a_field(schemas, source):
    for text in PAYLOADS:
        one = entry(text, source=source)
        sheet = FORMATS["csv"].render([one]).decode("utf-8-sig")
        [row] = csv.DictReader(io.StringIO(sheet, newline=""))
        assert sheet.count("\r\n") == 2, repr(text)
        for name, cell in row.items():
            visible = cell.lstrip(" \u3000\ufffd")
            assert name in NUMBERS or not visible.startswith(tuple(DANGER)), (repr(text), name)
        line = FORMATS["cef"].line(one).decode()
        head, fields = cef(line[:-1])
        expected = "deed" if source == "console" else "decision"
        assert (len(head), head[4]) == (7, expected), repr(text)
        assert fields["cat"] == "block", repr(text)
        assert fields["outcome"] == "applied", repr(text)
        assert set(fields) == set(cef(FORMATS["cef"].line(entry(source=source)).decode()[:-1])[1])
        made = json.loads(FORMATS["ocsf"].line(one))
        assert problems(schemas, made) == [], repr(text)
        told = json.loads(FORMATS["sentinel"].line(one))
        assert set(told) == set(COLUMNS)
        for name in ("ocsf", "cef", "sentinel", *(() if text == "\ud800" else ("cloudevents",))):
            data = FORMATS[name].line(one)  # what is no Unicode is on no record in the first place
            assert (data.count(b"\n"), data.count(b"\r")) == (1, 0), (name, repr(text))
        for data in (line[:-1], sheet.replace("\r\n", ""), json.dumps(made, ensure_ascii=False)):
            kinds = {unicodedata.category(char) for char in data}
            assert not kinds & {"Cc", "Cf", "Zl", "Zp", "Cs"}, repr(text)


def test_sentinel_rows_have_the_columns_that_the_stream_declares():
    [columns] = [each["columns"] for each in declaration().values()]
    told = json.loads(FORMATS["sentinel"].line(entry()))
    assert sorted(each["name"] for each in columns) == sorted(told)
    kinds = {"string": str, "long": int, "int": int, "real": float, "datetime": str}
    for each in columns:
        kind = kinds.get(each["type"], (dict, list))
        assert isinstance(told[each["name"]], kind), each


def test_cloudevents_hold_the_whole_event_by_its_schema():
    made = json.loads(FORMATS["cloudevents"].line(entry()))
    assert {"specversion", "id", "source", "type"} <= set(made)
    assert (made["specversion"], made["type"]) == ("1.0", "lg.sekisho.decision.v1")
    assert decode(json.dumps(made["data"]), AuditEvent) == entry().event
    deed = json.loads(FORMATS["cloudevents"].line(entry(source="console")))
    assert (deed["type"], deed["source"]) == ("lg.sekisho.deed.v1", "/sekisho/console")


def test_page_of_the_exports_shows_the_stream_as_it_is():
    page = Path(__file__).resolve().parents[3] / "docs/reference/exports.md"
    shown = page.read_text(encoding="utf-8").split("```json\n")[1].split("```")[0]
    assert json.loads(shown) == declaration()
