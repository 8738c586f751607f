"""No number where the gate writes: masked copies, rows, letters; originals aside."""

from __future__ import annotations

import pytest

from tests.e2e.canaries import canaries, documents, letter, passing
from tests.e2e.canary import planted
from tests.unit.services.gate_parts import Whole
from tests.unit.services.test_gate_actions import MASKED

NUMBERS = canaries()[:32]
ORIGINALS = ("landing", "envelopes", "quarantine", "evidence")


def traces(rig):
    """Every byte of blobs, rows and queues that is no original."""
    account = rig.account
    for container, blobs in account.containers.items():
        for name, blob in blobs.items():
            yield f"{container}: {name}".encode()
            if container not in ORIGINALS:
                yield blob.data
    for rows in account.tables.values():
        yield from (repr((key, dict(row.values))).encode() for key, row in rows.items())
    for messages in account.queues.values():
        yield from (bytes(each.body) for each in messages)


async def pass_all(whole):
    few = NUMBERS[:8]
    await whole.passes("mail/text.eml", letter(few, f"個人番号 {few[0]}"))
    await whole.passes("mail/page.eml", letter(NUMBERS[8:16], kind="html"))
    files = documents(NUMBERS[16:24])
    attached = [(f"個人番号_{few[1]}_{name}", data) for name, data in files]
    await whole.passes("mail/files.eml", letter((), attach=attached))
    for index, (name, data) in enumerate(documents(NUMBERS[24:])):
        await whole.passes(f"files/{index}", data, path=f"受付/個人番号{few[2]}-{name}")


@pytest.mark.parametrize("policy", [MASKED, ""])
async def test_gate_leaves_no_number_but_in_originals(rig, policy):
    whole = Whole(rig, policy=policy)
    await pass_all(whole)
    assert {outcome.action for _, outcome in whole.results} <= {"quarantine", "hold", "mask"}
    for each in traces(rig):
        assert planted(each, NUMBERS) == set(), each[:80]
    for claim, outcome in whole.results:
        said = repr((claim.intent.decision, outcome)).encode()
        assert planted(said, NUMBERS) == set()


async def test_masked_copies_that_went_out_hold_no_number(rig):
    whole = Whole(rig, policy=MASKED)
    await pass_all(whole)
    sent = [*whole.mails(), *whole.files().values(), *(n.encode() for n in whole.files())]
    assert whole.mails(), "a masked mail did go"
    assert whole.files(), "a masked file did go"
    for each in sent:
        assert planted(each, NUMBERS) == set()


async def test_what_is_sanitised_and_delivered_leaves_no_number_on_its_way(rig):
    whole = Whole(rig)
    for index, (name, data) in enumerate(passing(NUMBERS[:16])):
        is_mail = name.endswith(".eml")
        given = {} if is_mail else {"path": f"受付/{name}"}
        (outcome,) = await whole.passes(f"{'mail' if is_mail else 'files'}/{index}", data, **given)
        assert outcome.action == "deliver", outcome
    assert (len(whole.mails()), len(whole.files())) == (8, 8)
    for each in traces(rig):
        assert planted(each, NUMBERS) == set(), each[:80]
    for claim, outcome in whole.results:
        assert planted(repr((claim.intent.decision, outcome)).encode(), NUMBERS) == set()
