"""Kinds of pictures: what a telephone, a scanner or a web page keeps is read, or is a named gap."""

from __future__ import annotations

import io
import time

import pytest
from PIL import Image

from shared.extract import extract
from shared.model import Content, GapCode
from shared.sandbox import Sandbox
from tests.unit.extract_images.phone import HEIC, NUMBER


def read(data):
    return extract(Content(data), clock=time.monotonic)[0]


def test_photo_of_a_telephone_is_read_by_its_content():
    found = read(HEIC)
    assert [(s.location, s.text) for s in found.segments] == [("QR1", NUMBER)]
    assert [(gap.code, gap.location) for gap in found.gaps] == [(GapCode.IMAGE_ONLY, "")]


@pytest.mark.parametrize("mode", ["fork", "pool"])
async def test_photo_of_a_telephone_is_read_in_the_sandbox(mode):
    sandbox = Sandbox(processes=1, mode=mode)
    try:
        found = await sandbox.extract(Content(HEIC, "IMG_0001.HEIC"))
    finally:
        sandbox.close()
    assert NUMBER in [segment.text for segment in found.segments]
    assert [gap.code for gap in found.gaps] == [GapCode.IMAGE_ONLY]


@pytest.mark.parametrize("size", [20, 60, 400, 700, len(HEIC) - 9])
def test_photo_cut_off_is_a_named_gap(size):
    assert {gap.code for gap in read(HEIC[:size]).gaps} & {GapCode.IMAGE_ONLY, GapCode.PARTIAL}


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\x0a" + b"\x12" * 60,
        bytes.fromhex("0000000C4A584C200D0A870A") + bytes(40),
        b"\0\0\0\x18ftypavif" + bytes(60),
        b"8BPS\0\1" + bytes(60),
    ],
    ids=["JPEG XL", "JPEG XL in a box", "AVIF of nothing", "PSD of nothing"],
)
def test_picture_that_cannot_be_decoded_is_a_gap_by_name(data):
    assert [gap.code for gap in read(data).gaps] == [GapCode.IMAGE_ONLY]


def test_words_that_a_camera_or_a_person_noted_are_read():
    image = Image.new("L", (9, 9))
    exif = Image.Exif()
    exif[270] = "番号 1".encode()
    exif[40092] = "備考 2".encode("utf-16-le")
    exif.get_ifd(0x8769)[37510] = b"UNICODE\0" + "番号の控え 3".encode("utf-16-be")
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif)
    (own,) = read(out.getvalue()).segments
    assert own.location == "画像の情報"
    assert own.text.split("\n") == ["番号 1", "備考 2", "番号の控え 3"]
