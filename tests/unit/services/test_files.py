"""Hashes, envelopes and tombstones: small promises that the services rest on."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import MalformedError, UnavailableError
from shared.model import Disposition, Item
from shared.services import sidecar, tombstone, words
from shared.services.files import quick_xor_hash, same_bytes
from shared.services.marker import Markers
from shared.services.sidecar import Sidecar

MARKERS = Markers((b"m" * 32,))


@pytest.mark.parametrize(
    ("data", "digest"),
    [  # rclone's published vectors (backend/onedrive/quickxorhash)
        ("", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ("Sg==", "SgAAAAAAAAAAAAAAAQAAAAAAAAA="),
        ("tbQ=", "taAFAAAAAAAAAAAAAgAAAAAAAAA="),
        ("0pZP", "0rDEEwAAAAAAAAAAAwAAAAAAAAA="),
    ],
)
def test_quick_xor_hash_is_onedrives(data, digest):
    assert quick_xor_hash(base64.b64decode(data)) == digest


def slow_quick_xor_hash(data):
    """Bit by bit, as Microsoft's description says it."""
    ring = 0
    for index, byte in enumerate(data):
        for bit in range(8):
            if byte >> bit & 1:
                ring ^= 1 << (index * 11 + bit) % 160
    return base64.b64encode((ring ^ len(data) << 96).to_bytes(20, "little")).decode()


@given(st.binary(max_size=700))
def test_quick_xor_hash_is_that_of_the_description(data):
    assert quick_xor_hash(data) == slow_quick_xor_hash(data)


def test_same_bytes_trusts_the_hash_and_knows_when_it_has_none():
    entity = {"size": 5, "file": {"hashes": {"quickXorHash": quick_xor_hash(b"hello")}}}
    assert same_bytes(entity, b"hello") is True
    assert same_bytes(entity, b"hellp") is False
    assert same_bytes(entity | {"size": 6}, b"hello", sized=False) is True
    assert same_bytes({"size": 5, "file": {}}, b"hello") is None
    assert same_bytes({"size": 6, "file": {}}, b"hello") is False


@given(st.text(max_size=40) | st.text(alphabet=" ./a\u3000:", max_size=12))
def test_clean_path_stays_inside_and_is_clean(path):
    cleaned = sidecar.clean_path(path)
    assert sidecar.clean_path(cleaned) == cleaned
    assert not set(cleaned.split("/")) & {"..", "."}
    assert not cleaned.startswith("/")
    assert not set(cleaned) & set('"*:<>?\\|\x00')


@pytest.mark.parametrize(
    "wrong",
    [
        Sidecar(()),
        Sidecar(("nobody",)),
        Sidecar(("a@x.jp/../b@x.jp",)),
        Sidecar(("a@x.jp",), path="../x"),
        Sidecar(("a@x.jp",), path="/x"),
        Sidecar(("a@x.jp",), conflict="fail"),
    ],
)
async def test_envelope_that_could_go_astray_is_malformed(rig, wrong):
    with pytest.raises(MalformedError):
        await sidecar.write(rig.stores.blobs("envelopes"), "files/a", wrong)


async def test_envelope_survives_its_blob(rig):
    envelopes = rig.stores.blobs("envelopes")
    made = Sidecar(("a@x.jp", "b@x.jp"), "福祉/一覧.txt", "text/plain", "s@y.jp", rig.clock())
    await sidecar.write(envelopes, "files/a", made)
    assert await sidecar.read(envelopes, "files/a") == made
    assert "福祉" not in repr(made)
    await envelopes.put("files/b.json", b"{}")
    with pytest.raises(MalformedError):
        await sidecar.read(envelopes, "files/b")
    with pytest.raises(UnavailableError):
        await sidecar.read(envelopes, "files/c")


def test_tombstone_is_genuine_for_its_item_alone(rig):
    item = Item("drive", "01A", "b!x", "c1")
    claim = rig.claim(item, Disposition.BLOCK)
    data = tombstone.write(claim, MARKERS)
    assert data == tombstone.write(claim, MARKERS)
    assert len(data) < tombstone.LARGEST
    assert tombstone.genuine(data, item.place_key(), MARKERS)
    assert not tombstone.genuine(data, Item("drive", "01B", "b!x", "c1").place_key(), MARKERS)
    for changed in (data + b"x", data.replace(b"Why", b"Wha"), data[3:] + b"\n1", b"", data[:-9]):
        assert not tombstone.genuine(changed, item.place_key(), MARKERS)


def test_explanation_says_kinds_and_a_reference_and_holds_no_digits(rig):
    claim = rig.claim(Item("drive", "01A", "b!x", "c1"), Disposition.BLOCK)
    text = words.explanation(claim.intent.decision, "日", "E", words.reference(claim.key))
    assert "個人番号" in text
    assert not any(character.isdigit() for character in text)
    assert words.reference(claim.key) in text
