"""Killed after any write while a mail is sanitised, masked or blocked: once, or never; not lost."""

from __future__ import annotations

import itertools

import pytest

from local.memory import Crash, MemoryStores
from shared.storage.alerts import Alerts
from shared.storage.evidence import Evidence
from tests.unit.extract_files.numbers_made import my_number
from tests.unit.services.gate_parts import Whole, mail
from tests.unit.services.test_gate_actions import TAGGED
from tests.unit.services.test_gate_passwords import Dying

NUMBER = my_number(99999314159)
HTML = "<p>資料です</p><script>alert(1)</script>"


class DyingWhole(Whole):
    """Its quarantine dies too."""

    def __init__(self, rig, number, **given):
        stores = MemoryStores(rig.account, Dying(number))
        alerts = Alerts(rig.stores.table("alerts"), rig.clock)
        before, rig.quarantine = rig.quarantine, None
        rig.quarantine = Evidence(stores.blobs("quarantine"), alerts, "quarantine")
        super().__init__(rig, stores=stores, url="", **given)
        rig.quarantine = before


CASES = {
    "clean": ({"html": HTML}, {}, "original.bin", 1),
    "masked": ({"body": "電話は 03-3333-1111 です\n"}, {"policy": TAGGED}, ".bin", 1),
    "blocked": ({"body": f"個人番号は {NUMBER} です\n"}, {}, ".bin", 0),
}


@pytest.mark.parametrize("case", CASES)
async def test_gate_killed_after_any_write(rig, case):
    given, more, kept, copies = CASES[case]
    for number in itertools.count():
        name, raw = f"mail/{case}{number}.eml", mail(number=f"{case}{number}", **given)
        whole = Whole(rig, url="", **more)
        (item,) = await whole.land(name, raw)
        dying = DyingWhole(rig, number, **more)
        # The pipeline writes the intent before it acts; what it acts on may be made before.
        died = False
        try:
            fetched = await dying.service.fetch(item)
        except Crash:
            died = True
            fetched = await whole.service.fetch(item)
        claim = await judged(whole, item, fetched)
        try:
            await dying.service.apply(claim)
        except Crash:
            died = True
        for _ in range(2):
            await whole.service.apply(claim)
        sent = [each for each in whole.mails() if f"<{case}{number}@".encode() in each]
        assert len(sent) == copies, number
        if case == "clean":
            assert sent[0].endswith(fetched.content.data)
        assert await whole.landing.properties(name) is None
        held = [each async for each in rig.quarantine.blobs.names() if each.endswith(kept)]
        assert any([(await rig.quarantine.blobs.get(each)).data == raw for each in held])
        if not died:
            break
    assert number > 3


async def judged(whole, item, fetched):
    extraction = await whole.app().extract(fetched.content)
    app = whole.app()
    decision = app.decide(fetched.context, app.detect(extraction.segments), extraction.gaps, ())
    claim = whole.rig.claim(item, decision.disposition, context=fetched.context)
    object.__setattr__(claim.intent, "decision", decision)
    return claim
