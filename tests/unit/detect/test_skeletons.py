"""The skeleton of a text: as long as the text, whatever its characters and wherever it is cut."""

from __future__ import annotations

from shared.detect import chars
from shared.detect import skeleton as module
from shared.detect.skeleton import digits_of, skeleton

TEXT = "個a１😀-\ud800九\n𠮷\U0001d7d9\U0001ffff\U00020000\U0010ffff2"
CLASSES = b"\x80a1\x80-\x80\x99\n\x801\x80\x80\x802"


def test_every_character_has_one_class_those_above_the_table_too():
    assert skeleton(TEXT) == CLASSES
    assert skeleton("") == b""
    assert [skeleton(character)[0] for character in TEXT] == list(CLASSES)


def test_text_in_pieces_has_the_same_skeleton(monkeypatch):
    for length in range(1, len(TEXT) + 2):
        monkeypatch.setattr(module, "CHUNK", length)
        assert skeleton(TEXT) == CLASSES
        assert skeleton(TEXT * 3) == CLASSES * 3
        assert skeleton("個人１" * 7) == b"\x80\x801" * 7


def test_last_character_of_the_table_stands_for_all_above():
    assert chars.SIZE == 0x20000
    assert skeleton(chr(chars.SIZE - 1) + "0" + chr(chars.SIZE)) == b"\x800\x80"


def test_digits_are_those_of_ascii_and_kanji_in_their_order():
    assert digits_of(bytes(range(256))) == b"01234567890123456789"
    assert digits_of(b"\x991\x902 3") == b"910" + b"23"
    assert digits_of(b"") == b""
