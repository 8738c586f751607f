"""A golden set, generated: documents with a My Number, and documents whose number is another one.

Every number is made up. In the second kind each number is *forced* to pass the My Number check
digit (drawn again until it does), so nothing but its surroundings tells it apart.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator

from shared.detect import checks
from tests.unit.detect import numbers_for_detect as made

OPENINGS = (
    "いつもお世話になっております。市民課の{name}です。\n",
    "お疲れさまです。下記のとおりご連絡します。\n",
    "令和7年度の手続きについて\n\n",
    "Subject: 確認のお願い\n\n各課 御中\n",
    "住所 京都市上京区下立売通新町西入\n氏名 {name}\n生年月日 昭和50年3月14日\n",
    "",
)
CLOSINGS = (
    "\n以上、よろしくお願いいたします。\n",
    "\n\n--\n○○市役所 市民課\n電話 075-222-0000 内線 123\n",
    "\n担当:{name}\n",
    "",
)
LABELS = (
    "個人番号：{n}",
    "マイナンバーは{n}です。",
    "個人番号「{n}」を確認しました。",
    "申請者の個人番号\n{n}",
    "個 人 番 号　{n}",
    "ﾏｲﾅﾝﾊﾞｰ {n}",
    "My Number: {n}",
    "個人番号（12桁）　{n}",
    "扶養親族のマイナンバー（本人から提供を受けたもの）は次のとおりです。 {n}",
)
NAMES = ("見本 太郎", "架空 花子", "試験 一郎")


def _document(rng: random.Random, body: str) -> str:
    name = rng.choice(NAMES)
    text = rng.choice(OPENINGS) + body + rng.choice(CLOSINGS)
    return text.replace("{name}", name)


def positives(seed: int, rounds: int) -> Iterator[tuple[str, str, str]]:
    """(form, document, number as written): every form in ``rounds`` documents."""
    rng = random.Random(seed)
    for form, write in made.FORMATS.items():
        for _ in range(rounds):
            written = write(made.my_number(rng))
            yield form, _document(rng, rng.choice(LABELS).replace("{n}", written)), written


def _until(rng: random.Random, draw: Callable[[random.Random], str]) -> str:
    """Draw until the digits pass the My Number check digit."""
    while True:
        digits = draw(rng)
        if checks.my_number(digits.encode()):
            return digits


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("0123456789", k=count))


def _parcel(rng: random.Random) -> str:
    stem = _digits(rng, 11)
    return stem + str(int(stem) % 7)


def _licence(rng: random.Random) -> str:
    while True:
        digits = rng.choice(("61", "30", "62")) + _digits(rng, 9) + rng.choice("0001")
        if checks.drivers_licence(digits.encode()):
            return digits


def _timestamp(rng: random.Random) -> str:
    return (
        f"{rng.randrange(2015, 2027)}{rng.randrange(1, 13):02}{rng.randrange(1, 29):02}"
        f"{rng.randrange(24):02}{rng.randrange(60):02}"
    )


def _fours(digits: str) -> str:
    return "-".join((digits[:4], digits[4:8], digits[8:]))


def _uuid(rng: random.Random, tail: str) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))[:-12] + tail


def _zengin(rng: random.Random, digits: str) -> str:
    """A data record of a 総合振込 file: 120 columns, our digits in account and amount fields."""
    name = "ｶｸｳ ﾊﾅｺ".ljust(30)
    record = f"20158ｷﾖｳﾄ          101ﾎﾝﾃﾝ           0000112345 67{name}".replace(" 67", "67")
    return (record + digits + "0" + _digits(rng, 20)).ljust(120)[:120]


RIVALS: dict[str, tuple[Callable[[random.Random], str], tuple[str, ...]]] = {
    "parcel": (
        _parcel,
        ("送り状番号：{f}", "宅急便のお問い合わせ番号は{n}です。", "ヤマト運輸 伝票番号 {f}"),
    ),
    "licence": (
        _licence,
        (
            "運転免許証番号：{n}",
            "免許証番号 第{n}号",
            "免許の条件等 眼鏡等\n番号 第 {n} 号 公安委員会",
        ),
    ),
    "timestamp": (
        _timestamp,
        ("更新日時:{n}", "ログ {n} 受信", "backup_{n}.zip を作成", "{n} 処理終了"),
    ),
    "amount": (
        lambda r: "1" + _digits(r, 11),
        ("予算額 {n}円", "歳出総額は{n}千円", "合計 ¥{n}"),
    ),
    "account": (
        lambda r: _digits(r, 12),
        ("お客様番号 {n}", "顧客番号：{f}", "会員番号 {n}", "AWS account id {n}"),
    ),
    "order": (
        lambda r: _digits(r, 12),
        ("注文番号 {n}", "ご注文番号：{f}", "受注番号[{n}]", "order no. {n}"),
    ),
    "jan": (lambda r: _digits(r, 12), ("JANコード 4{n}", "商品コード {n}", "ISBN 978-{n}")),
    "float": (lambda r: _digits(r, 12), ("係数 0.{n}", "経度 135.{n}", "p = 1.{n}e-05")),
    "phone_pair": (
        lambda r: _digits(r, 8) + "0" + _digits(r, 3),
        (
            "電話 075-{a}-{b} {c}-12-3456",
            "TEL:090-{a}-{b}\t{c}-23-4567",
            "連絡先 03-{a}-{b}/{c}-55-1212",
        ),
    ),
}


def rivals(seed: int, rounds: int) -> Iterator[tuple[str, str]]:
    """(rival, document): every rival in ``rounds`` documents, each passing the check digit."""
    rng = random.Random(seed)
    for rival, (draw, templates) in RIVALS.items():
        for _ in range(rounds):
            digits = _until(rng, draw)
            body = rng.choice(templates)
            for key, value in (
                ("{n}", digits),
                ("{f}", _fours(digits)),
                ("{a}", digits[:4]),
                ("{b}", digits[4:8]),
                ("{c}", digits[8:]),
            ):
                body = body.replace(key, value)
            yield rival, _document(rng, body)
    for _ in range(rounds):
        digits = _until(rng, lambda r: _digits(r, 12))
        yield "uuid", _document(rng, f"トランザクション {_uuid(rng, digits)} を確認")
        yield "zengin", _document(rng, "\n" + _zengin(rng, digits) + "\n")


def csv(
    rng: random.Random, header: str, rows: int, value: Callable[[], str], separator: str
) -> str:
    """A CSV with the column between names, dates and telephone numbers."""
    lines = [separator.join(("氏名", "生年月日", header, "電話番号"))]
    for _ in range(rows):
        phone = f"090-{_digits(rng, 4)}-{_digits(rng, 4)}"
        lines.append(separator.join((rng.choice(NAMES), "1975-03-14", value(), phone)))
    return "\n".join(lines) + "\n"
