"""The gate: one item a recipient; delivered once, held, or quarantined; removed last."""

from __future__ import annotations

import pytest

from shared.errors import GoneError, MalformedError, UnavailableError
from shared.model import Disposition, GapCode, OutcomeState
from shared.services import sidecar
from shared.services.sidecar import Sidecar


class Gate:
    def __init__(self, rig):
        self.rig = rig
        self.landing = rig.stores.blobs("landing")
        self.envelopes = rig.stores.blobs("envelopes")
        self.service = rig.gate()

    async def land(self, name, data, **given):
        given.setdefault("recipients", (self.rig.UPN,))
        await sidecar.write(self.envelopes, name, Sidecar(**given))
        await self.landing.put(name, data)
        return await self.service.items_for(name)

    async def file(self, data=b"hello", path="受付/申請.txt", **given):
        (item,) = await self.land("files/a1", data, path=path, **given)
        return item

    def delivered(self):
        return [each for each in self.rig.user.drive.items.values() if not each.folder]

    def mails(self):
        return list(self.rig.user.mailbox.messages.values())


@pytest.fixture
def gate(rig):
    return Gate(rig)


async def test_items_are_one_a_recipient(gate):
    items = await gate.land("mail/m1.eml", b"x", recipients=("a@x.jp", "b@x.jp"))
    assert [(each.id, each.recipient) for each in items] == [
        ("mail/m1.eml", "0"),
        ("mail/m1.eml", "1"),
    ]


async def test_items_wait_for_the_envelope_and_need_the_blob(gate):
    await gate.landing.put("files/late", b"x")
    with pytest.raises(UnavailableError):
        await gate.service.items_for("files/late")
    assert await gate.service.items_for("files/none") == ()
    assert await gate.service.items_for("elsewhere/x") == ()


async def test_dropped_blob_is_adopted_under_an_opaque_name(gate):
    await gate.landing.put(f"drop/{gate.rig.UPN}/福祉/一覧.txt", b"x")
    (item,) = await gate.service.items_for(f"drop/{gate.rig.UPN}/福祉/一覧.txt")
    assert item.id.startswith("files/")
    assert "一覧" not in item.id
    assert [name async for name in gate.landing.names()] == [item.id]
    read = await sidecar.read(gate.envelopes, item.id)
    assert (read.recipients, read.path, read.via) == ((gate.rig.UPN,), "福祉/一覧.txt", "drop")
    assert await gate.service.items_for(f"drop/{gate.rig.UPN}/福祉/一覧.txt") == ()


@pytest.mark.parametrize("name", ["drop/nobody/x.txt", "drop/a@x.jp/", "drop/a@x.jp/../.."])
async def test_drop_for_nobody_or_without_a_name_is_malformed(gate, name):
    await gate.landing.put(name, b"x")
    with pytest.raises(MalformedError):
        await gate.service.items_for(name)


def test_path_of_a_drop_cannot_leave_the_drive():
    assert sidecar.clean_path("../../a/./..//b:c?.txt") == "a/b_c_.txt"


async def test_fetch_gives_the_names_of_the_envelope(gate):
    item = await gate.file()
    fetched = await gate.service.fetch(item)
    assert (fetched.content.data, fetched.content.name) == (b"hello", "申請.txt")
    assert (fetched.context.place, fetched.context.owner) == ("landing", gate.rig.UPN)


async def test_fetch_of_a_large_blob_is_a_gap(gate):
    item = await gate.file(b"x" * 1_000_001)
    fetched = await gate.service.fetch(item)
    assert fetched.content.data == b""
    assert [gap.code for gap in fetched.gaps] == [GapCode.TOO_LARGE]


async def test_clean_file_is_delivered_read_back_and_removed_here(gate):
    item = await gate.file(b"x" * 400_000)
    outcome = await gate.service.apply(gate.rig.claim(item, Disposition.ALLOW))
    assert outcome.state is OutcomeState.APPLIED
    (file,) = gate.delivered()
    assert (file.name, file.data) == ("申請.txt", b"x" * 400_000)
    assert gate.rig.user.drive.path(file).endswith("/受付")
    assert await gate.landing.properties(item.id) is None


async def test_empty_file_is_delivered(gate):
    item = await gate.file(b"")
    outcome = await gate.service.apply(gate.rig.claim(item, Disposition.ALLOW))
    assert outcome.state is OutcomeState.APPLIED
    assert [each.data for each in gate.delivered()] == [b""]


async def test_same_file_that_lies_there_is_not_sent_again(gate):
    gate.rig.file("申請.txt", b"hello", "受付")
    item = await gate.file(b"hello")
    await gate.service.apply(gate.rig.claim(item, Disposition.ALLOW))
    assert len(gate.delivered()) == 1
    assert len(gate.delivered()[0].versions) == 1


async def test_numbered_copy_of_an_earlier_attempt_is_found(gate):
    gate.rig.file("申請.txt", b"another", "受付")
    gate.rig.file("申請 1.txt", b"hello", "受付")
    item = await gate.file(b"hello")
    await gate.service.apply(gate.rig.claim(item, Disposition.ALLOW))
    assert {each.name for each in gate.delivered()} == {"申請.txt", "申請 1.txt"}


