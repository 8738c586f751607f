"""Hints and jobs become items: nothing that changed is left out, nothing of ours comes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from local.graph import context
from local.graph.faults import Fault
from shared.errors import BusyError, MalformedError, PermanentError, ThrottledError
from shared.graph.webhook import account_ref, job
from shared.model import Disposition, Envelope


@pytest.fixture
async def mail(rig):
    return (await rig.subscriptions.register("mail", rig.UPN)).ref


@pytest.fixture
async def drive(rig):
    made = await rig.subscriptions.register("drive", rig.UPN)
    row = await rig.stores.table("subscriptions").get("drive", made.ref)
    await rig.stores.table("subscriptions").put(
        replace(row, values={**row.values, "drive": rig.user.drive.id})
    )
    return made.ref


def hint(rig, source, ref, **body):
    return Envelope("hint", rig.clock(), body={"source": source, "account": ref, **body})


def keys(rig, name="scan-items"):
    return [(each["item"]["id"], each["item"]["content_version"]) for each in rig.queued(name)]


async def run(rig, source, ref, **body):
    return await rig.resolver().hint(hint(rig, source, ref, **body))


async def sweep(rig, source, ref):
    return await rig.resolver().job(job("sweep", source, ref, rig.clock()))


async def test_mail_hint_is_one_item_of_the_account_behind_it(rig, mail):
    message = rig.message()
    await run(rig, "mail", mail, id=message.immutable_id, version=message.change_key)
    (queued,) = rig.queued()
    assert queued["item"]["recipient"] == rig.UPN
    assert keys(rig) == [(message.immutable_id, message.change_key)]


async def test_mail_hint_without_a_version_looks_it_up(rig, mail):
    message = rig.message()
    await run(rig, "mail", mail, id=message.immutable_id, version="")
    assert keys(rig) == [(message.immutable_id, message.change_key)]
    await run(rig, "mail", mail, id="AAgone=", version="")
    assert len(keys(rig)) == 1


async def test_mail_hint_of_our_own_write_is_skipped(rig, mail):
    message = rig.message()
    item = replace(rig.mail_item(message), recipient=rig.UPN)
    held = await rig.ledger.claim(item, rig.clock())
    outcome = await rig.mail().apply(rig.claim(item, Disposition.TAG))
    await rig.ledger.complete(held, outcome)
    await run(rig, "mail", mail, id=message.immutable_id, version=message.change_key)
    assert rig.queued() == []


async def test_hint_for_an_account_that_was_never_enrolled_is_permanent(rig):
    with pytest.raises(PermanentError):
        await run(rig, "mail", account_ref("mail", "nobody@x.jp"), id="AAk=")


@pytest.mark.parametrize("body", [{}, {"source": "mail"}, {"job": "dance", "source": "mail"}])
async def test_message_without_its_parts_is_malformed(rig, body):
    with pytest.raises(MalformedError):
        await rig.resolver().job(Envelope("job", rig.clock(), body=body))
    with pytest.raises(MalformedError):
        await rig.resolver().hint(Envelope("hint", rig.clock(), body={}))


async def test_drive_hint_enqueues_changed_files_only(rig, drive):
    first = rig.file("a.txt")
    await run(rig, "drive", drive)
    second = rig.file("b.txt", folder="folder")
    gone = rig.file("c.txt")
    rig.user.drive.remove(gone, permanently=False)
    await run(rig, "drive", drive)
    assert keys(rig) == [(first.id, first.ctag), (second.id, second.ctag)]


async def test_drive_hint_sees_a_new_share_as_another_item(rig, drive):
    file = rig.file()
    await run(rig, "drive", drive)
    rig.link(file)
    await run(rig, "drive", drive)
    hashes = [each["item"]["context_hash"] for each in rig.queued()]
    assert len(set(hashes)) == 2


async def test_drive_hint_of_our_tombstone_is_skipped(rig, drive):
    file = rig.file()
    claim = rig.claim(await rig.file_item(file), Disposition.BLOCK)
    held = await rig.ledger.claim(claim.item, rig.clock())
    await rig.ledger.complete(held, await rig.drive().apply(claim))
    await run(rig, "drive", drive)
    assert rig.queued() == []


async def test_drive_hints_are_coalesced(rig, drive):
    rig.file()
    early = [hint(rig, "drive", drive) for _ in range(5)]
    rig.clock.now += timedelta(seconds=5)
    for each in early:
        await rig.resolver().hint(each)
    assert rig.graph.calls.count("GET /drives/{drive}/items/{item}/delta()") == 1
    assert len(rig.queued()) == 1


async def test_hint_after_the_delta_began_is_not_covered(rig, drive):
    rig.file("a.txt")
    await run(rig, "drive", drive)
    late = hint(rig, "drive", drive)
    rig.file("b.txt")
    await rig.resolver().hint(late)
    assert len(rig.queued()) == 2


async def test_drive_that_another_worker_holds_is_busy(rig, drive):
    rig.file()
    import hashlib  # noqa: PLC0415

    name = hashlib.sha256(rig.user.drive.id.encode()).hexdigest()[:32]
    token = await rig.stores.lease().acquire(f"delta-{name}", 60)
    with pytest.raises(BusyError):
        await run(rig, "drive", drive)
    await rig.stores.lease().release(f"delta-{name}", token)
    assert await run(rig, "drive", drive) == 1


async def test_delta_that_shows_nothing_yet_is_asked_again_later(rig, drive):
    await run(rig, "drive", drive)
    (later,) = rig.queued("graph-jobs")
    assert later["body"]["job"] == "sweep"
    assert rig.account.queues["graph-jobs"][0].visible > rig.clock.now + timedelta(seconds=30)


async def test_expired_delta_link_enumerates_everything_anew(rig, drive):
    first = rig.file("a.txt")
    await run(rig, "drive", drive)
    second = rig.file("b.txt")
    rig.app[context.FAULTS].armed.append(
        Fault.parse({"match": {"path_regex": "delta.*token"}, "status": 410})
    )
    await run(rig, "drive", drive)
    assert set(keys(rig)[1:]) == {(first.id, first.ctag), (second.id, second.ctag)}


async def test_throttled_delta_says_how_long_to_wait(rig, drive):
    fault = {"match": {"path_regex": "delta"}, "status": 429, "headers": {"Retry-After": "315"}}
    rig.app[context.FAULTS].armed.append(Fault.parse(fault))
    with pytest.raises(ThrottledError) as error:
        await run(rig, "drive", drive)
    assert error.value.retry_after == 315
    rig.waited += 315
    assert await sweep(rig, "drive", drive) == 0


@pytest.mark.parametrize("source", ["mail", "drive"])
async def test_sweep_killed_at_any_call_loses_nothing(rig, mail, drive, source):
    ref = mail if source == "mail" else drive
    number, finished = 0, False
    while not finished:
        for moment in ("before", "after"):
            if source == "mail":
                made = [rig.message(rig.mime(str(each))) for each in range(3)]
                wanted = {(each.immutable_id, each.change_key) for each in made}
            else:
                made = [rig.file(f"{number}{moment}{each}") for each in range(3)]
                wanted = {(each.id, each.ctag) for each in made}
            rig.graph.calls.clear()
            rig.graph.die_at = (number, moment)
            rig.clock.now += timedelta(seconds=300)
            try:
                await sweep(rig, source, ref)
                finished = True
            except rig.Killed:
                rig.graph.die_at = None
                rig.clock.now += timedelta(seconds=300)
                await sweep(rig, source, ref)
            rig.graph.die_at = None
            assert wanted <= set(keys(rig)), (number, moment)
        number += 1
    assert number > 1


async def test_sweep_finds_received_and_sent_mail_once(rig, mail):
    made = [rig.message(), rig.message(folder="sentitems")]
    assert await sweep(rig, "mail", mail) == 2
    assert set(keys(rig)) == {(each.immutable_id, each.change_key) for each in made}
    assert await sweep(rig, "mail", mail) == 0
    rig.user.mailbox.touch(made[0])
    rig.user.mailbox.delete(made[1], permanently=True)
    assert await sweep(rig, "mail", mail) == 1


async def test_sweep_finds_mail_that_a_rule_put_into_a_folder_of_a_folder(rig, mail):
    box = rig.user.mailbox
    inner = box.add_folder(
        "inner", box.add_folder("outer", box.root, hidden=False).id, hidden=False
    )
    await sweep(rig, "mail", mail)
    message = rig.message(folder=inner.id)
    assert await sweep(rig, "mail", mail) == 1
    assert keys(rig) == [(message.immutable_id, message.change_key)]


async def test_sweep_reads_every_page(rig, mail):
    made = [rig.message(rig.mime(str(number))) for number in range(25)]
    assert await sweep(rig, "mail", mail) == len(made)


async def test_round_that_is_cut_off_goes_on_where_it_was(rig, mail):
    """A mailbox too large for one function's time is read all the same."""
    made = [rig.message(rig.mime(str(number))) for number in range(45)]  # five pages of ten
    attempts, before = 0, -1
    while True:
        attempts += 1
        rig.clock.now += timedelta(seconds=300)
        rig.graph.links, rig.graph.die_after_links = 0, 2
        try:
            await sweep(rig, "mail", mail)
            break
        except rig.Killed:
            assert len(keys(rig)) > before
            before = len(keys(rig))
    rig.graph.die_after_links = None
    assert 1 < attempts < 6
    assert set(keys(rig)) == {(each.immutable_id, each.change_key) for each in made}


