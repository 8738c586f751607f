from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shared.audit.chain import Kind, Tip, append, parse, verify
from shared.audit.head import Head, es256_signer, es256_verifier, holds, public_pem, sign
from shared.codec import encode


def chain(count, start=None, salt=""):
    lines, tip = [], start or Tip()
    for number in range(count):
        line, tip = append(tip, encode({"id": f"{salt}{number}", "n": number}))
        lines.append(line)
    return lines, tip


def broken(lines, heads=()):
    found = verify(lines, heads=heads).broken
    return (found.seq, found.kind) if found else None


def test_verify_accepts_a_whole_chain_and_says_where_it_ends():
    lines, tip = chain(50)
    assert verify(lines, heads=[tip]) == verify(lines)
    assert verify(lines).tip == tip
    assert verify(lines).broken is None


def test_verify_goes_on_from_a_tip():
    lines, tip = chain(20)
    middle = verify(lines[:7]).tip
    assert verify(lines[7:], middle, [tip]).broken is None
    assert verify(lines[8:], middle).broken.kind is Kind.DELETE


def test_verify_locates_an_edit():
    lines, _ = chain(20)
    lines[6] = lines[6].replace(b'"n":6', b'"n":5')
    assert broken(lines) == (7, Kind.EDIT)


def test_verify_locates_an_edit_that_was_hashed_anew():
    lines, _ = chain(20)
    before = verify(lines[:6]).tip
    lines[6], _ = append(before, encode({"id": "6", "n": 5}))
    assert broken(lines) == (7, Kind.EDIT)


@pytest.mark.parametrize("change", [b" ", b"\r"])
def test_verify_refuses_another_spelling_of_the_same_record(change):
    lines, _ = chain(5)
    lines[2] = lines[2].rstrip(b"\n") + change + b"\n"
    assert broken(lines) == (3, Kind.EDIT)


def test_verify_locates_a_deletion():
    lines, _ = chain(20)
    assert broken(lines[:6] + lines[8:]) == (7, Kind.DELETE)


def test_verify_locates_a_swap():
    lines, _ = chain(20)
    lines[6], lines[12] = lines[12], lines[6]
    assert broken(lines) == (7, Kind.REORDER)


def test_verify_locates_a_repetition():
    lines, _ = chain(20)
    assert broken([*lines[:7], lines[3], *lines[7:]]) == (8, Kind.REORDER)


def test_verify_locates_a_fork():
    lines, _ = chain(20)
    other, _ = chain(1, verify(lines[:6]).tip, salt="other")
    assert broken(lines[:7] + other + lines[7:]) == (7, Kind.FORK)


def test_signed_head_shows_truncation():
    lines, tip = chain(20)
    assert broken(lines[:15]) is None
    assert broken(lines[:15], [tip]) == (16, Kind.TRUNCATION)


def test_signed_head_shows_a_rewritten_end():
    lines, tip = chain(20)
    start = verify(lines[:10]).tip
    other, _ = chain(15, start, salt="other")
    assert broken(lines[:10] + other) is None
    assert broken(lines[:10] + other, [start, tip]) == (20, Kind.FORK)


@pytest.mark.parametrize("line", [b"", b"\n", b"{}", b"\xff", b'{"seq":-1}', b"[" * 100])
def test_parse_of_anything_else_is_none(line):
    assert parse(line) is None


def test_every_random_damage_is_found_and_located():
    lines, tip = chain(300)
    rng = random.Random(20261124)
    for _ in range(200):
        damaged = list(lines)
        at = rng.randrange(1, 299)
        kind = rng.choice(["edit", "delete", "swap", "cut"])
        if kind == "edit":
            data = bytearray(damaged[at])
            data[rng.randrange(len(data) - 1)] ^= 1 + rng.randrange(127)
            damaged[at] = bytes(data)
        elif kind == "delete":
            del damaged[at]
        elif kind == "swap":
            damaged[at], damaged[at - 1] = damaged[at - 1], damaged[at]
        else:
            del damaged[at:]
        found = verify(damaged, heads=[tip]).broken
        assert found is not None, kind
        assert found.seq in {at, at + 1}, (kind, at, found)


def pem():
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def test_signed_head_holds_only_as_signed_and_by_its_key():
    private = pem()
    head = Head(20, "ab" * 32, datetime(2026, 11, 24, tzinfo=UTC))
    signed = sign(head, es256_signer(private))
    verifier = es256_verifier(public_pem(private))
    assert holds(signed, verifier)
    assert not holds(
        type(signed)(Head(21, head.hash, head.time), signed.key, signed.signature), verifier
    )
    assert not holds(type(signed)(head, signed.key, "!!"), verifier)
    assert not holds(signed, es256_verifier(public_pem(pem())))


def test_signer_refuses_another_curve():
    key = ec.generate_private_key(ec.SECP384R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with pytest.raises(ValueError, match="P-256"):
        es256_signer(key)
    with pytest.raises(ValueError, match="P-256"):
        es256_verifier(public_pem(key))
