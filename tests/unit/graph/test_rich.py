"""Sealed notifications: only Graph's own, for us, unchanged, are opened; forged do nothing."""

from __future__ import annotations

import json
from datetime import timedelta

import msgspec
import pytest

from local.graph.rich import FORGERIES, Signer, encrypted, recipient
from shared.errors import RefusedError, UnavailableError
from tests.unit.graph.sealed_house import (
    APP,
    MESSAGE,
    NEW,
    OLD,
    SECRET,
    SIGNER,
    STRANGE,
    TENANT,
    Clock,
    House,
    Published,
    notification,
    rich,
    sealed,
)


@pytest.mark.parametrize("to", [NEW, OLD], ids=["new", "old"])
async def test_genuine_one_opens_with_either_live_certificate(to):
    assert await rich().open(sealed(to=to)) == MESSAGE


@pytest.mark.parametrize("forgery", sorted(FORGERIES))
async def test_each_forgery_is_refused(forgery):
    with pytest.raises(RefusedError) as error:
        await rich().open(sealed(forgery=forgery))
    assert SECRET not in str(error.value)


async def test_token_of_another_tenant_is_refused():
    content = encrypted(MESSAGE, recipient(NEW.text, NEW.id))
    body = {"content": content, "tokens": [SIGNER.token(APP, "another")]}
    with pytest.raises(RefusedError):
        await rich().open(msgspec.json.encode(body))


async def test_one_forged_token_among_genuine_ones_is_refused():
    value = json.loads(sealed())
    value["tokens"].append(SIGNER.token(APP, TENANT, "publisher"))
    with pytest.raises(RefusedError):
        await rich().open(json.dumps(value).encode())


async def test_the_certificate_of_somebody_else_does_not_open():
    with pytest.raises(RefusedError):
        await rich(certificates=(STRANGE,)).open(sealed())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"content": {}, "tokens": []}',
        b'{"content": {}, "tokens": [1]}',
        b'{"content": {}, "tokens": ["a.b.c"]}',
        b'{"tokens": {}}',
    ],
)
async def test_anything_else_is_refused(body):
    with pytest.raises(RefusedError):
        await rich().open(body)


@pytest.mark.parametrize("name", ["data", "dataKey", "dataSignature", "encryptionCertificateId"])
@pytest.mark.parametrize("value", ["", "AAAA", "漢", None, 5, {}])
async def test_damaged_content_is_refused(name, value):
    with pytest.raises(RefusedError):
        await rich().open(sealed(**{name: value}))


async def test_keys_are_fetched_once_and_a_flood_of_unknown_ones_asks_every_five_minutes():
    published, clock = Published(), Clock()
    opener = rich(published, clock)
    for _ in range(3):
        await opener.open(sealed())
    assert published.fetched == 1
    for _ in range(20):
        with pytest.raises(RefusedError):
            await opener.open(sealed(forgery="unknown_key"))
    assert published.fetched == 1
    clock.now += timedelta(minutes=6)
    with pytest.raises(RefusedError):
        await opener.open(sealed(forgery="unknown_key"))
    assert published.fetched == 2


async def test_a_new_signing_key_is_learnt():
    signer, clock = Signer(), Clock()
    published = Published(signer)
    opener = rich(published, clock)
    await opener.open(sealed(signer=signer))
    signer.rotate()
    clock.now += timedelta(minutes=6)
    assert await opener.open(sealed(signer=signer)) == MESSAGE


async def test_keys_that_cannot_be_fetched_are_no_forgery():
    published = Published()
    published.away = True
    with pytest.raises(UnavailableError):
        await rich(published).open(sealed())


async def test_genuine_notification_becomes_an_item_and_no_text_is_on_any_queue():
    house = House()
    assert await house.intake.receive(notification(sealed())) is None
    await house.resolve()
    (body,) = house.bodies("scan-items")
    assert json.loads(body)["item"]["id"] == MESSAGE["id"]
    assert json.loads(body)["item"]["content_version"] == MESSAGE["createdDateTime"]
    every = b"".join(house.bodies("graph-hints") + house.bodies("scan-items"))
    assert SECRET not in every.decode()


async def test_large_sealed_content_goes_aside():
    house = House()
    payload = MESSAGE | {"body": {"content": SECRET * 10_000}}
    await house.intake.receive(notification(sealed(payload=payload)))
    (body,) = house.bodies("graph-hints")
    assert len(body) < 48 * 1024
    await house.resolve()
    assert len(house.bodies("scan-items")) == 1


async def test_a_thousand_forged_notifications_do_nothing_and_are_a_thousand_security_events():
    house = House()
    kinds = sorted(FORGERIES)
    for number in range(1000):
        if number % 5 == 0:
            body = notification(sealed(), state=f"teams.x.{number}.forged", number=number)
        else:
            body = notification(sealed(forgery=kinds[number % len(kinds)]), number=number)
        assert await house.intake.receive(body) is None  # 202, as to a genuine one
    assert len(house.bodies("graph-hints")) == 800
    await house.resolve()
    assert house.bodies("scan-items") == []
    assert len(await house.events("refused")) == 1000