async def test_hint_after_a_cut_off_round_sees_what_came_since(rig, drive):
    for number in range(210):  # two pages
        rig.file(f"{number}.txt")
    rig.graph.die_after = ("POST /$batch", 10)  # twenty files each
    with pytest.raises(rig.Killed):
        await run(rig, "drive", drive)
    rig.graph.die_after = None
    rig.clock.now += timedelta(seconds=300)
    late = rig.file("late.txt")
    await run(rig, "drive", drive)
    assert (late.id, late.ctag) in keys(rig)
    assert {key for key, _ in keys(rig)} == {
        each.id for each in rig.user.drive.items.values() if not each.folder
    }
    row = await rig.stores.table("drives").get("drive", rig.user.drive.id)
    assert "round" not in row.values


async def test_sharing_of_many_files_is_asked_in_batches_of_twenty(rig, drive):
    made = [rig.file(f"{number}.txt") for number in range(45)]
    for each in made[:3]:
        rig.link(each)
    await run(rig, "drive", drive)
    assert rig.graph.calls.count("POST /$batch") == 3
    shared = {each["item"]["id"] for each in rig.queued() if each["item"]["context_hash"]}
    assert {each.id for each in made[:3]} <= shared
    assert len(keys(rig)) == 45


async def test_file_that_went_meanwhile_is_no_error_of_its_batch(rig, drive):
    made = [rig.file(f"{number}.txt") for number in range(3)]
    gone = {"match": {"path_regex": f"{made[1].id}/permissions"}, "status": 404}
    rig.app[context.FAULTS].armed.append(Fault.parse(gone))
    await run(rig, "drive", drive)
    assert {key for key, _ in keys(rig)} == {made[0].id, made[2].id}


async def test_throttling_inside_a_batch_is_waited_for_and_nothing_is_lost(rig, drive):
    made = [rig.file(f"{number}.txt") for number in range(25)]
    fault = {"match": {"path_regex": f"{made[22].id}/permissions"}, "status": 429}
    rig.app[context.FAULTS].armed.append(Fault.parse(fault | {"headers": {"Retry-After": "9"}}))
    with pytest.raises(ThrottledError):
        await run(rig, "drive", drive)
    rig.waited += 9
    await run(rig, "drive", drive)
    assert {key for key, _ in keys(rig)} == {each.id for each in made}


async def test_sweep_says_when_it_was_done(rig, mail):
    before = rig.clock()
    await sweep(rig, "mail", mail)
    row = await rig.stores.table("subscriptions").get("swept", "mail")
    assert before < row.values["time"] < rig.clock()