@pytest.mark.parametrize("data", [b"hello", b""])
@pytest.mark.parametrize("folder", ["受付", ""])
async def test_another_file_of_that_name_stays_and_ours_is_numbered(gate, data, folder):
    gate.rig.file("申請.txt", b"another", folder)
    gate.rig.file("申請 1.txt", b"a third", folder)
    item = await gate.file(data, path=f"{folder}/申請.txt".lstrip("/"))
    await gate.service.apply(gate.rig.claim(item, Disposition.ALLOW))
    assert {each.name: each.data for each in gate.delivered()} == {
        "申請.txt": b"another",
        "申請 1.txt": b"a third",
        "申請 2.txt": data,
    }


async def test_replace_makes_a_new_version_of_the_file_that_is_there(gate):
    gate.rig.file("申請.txt", b"older", "受付")
    item = await gate.file(b"newer", conflict="replace")
    await gate.service.apply(gate.rig.claim(item, Disposition.ALLOW))
    (file,) = gate.delivered()
    assert [each.data for each in file.versions] == [b"older", b"newer"]


async def test_review_holds_in_place(gate):
    item = await gate.file()
    claim = gate.rig.claim(item, Disposition.REVIEW)
    for _ in range(2):
        outcome = await gate.service.apply(claim)
        assert (outcome.action, outcome.state) == ("hold", OutcomeState.APPLIED)
    assert await gate.landing.get_tags(item.id) == {"state": "held"}
    assert gate.delivered() == []


async def test_block_quarantines_and_never_delivers(gate):
    item = await gate.file(b"secret")
    outcome = await gate.service.apply(gate.rig.claim(item, Disposition.BLOCK))
    assert outcome.action == "quarantine"
    assert await gate.rig.quarantine.read(outcome.evidence_ref) == b"secret"
    assert await gate.landing.properties(item.id) is None
    assert gate.delivered() == []


async def test_clean_mail_is_imported_as_a_draft_and_says_so(gate):
    mail = gate.rig.mime("お知らせ")
    (item,) = await gate.land("mail/m1.eml", mail)
    outcome = await gate.service.apply(gate.rig.claim(item, Disposition.TAG))
    (message,) = gate.mails()
    assert message.raw.endswith(mail)
    assert message.values["categories"] == ["関所: 確認済"]
    assert {each.name for each in outcome.steps} >= {"imported_as_draft", "category"}


async def test_mail_with_the_message_id_of_another_is_delivered_all_the_same(gate):
    gate.rig.message(gate.rig.mime("earlier", message_id="<same@example.jp>"))
    mail = gate.rig.mime("later", message_id="<same@example.jp>")
    (item,) = await gate.land("mail/m1.eml", mail)
    await gate.service.apply(gate.rig.claim(item, Disposition.ALLOW))
    assert len(gate.mails()) == 2


async def test_mail_without_a_message_id_is_delivered_once(gate):
    (item,) = await gate.land("mail/m1.eml", b"Subject: x\r\n\r\nbody\r\n")
    claim = gate.rig.claim(item, Disposition.ALLOW)
    await gate.service.apply(claim)
    await gate.service.apply(claim)
    assert len(gate.mails()) == 1


async def test_blob_stays_until_every_recipient_has_an_outcome(gate):
    gate.rig.world.add_user("taro@city.example.jp", "太郎")
    people = (gate.rig.UPN, "taro@city.example.jp")
    first, second = await gate.land("mail/m1.eml", gate.rig.mime(), recipients=people)
    await gate.service.apply(gate.rig.claim(first, Disposition.ALLOW))
    assert await gate.landing.properties(first.id) is not None
    await gate.service.apply(gate.rig.claim(second, Disposition.ALLOW))
    assert await gate.landing.properties(first.id) is None


async def test_held_copy_keeps_the_blob_whatever_comes_after(gate):
    people = (gate.rig.UPN, gate.rig.UPN)
    first, second = await gate.land("mail/m1.eml", gate.rig.mime(), recipients=people)
    await gate.service.apply(gate.rig.claim(first, Disposition.REVIEW))
    await gate.service.apply(gate.rig.claim(second, Disposition.ALLOW))
    assert await gate.landing.get_tags(first.id) == {"state": "held"}


async def test_apply_without_the_blob_is_gone(gate):
    item = await gate.file()
    await gate.landing.delete(item.id)
    outcome = await gate.service.apply(gate.rig.claim(item, Disposition.ALLOW))
    assert outcome.state is OutcomeState.GONE
    with pytest.raises(GoneError):
        await gate.service.fetch(item)


@pytest.mark.parametrize("kind", ["mail", "file"])
async def test_delivery_killed_at_any_call_delivers_once(gate, kind):
    """Every Graph call in turn is the last one that a process makes, before or after its effect."""
    rig, number, finished = gate.rig, 0, False
    while not finished:
        for moment in ("before", "after"):
            tag = f"{number}{moment}"
            if kind == "mail":
                name, data, given = f"mail/{tag}.eml", rig.mime(tag, message_id=f"<{tag}@x.jp>"), {}
            else:
                name, data, given = f"files/{tag}", tag.encode(), {"path": f"a/{tag}.txt"}
            (item,) = await gate.land(name, data, **given)
            claim = rig.claim(item, Disposition.TAG)
            rig.graph.calls.clear()
            rig.graph.die_at = (number, moment)
            try:
                outcome = await gate.service.apply(claim)
                finished = True
            except rig.Killed:
                rig.graph.die_at = None
                outcome = await gate.service.apply(claim)
            rig.graph.die_at = None
            assert outcome.state is OutcomeState.APPLIED
            assert await gate.landing.properties(item.id) is None
            if kind == "mail":
                assert sum(each.raw.endswith(data) for each in gate.mails()) == 1
            else:
                assert sum(each.data == data for each in gate.delivered()) == 1
        number += 1
    assert number > 2
