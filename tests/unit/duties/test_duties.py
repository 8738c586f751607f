"""What each function does with its event, over the in-memory stores."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.memory import Account, Crash, MemoryStores
from shared.codec import decode, encode, joined, parted
from shared.duties import (
    IN_HAND,
    Gate,
    Intake,
    Reader,
    Scanner,
    Stranded,
    Timers,
    Undertaker,
    emptied,
    settle_all,
)
from shared.errors import MalformedError, PermanentError, UnavailableError
from shared.graph.webhook import account_ref, client_state, job
from shared.model import Envelope, Item
from shared.storage.alerts import Alerts
from shared.storage.claimcheck import LIMIT
from shared.storage.dead_letters import DeadLetters
from shared.storage.landed import STRANDED
from tests.unit.alerted import alerted

KEY = b"k" * 32
NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)


def now():
    return NOW


@pytest.fixture
def account():
    return Account(now)


@pytest.fixture
def stores(account):
    return MemoryStores(account)


def bodies(account, queue):
    return [decode(message.body, Envelope) for message in account.queues.get(queue, [])]


def intake(stores):
    alerts = Alerts(stores.table("alerts"), now)
    return Intake(
        stores.queue("graph-hints"), stores.queue("graph-jobs"), alerts, now, (KEY,), lambda: "t1"
    )


def notification(state, **more):
    part = {
        "subscriptionId": "s1",
        "clientState": state,
        "changeType": "created",
        "resourceData": {"id": "AAMk1", "@odata.etag": 'W/"CQ1"'},
        **more,
    }
    return json.dumps({"value": [part]}).encode()


def genuine():
    return client_state(KEY, "mail", account_ref("mail", "u1"), "n1")


async def test_intake_puts_a_hint_with_a_trace(stores, account):
    await intake(stores).receive(notification(genuine()))
    [hint] = bodies(account, "graph-hints")
    assert (hint.kind, hint.body["id"], hint.trace) == ("hint", "AAMk1", "t1")


async def test_notifications_that_came_together_are_few_messages_and_all_of_them_are_worked_on(
    stores, account
):
    parts = [json.loads(notification(genuine()))["value"][0] for _ in range(300)]
    for number, part in enumerate(parts):
        part["resourceData"] = {"id": f"AAMk{number}", "@odata.etag": f'W/"{"v" * 100}{number}"'}
    await intake(stores).receive(json.dumps({"value": parts}).encode())
    messages = [each.body for each in account.queues["graph-hints"]]
    assert 1 < len(messages) < 10
    assert all(len(each) <= LIMIT for each in messages)
    found = []

    async def work(envelope):
        found.append(envelope.body["id"])

    for each in messages:
        await reader(stores, work).handle(each)
    assert sorted(found) == sorted(f"AAMk{number}" for number in range(300))


async def test_of_a_batch_only_what_failed_comes_again_or_is_kept(stores, account):
    def named(name):
        return encode(Envelope("item", NOW, Item("mail", name, "r", "v")))

    async def work(envelope):
        match envelope.item.id:
            case "later":
                raise UnavailableError("away")  # noqa: EM101 - a test
            case "never":
                raise PermanentError("no")  # noqa: EM101 - a test

    [batch] = joined([named("good"), named("later"), named("never")], LIMIT)
    await reader(stores, work).handle(batch)
    assert [each.item.id for each in bodies(account, "scan-items")] == ["later"]
    [kept] = account.containers["deadletters"].values()
    assert decode(base64.b64decode(json.loads(kept.data)["raw"]), Envelope).item.id == "never"


async def test_what_nobody_foresaw_in_a_batch_is_raised_after_the_others_are_done(stores):
    done = []

    async def work(envelope):
        if envelope.item.id == "1":
            raise RuntimeError
        done.append(envelope.item.id)

    names = [encode(Envelope("item", NOW, Item("mail", str(n), "r", "v"))) for n in range(4)]
    with pytest.raises(RuntimeError):
        await reader(stores, work).handle(next(joined(names, LIMIT)))
    assert done == ["0", "2", "3"]


async def test_poisoned_batch_is_revived_as_single_messages(stores, account):
    dead = DeadLetters(
        stores.blobs("deadletters"), Alerts(stores.table("alerts"), now), stores.queue, now
    )
    names = [encode(Envelope("item", NOW, Item("mail", str(n), "r", "v"))) for n in range(3)]
    await undertaker(stores, dead).bury(next(joined(names, LIMIT)))
    assert [(each.item.id, each.revived) for each in bodies(account, "scan-items")] == [
        ("0", 1),
        ("1", 1),
        ("2", 1),
    ]


@given(st.lists(st.dictionaries(st.text(), st.text()), min_size=1), st.integers(2, 400))
def test_joined_messages_part_again_and_keep_the_limit(values, limit):
    raws = [json.dumps(each).encode() for each in values]
    messages = list(joined(raws, limit))
    assert [part for each in messages for part in parted(each)] == raws
    assert all(len(each) <= limit or each in raws for each in messages)


async def test_intake_puts_a_job_for_a_lifecycle_event(stores, account):
    await intake(stores).receive(notification(genuine(), lifecycleEvent="missed"))
    assert [each.body["job"] for each in bodies(account, "graph-jobs")] == ["sweep"]


@pytest.mark.parametrize("body", [notification("mail.a.b.c"), b"{", b"", b"[]", b"\xff"])
async def test_intake_takes_nothing_from_what_is_forged_and_alerts(stores, account, body):
    await intake(stores).receive(body)
    assert bodies(account, "graph-hints") == bodies(account, "graph-jobs") == []
    assert len(alerted(account)) == 1


@pytest.mark.parametrize(("parts", "events"), [(1, 1), (40, 40), (1000, 100)])
async def test_each_forged_part_of_a_request_is_an_event_up_to_a_bound(
    stores, account, parts, events
):
    body = json.dumps({"value": json.loads(notification("x"))["value"] * parts}).encode()
    for _ in range(2):  # the same request again, on the same day
        await intake(stores).receive(body)
    assert len(alerted(account)) == events


async def test_forgery_that_goes_on_is_told_of_each_day(account):
    days = [NOW, NOW + timedelta(days=1)]
    for day in days:
        await replace(intake(MemoryStores(account)), clock=lambda day=day: day).receive(b"x")
    assert len(alerted(account)) == len(days)


async def test_intake_tells_when_the_queue_is_away(account):
    async def away(operation, _moment):
        if "graph-hints" in operation:
            message = "away"
            raise UnavailableError(message)

    with pytest.raises(UnavailableError):
        await intake(MemoryStores(account, away)).receive(notification(genuine()))


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ({}, None),
        ({"validationToken": "Validation: a+b %"}, "Validation: a+b %"),
        ({"validationToken": "a\r\nSet-Cookie: x"}, None),
        ({"validationToken": "x" * 5000}, None),
    ],
)
def test_intake_answers_a_handshake(stores, query, answer):
    assert intake(stores).handshake(query) == answer


async def test_timers_spread_the_sweep(stores, account):
    async def due():
        yield job("enrol", "mail", "r1", NOW)

    async def accounts():
        for ref in ("a", "b", "c", "d"):
            yield "mail", ref

    timers = Timers(stores.queue("graph-jobs"), due, accounts, now, 60.0)
    await timers.renew()
    await timers.sweep()
    jobs = [(each.body["job"], each.body["account"]) for each in bodies(account, "graph-jobs")]
    assert jobs == [("enrol", "r1"), *(("sweep", ref) for ref in "abcd")]
    visible = [message.visible for message in account.queues["graph-jobs"][1:]]
    assert [(moment - NOW).total_seconds() for moment in visible] == [0, 15, 30, 45]
    account.queues["graph-jobs"].clear()
    await replace(timers, small=4).sweep()
    assert {message.visible for message in account.queues["graph-jobs"]} == {NOW}


def reader(stores, work):
    alerts = Alerts(stores.table("alerts"), now)
    dead = DeadLetters(stores.blobs("deadletters"), alerts, stores.queue, now)
    return Reader("scan-items", stores.queue("scan-items"), dead, now, work)


async def test_reader_re_enqueues_what_may_get_better(stores, account):
    async def work(_):
        message = "away"
        raise UnavailableError(message, retry_after=7)

    await reader(stores, work).handle(encode(Envelope("item", NOW, Item("mail", "i", "r", "v"))))
    [again] = bodies(account, "scan-items")
    assert again.attempt == 1
    assert (again.not_before - NOW).total_seconds() >= 7


async def test_reader_keeps_what_will_not(stores, account):
    async def work(_):
        message = "no"
        raise PermanentError(message)

    await reader(stores, work).handle(encode(Envelope("item", NOW, Item("mail", "i", "r", "v"))))
    assert bodies(account, "scan-items") == []
    assert len(account.containers["deadletters"]) == 1
    assert len(alerted(account)) == 1


def undertaker(stores, dead):
    queue, poison = stores.queue("scan-items"), stores.queue("scan-items-poison")
    return Undertaker("scan-items", queue, poison, dead)


async def test_undertaker_revives_a_message_that_workers_died_under_then_keeps_it(stores, account):
    dead = DeadLetters(
        stores.blobs("deadletters"), Alerts(stores.table("alerts"), now), stores.queue, now
    )
    raw = encode(Envelope("item", NOW, Item("mail", "i", "r", "v")))
    for times in (1, 2, 3):
        await undertaker(stores, dead).bury(raw)
        raw = account.queues["scan-items"][-1].body
        assert decode(raw, Envelope).revived == times
        assert not account.containers.get("deadletters")
    await undertaker(stores, dead).bury(raw)
    assert len(account.queues["scan-items"]) == 3
    assert len(account.containers["deadletters"]) == 1


async def test_poison_stays_while_the_letters_are_away(account):
    async def away(operation, _moment):
        if operation.startswith("deadletters"):
            message = "away"
            raise UnavailableError(message)

    clock = [NOW]
    account.clock = lambda: clock[0]
    await MemoryStores(account).queue("scan-items-poison").put(b"poison")
    for hook, kept, left in ((away, 0, 1), (None, 0, 1), (None, 1, 0)):
        stores = MemoryStores(account, hook) if hook else MemoryStores(account)
        dead = DeadLetters(
            stores.blobs("deadletters"), Alerts(stores.table("alerts"), now), stores.queue, now
        )
        await undertaker(stores, dead).settle()
        assert len(account.containers.get("deadletters", {})) == kept
        assert len(account.queues["scan-items-poison"]) == left
        if not hook and not kept:  # the second time it was still hidden
            clock[0] += timedelta(seconds=IN_HAND)


@pytest.mark.parametrize("deaths", [1, 5, 20])
async def test_poison_outlives_any_number_of_workers_that_die_with_it(account, deaths):
    clock = [NOW]
    account.clock = lambda: clock[0]

    async def dies(operation, moment):
        if operation == "scan-items-poison.drop" and moment == "before":
            raise Crash

    await MemoryStores(account).queue("scan-items-poison").put(b"poison")
    for _ in range(deaths):
        with pytest.raises(Crash):
            await undertaker(MemoryStores(account, dies), letters(account)).settle()
        clock[0] += timedelta(seconds=IN_HAND)
    await undertaker(MemoryStores(account), letters(account)).settle()
    assert len(account.containers["deadletters"]) == 1
    assert account.queues["scan-items-poison"] == []


async def test_one_message_that_fails_holds_up_no_other(stores, account):
    done = []

    async def work(body):
        if body == b"2":
            raise ZeroDivisionError
        done.append(body)

    queue = stores.queue("q")
    for body in (b"1", b"2", b"3"):
        await queue.put(body)
    with pytest.raises(ExceptionGroup) as caught:
        await emptied(queue, work)
    assert [type(each) for each in caught.value.exceptions] == [ZeroDivisionError]
    assert done == [b"1", b"3"]
    assert [message.body for message in account.queues["q"]] == [b"2"]


async def test_one_queue_that_fails_holds_up_no_other(stores, account):
    class Failing:
        async def take(self, _hidden):
            raise ZeroDivisionError

    await stores.queue("scan-items-poison").put(b"poison")
    good = undertaker(stores, letters(account))
    with pytest.raises(ExceptionGroup):
        await settle_all([replace(good, poison=Failing()), good])
    assert len(account.containers["deadletters"]) == 1


async def test_more_poison_than_one_request_gives_is_settled_at_once(stores, account):
    for number in range(100):
        await stores.queue("scan-items-poison").put(b"%d" % number)
    await undertaker(stores, letters(account)).settle()
    assert account.queues["scan-items-poison"] == []
    assert len(account.containers["deadletters"]) == 100


def letters(account):
    stores = MemoryStores(account)
    alerts = Alerts(stores.table("alerts"), now)
    return DeadLetters(stores.blobs("deadletters"), alerts, stores.queue, now)


async def test_scanner_refuses_an_envelope_without_an_item():
    with pytest.raises(MalformedError):
        await Scanner(app=None).scan(Envelope("item", NOW))


async def test_gate_enqueues_one_item_a_recipient(stores, account):
    async def items_for(name):
        return tuple(Item("gate", name, str(index), "e1") for index in range(2))

    await Gate(items_for, stores.queue("scan-items"), now, lambda: "t").landed("mail/1.eml")
    assert [each.item.recipient for each in bodies(account, "scan-items")] == ["0", "1"]


BLOB = b'{"Type":"BlobTrigger","ContainerName":"landing","BlobName":"gate/mail/1.eml"}'


@pytest.mark.parametrize("raw", [b"x", b"[]", b"{}", BLOB.replace(b"landing", b"audit")])
async def test_what_names_no_upload_is_a_dead_letter(raw):
    account = Account(now)
    stores = MemoryStores(account)
    letters = DeadLetters(
        stores.blobs("deadletters"), Alerts(stores.table("alerts"), now), stores.queue, now
    )
    await Stranded(landing(stores), stores.queue(STRANDED), letters).handle(raw)
    assert len(account.containers["deadletters"]) == 1


async def test_an_upload_that_the_platform_gave_up_on_lands_again():
    account = Account(now)
    stores = MemoryStores(account)
    queue = stores.queue(STRANDED)
    await queue.put(BLOB)
    await Stranded(landing(stores), queue, None).settle()
    assert account.queues[STRANDED] == []
    [item] = [decode(message.body, Envelope).item for message in account.queues["scan-items"]]
    assert item.id == "gate/mail/1.eml"


async def test_an_upload_waits_while_the_landing_is_away():
    account = Account(now)
    stores = MemoryStores(account)

    async def away(_name):
        message = "away"
        raise UnavailableError(message)

    gate = Gate(away, stores.queue("scan-items"), now, lambda: "t")
    queue = stores.queue(STRANDED)
    await queue.put(BLOB)
    await Stranded(gate, queue, None).settle()
    assert [message.body for message in account.queues[STRANDED]] == [BLOB]


def landing(stores):
    async def items(name):
        return (Item("gate", name, "0", "v1"),)

    return Gate(items, stores.queue("scan-items"), now, lambda: "t")
