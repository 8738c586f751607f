"""Lineage, pictures, archives and limits."""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
import time
import zipfile
import zlib

import pytest
from PIL import Image

from shared.model import Content, GapCode
from shared.sanitize import WORDS as SAYINGS
from shared.sanitize import Limits, sanitise
from tests.unit.extract_files.rar_cases import built
from tests.unit.sanitize.sanitize_mail import archive
from tests.unit.sanitize.sanitize_office import document, saved_image
from tests.unit.sanitize.sanitize_sample import TOOLS, WORDS, clean, codes


def test_lineage_holds_both_hashes_and_words_in_two_languages():
    data = f"<p>{WORDS}</p><script>1</script>".encode()
    result = clean(data, "a.html")
    assert result.lineage.original == hashlib.sha256(data).hexdigest()
    assert result.lineage.clean == hashlib.sha256(result.content.data).hexdigest()
    removal = next(each for each in result.lineage.removals if each.code == "script")
    assert ("スクリプト" in removal.ja, "script" in removal.en) == (True, True)
    assert (result.lineage.text_kept, result.lineage.text_lost) == (True, 0)


def test_lineage_says_when_words_were_lost():
    result = clean(archive([("a.txt", WORDS.encode()), ("run.bat", b"echo hello world")]), "a.zip")
    assert result.lineage.text_kept is False
    assert result.lineage.text_lost >= 1


def test_lineage_lists_parts_with_a_place_and_no_name():
    result = clean(archive([("山田太郎.txt", WORDS.encode())]), "a.zip")
    (part,) = result.lineage.parts
    assert (part.location, part.kind) == ("メンバー1.txt", "text")
    assert part.original == part.clean
    assert "山田" not in repr(result)


def test_every_code_has_words_in_both_languages():
    assert all(word.ja and word.en and word.ja != word.en for word in SAYINGS.values())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "BMP", "WEBP"])
def test_picture_loses_its_metadata_keeps_its_pixels_and_is_stable(kind):
    settings = {} if kind in {"GIF", "BMP"} else {"exif": Image.Exif()}
    if settings:
        settings["exif"][0x010E] = "35.6895N 139.6917E"
    data = saved_image(kind, **settings)
    result = clean(data, f"a.{kind.lower()}")
    assert b"35.6895N" not in result.content.data
    with Image.open(io.BytesIO(result.content.data)) as picture:
        assert (picture.format, picture.size) == (kind, (40, 30))
        assert not picture.getexif().get(0x010E)
    assert clean(result.content.data, "a").content.data == result.content.data


def test_picture_with_a_zip_behind_it_loses_the_zip():
    data = saved_image("PNG") + archive([("a.exe", b"MZ\0\0")])
    result = clean(data, "a.png")
    assert b"PK\3\4" not in result.content.data


def test_animation_keeps_its_frames():
    frames = [Image.new("RGB", (8, 8), (n * 80, 0, 0)) for n in range(3)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=50, loop=0)
    result = clean(out.getvalue(), "a.gif")
    with Image.open(io.BytesIO(result.content.data)) as picture:
        assert picture.n_frames == 3
    assert clean(result.content.data, "a.gif").content.data == result.content.data


def png_of(width, height):
    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


def test_picture_bomb_is_held():
    result = clean(png_of(60_000, 60_000), "a.png")
    assert result.content is None
    assert result.gaps[0].code is GapCode.BOMB


def held_as(data, name, **limits):
    result = sanitise(
        Content(data, name), tools=TOOLS, clock=time.monotonic, limits=Limits(**limits)
    )
    assert result.content is None
    return result.gaps[-1].code


def test_limits_hold_by_name():
    deep = archive([("a.txt", b"x")])
    for _ in range(10):
        deep = archive([("a.zip", deep)])
    assert held_as(deep, "a.zip") is GapCode.TOO_DEEP
    assert (
        held_as(archive([(f"{n}.txt", b"x") for n in range(20)]), "a.zip", members=10)
        is GapCode.TOO_MANY
    )
    assert held_as(archive([("a.txt", b"\0" * 20_000_000)]), "a.zip") is GapCode.BOMB
    assert held_as(archive([("a.txt", b"x" * 5_000)]), "a.zip", expanded=4_000) is GapCode.TOO_LARGE
    assert held_as(document(), "a.docx", seconds=-1) is GapCode.TIMED_OUT


def test_unknown_and_foreign_formats_are_held():
    assert held_as(bytes(range(256)) * 8, "a.bin") is GapCode.UNKNOWN_FORMAT
    assert held_as(gzip.compress(b"a"), "a.gz") is GapCode.UNSUPPORTED
    assert held_as(b"7z\xbc\xaf\x27\x1c" + b"\0" * 60, "a.7z") is GapCode.MALFORMED
    assert held_as(built({"a.txt": b"a"}, password="x"), "a.rar") is GapCode.ENCRYPTED


def test_archive_names_are_kept_cleaned_and_told_apart():
    members = [("住民票/様式.txt", b"a"), ("../様式.txt", b"b"), ("様式.txt", b"c")]
    result = clean(archive(members), "a.zip")
    with zipfile.ZipFile(io.BytesIO(result.content.data)) as made:
        assert made.namelist() == ["住民票/様式.txt", "様式.txt", "様式(2).txt"]
    assert codes(result) == {"name_cleaned"}


def test_symbolic_link_is_removed():
    info = zipfile.ZipInfo("link")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    result = clean(archive([(info, b"/etc/passwd"), ("a.txt", b"a")]), "a.zip")
    assert codes(result) == {"symbolic_link"}


def test_packages_with_a_name_twice_are_held():
    out = io.BytesIO(document())
    with zipfile.ZipFile(out, "a") as made:
        made.writestr("WORD/document.xml", b"<x/>")
    assert held_as(out.getvalue(), "a.docx") is GapCode.AMBIGUOUS
