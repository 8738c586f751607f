"""Each export of ten events, byte for byte: searches and alarms elsewhere are built on them.

A change of these files is a change for everybody who takes the exports in: it goes into the
CHANGELOG. The product's version stands in them as ``{version}``.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared import __version__
from shared.audit.formats import FORMATS, Entry
from shared.audit.formats.sentinel import table
from shared.model import Level
from tests.unit.audit.told import ENTRIES, EVENTS

GOLDEN = Path(__file__).parent / "exports"


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_export_is_what_it_was(name):
    made = FORMATS[name]
    told = made.render(ENTRIES).replace(f'"{__version__}"'.encode(), b'"{version}"')
    told = told.replace(f"|{__version__}|".encode(), b"|{version}|")
    assert told == (GOLDEN / f"exports{made.suffix}").read_bytes()


@pytest.mark.parametrize(
    ("name", "suffix", "kind"),
    [
        ("ocsf", ".ocsf.ndjson", "application/x-ndjson"),
        ("cef", ".cef", "text/plain"),
        ("cloudevents", ".cloudevents.ndjson", "application/x-ndjson"),
        ("csv", ".csv", "text/csv"),
        ("sentinel", ".sentinel.ndjson", "application/x-ndjson"),
    ],
)
def test_files_are_called_what_they_are(name, suffix, kind):
    assert (FORMATS[name].suffix, FORMATS[name].media_type) == (suffix, kind)


def of(what):
    return Entry(1, "", EVENTS[what])


def test_one_number_in_two_places_is_one_person():
    assert of("a mail is stopped").persons() == 2
    assert of("a file is tagged").persons() == 0, "a card is no person"


def test_level_is_that_of_the_surest_finding():
    assert of("a mail is stopped").level() is Level.HIGH
    assert of("a file is tagged").level() is Level.MEDIUM
    assert of("a mail passes the gate").level() is None


def test_deeds_and_vanished_items_were_not_judged():
    judged = [what for what in EVENTS if of(what).judged]
    deeds = [what for what in EVENTS if of(what).deed]
    assert judged == list(EVENTS)[:6]
    assert deeds == list(EVENTS)[7:]


def test_cohort_of_what_nobody_judged_is_empty():
    assert (of("a file is tagged").cohort(), of("an item was gone").cohort()) == ("trial", "")


def test_table_of_the_workspace_is_that_of_the_stream_in_its_own_spelling():
    made = table()
    assert made["name"] == "SekishoAudit_CL"
    kinds = {each["name"]: each["type"] for each in made["columns"]}
    assert kinds["TimeGenerated"] == "dateTime"
    assert (kinds["RecordNumber"], kinds["Seconds"], kinds["Rules"]) == ("long", "real", "dynamic")
    line = json.loads(FORMATS["sentinel"].line(of("a file is tagged")))
    assert list(kinds) == sorted(line, key=list(kinds).index)
