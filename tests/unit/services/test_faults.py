"""What goes wrong at Graph: refused steps are named, the rest is tried again, none is lost."""

from __future__ import annotations

import pytest

from local.graph import context
from local.graph.faults import Fault
from shared.errors import PermanentError, ThrottledError, UnavailableError
from shared.model import Disposition, OutcomeState
from shared.services import sidecar, tombstone
from shared.services.marker import NOTICE_PROPERTY
from shared.services.sidecar import Sidecar


@pytest.fixture
def arm(rig):
    def fault(method, path, **given):
        match = {"method": method, "path_regex": path}
        rig.app[context.FAULTS].armed.append(Fault.parse({"match": match, **given}))

    return fault


def steps(outcome):
    return {each.name: each.result for each in outcome.steps}


async def test_conflict_that_comes_by_itself_is_met_by_reading_again(rig, arm):
    message = rig.message()
    arm("PATCH", "/messages/", status=412)
    outcome = await rig.mail().apply(rig.claim(rig.mail_item(message), Disposition.TAG))
    assert outcome.state is OutcomeState.APPLIED
    file = rig.file()
    arm("PUT", "/content", status=412)
    outcome = await rig.drive().apply(rig.claim(await rig.file_item(file), Disposition.BLOCK))
    assert outcome.state is OutcomeState.APPLIED


async def test_conflict_without_end_is_tried_again_later(rig, arm):
    message = rig.message()
    arm("PATCH", "/messages/", status=412, times=10)
    with pytest.raises(UnavailableError):
        await rig.mail().apply(rig.claim(rig.mail_item(message), Disposition.TAG))


@pytest.mark.parametrize("disposition", [Disposition.TAG, Disposition.BLOCK])
async def test_throttled_action_waits_and_is_then_done_once(rig, arm, disposition):
    message = rig.message()
    claim = rig.claim(rig.mail_item(message), disposition)
    method = "PATCH" if disposition is Disposition.TAG else "POST"
    arm(method, "/messages", status=429, headers={"Retry-After": "7"})
    with pytest.raises(ThrottledError) as error:
        await rig.mail().apply(claim)
    assert error.value.retry_after == 7
    asked = len(rig.graph.calls)
    with pytest.raises(ThrottledError):
        await rig.mail().apply(claim)
    assert len(rig.graph.calls) == asked + 1  # it was not sent: see Pace
    rig.waited += 7
    assert (await rig.mail().apply(claim)).state is OutcomeState.APPLIED


async def test_answer_lost_after_the_notice_leaves_one_notice(rig, arm):
    message = rig.message()
    claim = rig.claim(rig.mail_item(message), Disposition.BLOCK)
    arm("POST", "/mailFolders/", drop=True, after=True)
    with pytest.raises(UnavailableError):
        await rig.mail().apply(claim)
    assert rig.user.mailbox.find(message.immutable_id) is message
    await rig.mail().apply(claim)
    notices = [m for m in rig.user.mailbox.messages.values() if NOTICE_PROPERTY in m.extended]
    assert len(notices) == 1


async def test_notice_goes_to_the_inbox_where_its_folder_went_away(rig, arm):
    message = rig.message(folder="archive")
    arm("POST", "/mailFolders/", status=404)
    outcome = await rig.mail().apply(rig.claim(rig.mail_item(message), Disposition.BLOCK))
    assert steps(outcome)["notice"] == "read_back"


async def test_missing_help_is_not_a_missing_message(rig, arm):
    message = rig.message()
    arm("POST", "/mailFolders/", status=404, times=2)
    with pytest.raises(UnavailableError):
        await rig.mail().apply(rig.claim(rig.mail_item(message), Disposition.BLOCK))
    assert rig.user.mailbox.find(message.immutable_id) is message


