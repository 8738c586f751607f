"""Files tagged by label, or by column where no label can be; a clean edit lifts what we set."""

from __future__ import annotations

from datetime import timedelta

import pytest

from local.graph import context
from local.graph.faults import Fault
from shared.errors import UnavailableError
from shared.model import Disposition, OutcomeState

TAG, REVIEW = (f"0f3d0d4e-0000-4000-8000-00000000000{n}" for n in (1, 2))
LABELS = {Disposition.TAG: TAG, Disposition.REVIEW: REVIEW}
THEIRS = {"sensitivityLabelId": "theirs", "assignmentMethod": "standard", "tenantId": "t"}
ASSIGN = "POST /drives/{drive}/items/{item}/assignSensitivityLabel"


def steps(outcome):
    return {each.name: each.result for each in outcome.steps}


def label(file):
    return file.labels[0]["sensitivityLabelId"] if file.labels else ""


async def act(rig, file, disposition, *, labels=LABELS, item=None):
    drive = rig.drive(redigest=rig.redigest, labels=labels)
    item = item or await rig.file_item(file)
    digest = await rig.redigest((await drive.fetch(item)).content)
    return await drive.apply(rig.claim(item, disposition, digest=digest))


@pytest.fixture
def column(rig):
    rig.user.drive.columns.add("SekishoVerdict")


@pytest.mark.parametrize(
    ("disposition", "wanted"), [(Disposition.TAG, TAG), (Disposition.REVIEW, REVIEW)]
)
async def test_label_is_assigned_once_and_read_back(rig, disposition, wanted):
    file = rig.file("a.docx")
    outcome = await act(rig, file, disposition)
    assert (outcome.state, steps(outcome)) == (OutcomeState.APPLIED, {"label": "read_back"})
    assert label(file) == wanted
    assert outcome.versions  # the label moved the cTag, and that is our own doing
    again = await act(rig, file, disposition)
    assert again.state is OutcomeState.APPLIED
    assert rig.graph.calls.count(ASSIGN) == 1


@pytest.mark.usefixtures("column")
async def test_file_that_takes_no_label_gets_the_column(rig):
    file = rig.file("a.txt")
    outcome = await act(rig, file, Disposition.TAG)
    assert outcome.state is OutcomeState.APPLIED
    assert steps(outcome) == {"label": "not_for_this_kind_of_file", "column": "read_back"}
    assert file.fields["SekishoVerdict"] == "関所: 確認済"


@pytest.mark.parametrize("status", [402, 403])
async def test_refused_label_is_named_beside_the_missing_column(rig, status):
    fault = {"match": {"path_regex": "assign"}, "status": status}
    rig.app[context.FAULTS].armed.append(Fault.parse(fault))
    outcome = await act(rig, rig.file("a.docx"), Disposition.TAG)
    assert outcome.state is OutcomeState.NOT_ENFORCEABLE
    assert steps(outcome)["label"] == f"refused_{status}"
    assert "column" in steps(outcome)


@pytest.mark.usefixtures("column")
async def test_label_of_somebody_else_is_kept(rig):
    file = rig.file("a.docx")
    file.labels = [THEIRS]
    outcome = await act(rig, file, Disposition.TAG)
    assert steps(outcome) == {"label": "another_one_kept", "column": "read_back"}
    assert label(file) == "theirs"
    assert ASSIGN not in rig.graph.calls


@pytest.mark.usefixtures("column")
async def test_accepted_label_that_does_not_come_is_waited_for_and_asked_for_once(rig):
    file = rig.file("a.docx")
    rig.app[context.FAULTS].fail_labels = 1
    item = await rig.file_item(file)
    with pytest.raises(UnavailableError):
        await act(rig, file, Disposition.TAG, item=item)
    rig.clock.now += timedelta(minutes=11)
    outcome = await act(rig, file, Disposition.TAG, item=item)
    assert steps(outcome) == {"label": "accepted_not_applied", "column": "read_back"}
    assert rig.graph.calls.count(ASSIGN) == 1


async def test_clean_edit_lifts_the_label(rig):
    file = rig.file("a.docx")
    await act(rig, file, Disposition.TAG)
    rig.user.drive.write(file, b"clean now")
    outcome = await act(rig, file, Disposition.ALLOW)
    assert (outcome.state, steps(outcome)) == (OutcomeState.APPLIED, {"label": "lifted"})
    assert label(file) == ""
    assert (await act(rig, file, Disposition.ALLOW)).state is OutcomeState.RECORDED


@pytest.mark.usefixtures("column")
async def test_clean_edit_lifts_the_column(rig):
    file = rig.file()
    await act(rig, file, Disposition.REVIEW, labels={})
    rig.user.drive.write(file, b"clean now")
    outcome = await act(rig, file, Disposition.ALLOW, labels={})
    assert (outcome.state, steps(outcome)) == (OutcomeState.APPLIED, {"column": "lifted"})
    assert not file.fields.get("SekishoVerdict")


@pytest.mark.usefixtures("column")
async def test_clean_edit_leaves_what_somebody_else_set(rig):
    file, other = rig.file("a.docx"), rig.file("b.txt")
    await act(rig, file, Disposition.TAG)
    await act(rig, other, Disposition.TAG)
    file.labels, other.fields["SekishoVerdict"] = [THEIRS], "theirs"
    for each in (file, other):
        rig.user.drive.write(each, b"clean now")
        outcome = await act(rig, each, Disposition.ALLOW)
        assert "changed_by_somebody" in steps(outcome).values()
    assert (label(file), other.fields["SekishoVerdict"]) == ("theirs", "theirs")


async def test_clean_file_that_we_never_tagged_costs_graph_nothing(rig):
    file = rig.file("a.docx")
    file.labels = [THEIRS]
    item = await rig.file_item(file)
    before = len(rig.graph.calls)
    outcome = await rig.drive(labels=LABELS).apply(rig.claim(item, Disposition.ALLOW))
    assert outcome.state is OutcomeState.RECORDED
    assert len(rig.graph.calls) == before


async def test_file_over_the_limit_is_closed_and_stays(rig):
    file = rig.file("big.bin", b"x" * 20_000)
    rig.link(file)
    drive = rig.drive(limit=17_000)
    item = await rig.file_item(file)
    (gap,) = (await drive.fetch(item)).gaps
    assert gap.code == "too_large"
    outcome = await drive.apply(rig.claim(item, Disposition.BLOCK))
    assert outcome.state is OutcomeState.PARTIAL
    assert steps(outcome)["content"] == "larger_than_the_limit"
    assert steps(outcome)["direct_grants"] == "read_back_gone"
    assert file.data == b"x" * 20_000


@pytest.mark.parametrize(("read", "seen"), [(True, (TAG,)), (False, ())])
async def test_the_label_is_in_the_context_where_a_rule_asks_for_it(rig, read, seen):
    file = rig.file("a.docx")
    await act(rig, file, Disposition.TAG)
    fetched = await rig.drive(read=read).fetch(await rig.file_item(file))
    assert fetched.context.labels == seen
