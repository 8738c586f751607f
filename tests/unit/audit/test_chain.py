from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from shared.audit.chain import GENESIS, Break, Kind, Tip, Walk, append, digest, parse, verify
from shared.audit.head import (
    Head,
    any_of,
    es256_signer,
    es256_verifier,
    holds,
    key_id,
    public_pem,
    sign,
)
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
    assert verify(lines).broken.words == "record 7 stands further on, another in its place"


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
    assert not holds(type(signed)(head, signed.key, f"!{signed.signature}"), verifier)
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


def test_former_key_is_still_good_and_a_strange_one_never():
    former, present, strange = pem(), pem(), pem()
    head = Head(20, "ab" * 32, datetime(2026, 11, 24, tzinfo=UTC))
    good = any_of([public_pem(present), public_pem(former)])
    assert [holds(sign(head, es256_signer(key)), good) for key in (former, present, strange)] == [
        True, True, False,
    ]  # fmt: skip
    assert not holds(sign(head, es256_signer(present)), any_of([]))


def test_signature_names_its_key():
    private = pem()
    signed = sign(Head(1, "ab" * 32, datetime(2026, 11, 24, tzinfo=UTC)), es256_signer(private))
    assert signed.key == key_id(public_pem(private))
    assert (len(signed.key), int(signed.key, 16) >= 0) == (16, True)


def test_key_that_is_no_elliptic_curve_is_refused():
    key = rsa.generate_private_key(65_537, 2_048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with pytest.raises(ValueError, match="P-256"):
        es256_signer(private)
    with pytest.raises(ValueError, match="P-256"):
        es256_verifier(public_pem(private))


def test_first_record_follows_sixty_four_zeros_and_is_number_one():
    line, tip = append(Tip(), b"{}")
    assert (GENESIS, tip.count) == ("0" * 64, 1)
    assert line == b'{"seq":1,"prev":"%b","hash":"%b","event":{}}\n' % (
        GENESIS.encode(), tip.hash.encode(),
    )  # fmt: skip
    # SHA-256 over the domain's name and a zero byte, the hash before, the number in eight bytes,
    # the event: worked out once by another program (openssl dgst), so that it stays what it is.
    assert tip.hash == "537b2e269a0b8e7c2ecda8135551913cfe16a0b5bb882fb3ade77f21eeeff1dc"


def test_record_is_one_with_and_without_its_line_end():
    line, _ = append(Tip(), b"{}")
    assert parse(line) == parse(line[:-1]) is not None
    assert parse(line + b"\n") is None


def test_record_number_nought_is_none():
    value = digest(GENESIS, 0, b"{}")
    made = b'{"seq":0,"prev":"%b","hash":"%b","event":{}}\n' % (GENESIS.encode(), value.encode())
    assert parse(made) is None


def test_record_with_one_field_more_is_none():
    line, _ = append(Tip(), b"{}")
    assert parse(line.replace(b"}}", b'},"more":1}')) is None


def test_last_line_that_is_cut_off_is_a_truncation():
    lines, _ = chain(20)
    walk = Walk()
    walk.feed(lines[:19])
    found = walk.finish(lines[19][:30]).broken
    assert (found.seq, found.kind) == (20, Kind.TRUNCATION)


def test_edit_is_told_and_not_the_line_that_is_cut_off_behind_it():
    lines, _ = chain(20)
    lines[4] = lines[4].replace(b'"n":4', b'"n":5')
    walk = Walk()
    walk.feed(lines[:19])
    assert walk.finish(lines[19][:30]).broken.seq == 5


@pytest.mark.parametrize("last", [True, False])
def test_rewriting_lies_between_the_last_head_that_agrees_and_the_first_that_does_not(last):
    lines, tip = chain(30)
    tips = [verify(lines[:count]).tip for count in (5, 10, 20)]
    other, _ = chain(20, verify(lines[:14]).tip, salt="other")
    log = lines[:14] + other[: 6 if last else 20]
    found = verify(log, heads=[*tips, *(() if last else (tip,))])
    assert found.broken == Break(20, Kind.FORK, found.broken.words, earliest=11)
    assert found.tip.count == 20


def test_heads_before_the_start_are_passed_over_and_that_of_the_start_is_not():
    lines, _ = chain(20)
    tips = [verify(lines[:count]).tip for count in (5, 10, 20)]
    assert verify(lines[10:], tips[1], [Tip(5, "00" * 32), *tips[1:]]).broken is None
    wrong = verify(lines[10:], tips[1], [Tip(10, "00" * 32), tips[2]]).broken
    assert (wrong.seq, wrong.kind, wrong.earliest) == (10, Kind.FORK, 11)


def test_head_of_an_empty_log_asks_for_nothing():
    assert verify([], heads=[Tip()]).broken is None
    assert verify([], heads=[Tip(3, "00" * 32)]).broken.seq == 1


def test_two_heads_of_one_count_must_both_agree():
    lines, tip = chain(10)
    assert verify(lines, heads=[tip, tip]).broken is None
    assert verify(lines, heads=[tip, Tip(10, "00" * 32)]).broken.kind is Kind.FORK


def test_verification_in_pieces_is_that_of_the_whole():
    lines, tip = chain(20)
    moved = lines[:6] + lines[7:12] + [lines[6]] + lines[12:]
    walk = Walk(heads=[tip])
    for line in moved:
        walk.feed([line])
    found = walk.finish()
    assert found == verify(moved, heads=[tip])
    assert (found.broken.seq, found.broken.kind, found.tip.count) == (7, Kind.REORDER, 6)
    assert walk.missing == 0


def test_first_record_of_another_history_is_told_as_the_first():
    lines, _ = chain(3, Tip(0, "ab" * 32))
    assert broken(lines) == (1, Kind.EDIT)


def test_old_record_of_another_history_is_a_fork_and_an_unknown_one_is_not():
    lines, _ = chain(20)
    other, _ = chain(3, verify(lines[:5]).tip, salt="other")
    assert broken(lines + other[:1]) == (6, Kind.FORK)
    start = verify(lines[:10]).tip
    assert verify([lines[3]], start).broken.kind is Kind.REORDER


def test_record_of_the_start_that_comes_again_was_moved():
    lines, _ = chain(20)
    start = verify(lines[:10]).tip
    assert verify([lines[9]], start).broken.kind is Kind.REORDER


def test_break_is_told_in_words():
    lines, tip = chain(20)
    other = Tip(20, "00" * 32)
    told = {
        "records 7 to 8 are missing": verify(lines[:6] + lines[8:]),
        "a head counts 20 records, the log ends at 15": verify(lines[:15], heads=[tip]),
        "a head of 20 records has another hash: rewritten before": verify(lines, heads=[other]),
        "its successor vouches for another hash": verify(chain(3, Tip(0, "ab" * 32))[0]),
    }
    assert list(told) == [each.broken.words for each in told.values()]


def test_another_record_with_the_number_of_the_start_is_a_fork():
    lines, _ = chain(20)
    start = verify(lines[:10]).tip
    other, _ = chain(1, verify(lines[:9]).tip, salt="other")
    found = verify(other, start).broken
    assert (found.seq, found.kind) == (10, Kind.FORK)


def test_head_of_one_record_asks_for_it():
    assert verify([], heads=[Tip(1, "00" * 32)]).broken.kind is Kind.TRUNCATION


def test_line_that_is_cut_off_is_told_in_words():
    walk = Walk()
    walk.feed(chain(3)[0])
    assert walk.finish(b'{"seq":4').broken.words == "the last line is cut off"