async def test_refused_category_colour_does_not_stop_the_tag(rig, arm):
    message = rig.message()
    arm("POST", "masterCategories", status=403)
    outcome = await rig.mail().apply(rig.claim(rig.mail_item(message), Disposition.TAG))
    assert outcome.state is OutcomeState.APPLIED
    assert steps(outcome)["master_category"] == "refused"


async def test_removal_that_is_refused_is_never_called_done(rig, arm):
    message = rig.message()
    arm("POST", "permanentDelete", status=403)
    with pytest.raises(PermanentError, match=r"Mail\.ReadWrite"):
        await rig.mail().apply(rig.claim(rig.mail_item(message), Disposition.BLOCK))


async def test_removal_without_effect_is_seen(rig, arm):
    message = rig.message()
    arm("POST", "permanentDelete", status=404)
    with pytest.raises(UnavailableError):
        await rig.mail().apply(rig.claim(rig.mail_item(message), Disposition.BLOCK))
    assert rig.user.mailbox.find(message.immutable_id) is message


async def test_older_version_that_cannot_be_deleted_is_named(rig, arm):
    file = rig.file(data=b"one")
    rig.user.drive.write(file, b"two")
    arm("DELETE", "/versions/", status=403, times=2)
    outcome = await rig.drive().apply(rig.claim(await rig.file_item(file), Disposition.BLOCK))
    assert outcome.state is OutcomeState.PARTIAL
    assert steps(outcome)["older_versions"] == "not_removable:2"


async def test_grant_that_cannot_be_revoked_is_named(rig, arm):
    file = rig.file()
    rig.link(file)
    arm("DELETE", "/permissions/", status=403, times=2)
    outcome = await rig.drive().apply(rig.claim(await rig.file_item(file), Disposition.BLOCK))
    assert outcome.state is OutcomeState.PARTIAL
    assert steps(outcome)["direct_grants"] == "not_removable:1"
    assert tombstone.marker(file.data)


async def test_download_cut_short_is_neither_scanned_nor_kept_as_evidence(rig, arm):
    file = rig.file(data=b"x" * 1000)
    item = await rig.file_item(file)
    arm("GET", "/_content/", truncate=True, times=2)
    with pytest.raises(UnavailableError):
        await rig.drive().fetch(item)
    claim = rig.claim(item, Disposition.BLOCK)
    with pytest.raises(UnavailableError):
        await rig.drive().apply(claim)
    assert file.data == b"x" * 1000
    outcome = await rig.drive().apply(claim)
    assert await rig.quarantine.read(outcome.evidence_ref) == b"x" * 1000


@pytest.mark.parametrize("name", ["mail/a.eml", "files/a"])
async def test_upload_for_nobody_is_a_dead_letter_and_stays(rig, name):
    landing, envelopes = rig.stores.blobs("landing"), rig.stores.blobs("envelopes")
    await sidecar.write(envelopes, name, Sidecar(("nobody@city.example.jp",), path="a.txt"))
    await landing.put(name, rig.mime())
    (item,) = await rig.gate().items_for(name)
    with pytest.raises(PermanentError):
        await rig.gate().apply(rig.claim(item, Disposition.ALLOW))
    assert await landing.properties(name) is not None


async def test_upload_whose_answer_is_lost_is_delivered_once(rig, arm):
    landing, envelopes = rig.stores.blobs("landing"), rig.stores.blobs("envelopes")
    await sidecar.write(envelopes, "files/a", Sidecar((rig.UPN,), path="a.txt"))
    await landing.put("files/a", b"hello")
    (item,) = await rig.gate().items_for("files/a")
    claim = rig.claim(item, Disposition.ALLOW)
    arm("PUT", "/_upload/", drop=True, after=True)
    with pytest.raises(UnavailableError):
        await rig.gate().apply(claim)
    assert (await rig.gate().apply(claim)).state is OutcomeState.APPLIED
    (file,) = [each for each in rig.user.drive.items.values() if not each.folder]
    assert len(file.versions) == 1
