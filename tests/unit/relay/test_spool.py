"""The spool: sealed, in exactly one state, durable before it says so; keys rotate."""

from __future__ import annotations

import base64
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from relay.sealed import MAGIC, Sealer, keys_of
from relay.spool import DEAD, HELD, INCOMING, OUTGOING, TMP, Letter, Spool, new_id
from shared.errors import GoneError, MalformedError, SettingsError
from tests.unit.relay.doors import spool_in

NOW = datetime(2026, 11, 28, tzinfo=UTC)
LETTER = Letter("a@x.example", ("b@city.example",), NOW, ("RET=HDRS",), (("NOTIFY=NEVER",),))
SECRET = "個人番号 の控え".encode()


@pytest.fixture
def spool(tmp_path):
    return spool_in(tmp_path)


def test_mail_comes_back_as_it_was_and_lies_sealed(spool):
    name = new_id()
    spool.put(INCOMING, name, LETTER, SECRET)
    assert spool.read(INCOMING, name, Letter) == (LETTER, SECRET)
    assert spool.meta(INCOMING, name, Letter) == LETTER
    raw = spool.path(INCOMING, name).read_bytes()
    assert raw.startswith(MAGIC.encode() + b" k1 ")
    assert SECRET not in raw
    assert b"city.example" not in raw
    assert spool.path(INCOMING, name).stat().st_mode & 0o007 == 0


def test_large_envelope_is_read_without_the_mail(spool):
    many = Letter("", tuple(f"u{n}@city.example" for n in range(5_000)), NOW)
    spool.put(INCOMING, "a" * 24, many, b"x" * 100)
    assert spool.meta(INCOMING, "a" * 24, Letter) == many


def test_same_mail_is_never_sealed_to_the_same_bytes(spool):
    spool.put(INCOMING, "a" * 24, LETTER, SECRET)
    first = spool.path(INCOMING, "a" * 24).read_bytes()
    spool.put(INCOMING, "a" * 24, LETTER, SECRET)
    assert spool.path(INCOMING, "a" * 24).read_bytes() != first


@pytest.mark.parametrize("at", [3, 20, 60, 100, -1])
def test_changed_byte_is_noticed(spool, at):
    spool.put(HELD, "a" * 24, LETTER, SECRET)
    path = spool.path(HELD, "a" * 24)
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)
    with pytest.raises(MalformedError) as caught:
        spool.read(HELD, "a" * 24, Letter)
    assert "city" not in str(caught.value)


def test_file_cannot_be_renamed_to_be_another(spool):
    spool.put(HELD, "a" * 24, LETTER, SECRET)
    spool.path(HELD, "a" * 24).rename(spool.path(HELD, "b" * 24))
    with pytest.raises(MalformedError):
        spool.read(HELD, "b" * 24, Letter)


def test_names_are_in_order_of_arrival(spool):
    names = [new_id() for _ in range(3)]
    later = f"{int(names[0][:12], 16) + 5:012x}" + "0" * 12
    for name in (later, *names):
        spool.put(INCOMING, name, LETTER, b"")
    assert spool.names(INCOMING)[-1] == later
    assert re.fullmatch(r"[0-9a-f]{24}", names[0])


def test_move_twice_is_harmless_and_of_nothing_is_gone(spool):
    spool.put(INCOMING, "a" * 24, LETTER, SECRET)
    spool.move("a" * 24, INCOMING, HELD)
    spool.move("a" * 24, INCOMING, HELD)
    assert (spool.names(INCOMING), spool.names(HELD)) == ([], ["a" * 24])
    with pytest.raises(GoneError):
        spool.move("b" * 24, INCOMING, HELD)
    with pytest.raises(GoneError):
        spool.read(DEAD, "a" * 24, Letter)


def test_bytes_are_counted_with_each_write(spool):
    spool.put(OUTGOING, "a" * 24, LETTER, b"x" * 1_000)
    held = spool.bytes_held
    assert held > 1_000
    spool.measure()
    assert spool.bytes_held == held
    spool.remove(OUTGOING, "a" * 24)
    spool.remove(OUTGOING, "a" * 24)
    assert spool.bytes_held == 0


def test_what_was_never_accepted_is_dropped_at_start(spool):
    (spool.folder / TMP / "half.incoming").write_bytes(b"half a mail")
    assert spool.prepare() == 1
    assert list((spool.folder / TMP).iterdir()) == []


def test_disk_is_synced_before_put_returns(spool, monkeypatch):
    """The order is the promise: the file, its name, the folder."""
    steps = []
    sync, rename = os.fsync, type(spool.folder).rename

    def synced(handle):
        steps.append("folder" if Path(f"/proc/self/fd/{handle}").is_dir() else "file")
        sync(handle)

    def renamed(path, target):
        steps.append("rename")
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(type(spool.folder), "rename", renamed)
    spool.put(INCOMING, "a" * 24, LETTER, SECRET)
    assert steps == ["file", "rename", "folder"]


def test_write_that_fails_leaves_nothing(spool, monkeypatch):
    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="space"):
        spool.put(INCOMING, "a" * 24, LETTER, SECRET)
    assert spool.names(INCOMING) == []
    assert list((spool.folder / TMP).iterdir()) == []


def line(name):
    return f"{name}:{base64.b64encode(os.urandom(32)).decode()}"


def test_rotation_reads_with_the_old_key_and_reseals_with_the_new(tmp_path):
    old, new = line("k1"), line("k2")
    before = Spool(tmp_path, Sealer(keys_of(old, "f")))
    before.prepare()
    before.put(HELD, "a" * 24, LETTER, SECRET)
    before.note("a" * 24, LETTER)
    both = Spool(tmp_path, Sealer(keys_of(f"{new}\n{old}", "f")))
    assert both.read(HELD, "a" * 24, Letter)[1] == SECRET
    assert both.reseal() == 2
    assert both.reseal() == 0
    after = Spool(tmp_path, Sealer(keys_of(new, "f")))
    assert after.read(HELD, "a" * 24, Letter) == (LETTER, SECRET)
    assert after.noted("a" * 24, Letter) == LETTER
    with pytest.raises(MalformedError, match="k2"):
        before.read(HELD, "a" * 24, Letter)


WRONG = ["", "k1", "k1:AAAA", ":" + "A" * 44, "k 1:x", line("k1") + "\nx"]


@pytest.mark.parametrize("text", WRONG, ids=range(len(WRONG)))
def test_file_of_keys_that_is_none_is_named_and_never_quoted(text):
    with pytest.raises(SettingsError, match=r"spool\.key") as caught:
        keys_of(text, "spool.key")
    assert "AAAA" not in str(caught.value)
