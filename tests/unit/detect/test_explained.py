"""Why the engine says what it says of its own examples and of numbers in awkward company.

``explained.txt`` holds, for each text, every candidate with its score and reasons, then the
findings as the record gets them. A change there is a change of what is stopped and why: look at
it, then write it anew with ``SEKISHO_GOLDEN=write``. Texts are named by their number in the list:
the examples themselves stand in the rules.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

from shared.model import Segment
from tests.unit.detect import numbers_for_detect as made
from tests.unit.detect.test_rules import FAST, HITS, MISSES

GOLDEN = Path(__file__).parent / "explained.txt"
N = made.MY_NUMBER
RNG = random.Random(20261128)
MANY = [made.my_number(RNG) for _ in range(6)]
CHANCE = [str(100_000_000_000 + 7_919 * n) for n in range(6)]


def _table(header, values, separator="\t"):
    return "\n".join(f"{n}{separator}{each}" for n, each in enumerate([header, *values]))


COMPANY = {
    "bare": N,
    "amount behind": f"合計 {N}円",
    "amount before": f"支払 ¥{N}",
    "address": f"https://example.jp/item/{N}",
    "inside a longer number": f"A1234-{N}",
    "thousands": f"1,234,{N}",
    "hexadecimal before": f"0x{N}",
    "hexadecimal behind": f"{N}ABCDEF",
    "decimal": f"3.{N}",
    "continues": f"{N}-99",
    "timestamp": made.forced("202611281530"),
    "short timestamp": made.forced("261128153000"),
    "zeros": made.forced("123456780000"),
    "one half twice": f"個人番号 {made.forced('123123123123')}",
    "telephones": "0312345678 0398765432",
    "bank batch": f"2{N}" + "0001234567" * 10 + "       ",
    "label at hand": f"個人番号：{N}",
    "label spaced": f"個 人 番 号　{N}",
    "label far": "個人番号について" + "、ご確認ください" * 8 + f"{N}",
    "label before another": f"個人番号 受付番号 {N}",
    "another before label": f"受付番号 個人番号 {N}",
    "label of another": f"受付番号 {N}",
    "person near": f"氏名 見本太郎 生年月日 昭和50年3月14日 {N}",
    "column of ours": _table("個人番号", MANY),
    "column of another": _table("受付番号", MANY),
    "column without a header": "\n".join(MANY),
    "column that passes by chance": _table("番号", [*CHANCE, MANY[0]]),
    "column that counts up": _table("番号", [str(int(N) + n) for n in range(6)]),
    "comma separated": _table("個人番号", MANY, ","),
    "grouped": f"{N[:4]} {N[4:8]} {N[8:]}",
    "full width": f"個人番号 {made.full_width(N)}",
    "circled": f"個人番号 {made.circled(N)}",
    "kanji": f"個人番号 {made.kanji(N)}",
    "check digit wrong": f"個人番号 {N[:-1]}9",
    "card": "カード 4111 1111 1111 1111",
    "card of one digit": "カード 4444444444444448",
    "corporate": "法人番号 7000012050002",
    "corporate behind digits": "12-7000012050002 1 7000-0120-5000-2",
    "telephone": "電話 075-222-0000 090-1234-5678 +81 75 222 0000 0120-123-456",
    "telephone bare": "電話 0752220000 番号 0752220000 09012345678",
    "telephone of nobody": "電話 0452220000000 050-1234-567 010-1234-5678",
    "corporate with an amount": "7000012050002円",
    "corporate like a barcode": "7100000000000",
    "corporate of zeros": "法人番号 2123456780000",
    "licence by chance": made.forced("305012345678"),
    "barcode by chance": made.forced("490123456789"),
    "parcel by chance": made.forced("345678901234"),
    "licence with an amount": "免許証番号 301234567800円 500000000000 202611281530",
    "telephones in cells": "075\t222\t0000\n090\t1234\t5678\n",
    "digits in cells": "\t".join(N),
    "label and cells": "個人番号\t" + "\t".join(N),
    "grouped in two ways": f"個人番号 {N[:4]}-{N[4:8]} {N[8:]}",
    "mail address broken": "a..@example.jp .@example.jp x.@example.jp @example.jp a@.jp",
    "two columns": "氏名\t個人番号\t電話\n"
    + "\n".join(f"見本{n}\t{each}\t075-222-00{n:02}" for n, each in enumerate(MANY)),
    "mail address": "連絡先 taro.yamada@example.jp <a@b> x@localhost",
}


def _of(name, text, *, table):
    lines = [f"# {name}"]
    for each in FAST.drafts(text, table=table, everything=True):
        at = each.candidate
        reasons = " ".join(
            f"{r.code}{r.weight:+.2f}{f'({r.word})' if r.word else ''}{f'x{r.n}' if r.n else ''}"
            for r in each.reasons
        )
        level = each.level.name if each.level else "-"
        lines.append(
            f"{each.entity} {at.start}-{at.end} {at.shape} {each.score:.2f} {level} {reasons}"
        )
    for one in FAST.scan([Segment("本文", text, table=table)]):
        said = " / ".join(f"{e.ja} | {e.en}" for e in one.evidence)
        masked = one.masked.encode("unicode_escape").decode()
        print_ = one.fingerprint[:13]
        lines.append(f"= {one.entity} {one.start}-{one.end} {one.confidence:.2f}"
                     f" {one.level.name} {masked} {print_} {said}")  # fmt: skip
    return lines


def test_every_example_is_explained_as_it_was():
    assert FAST.accelerated
    lines = []
    for kind, examples in (("hit", HITS), ("miss", MISSES)):
        for number, (entity, text) in enumerate(examples):
            lines += _of(f"{kind} {number} {entity}", text, table=False)
    for name, text in COMPANY.items():
        for table in (False, True):
            lines += _of(f"{name}{', as a table' if table else ''}", text, table=table)
    said = "\n".join(lines) + "\n"
    if os.environ.get("SEKISHO_GOLDEN") == "write":
        GOLDEN.write_text(said, encoding="utf-8")
    assert said.splitlines() == GOLDEN.read_text(encoding="utf-8").splitlines()
