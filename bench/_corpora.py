"""Synthetic corpora for the detection benches: made-up people and numbers, fixed seeds."""

from __future__ import annotations

import random

PROSE = (
    "本日の会議では、市民課の窓口業務の見直しについて議論し、令和7年度の予算編成方針を確認しました。",
    "図書館の開館時間は午前9時から午後7時までです。月曜日は休館となりますのでご注意ください。",
    "道路の補修工事に伴い、10月21日から一部の区間で通行を規制します。ご理解とご協力をお願いします。",
    "議案第35号は、総務委員会において審査した結果、可決すべきものと決しました。",
    "子育て支援の充実に向けて、保育所の定員を見直し、一時預かり事業を拡大してまいります。",
    "避難所の運営訓練を実施し、地域の自主防災組織と連携した体制づくりを進めているところでございます。",
    "各課におかれましては、添付の様式により来週の金曜日までに回答をお願いいたします。",
    "職員研修の受講者を募集します。受講を希望する方は、所属長の承認を得て申し込んでください。",
)
NAMES = ("見本 太郎", "架空 花子", "試験 一郎", "例示 桜", "仮名 次郎")
SIGNATURE = "\n-- \n○○市役所 総務課\n電話 075-{0}-{1} 内線 {2}\nE-mail: soumu{2}@city.example.jp\n"
BULK = 100_000


def my_number(rng: random.Random) -> str:
    stem = "9" + "".join(rng.choices("0123456789", k=10))
    total = sum(int(d) * (n + 1 if n <= 6 else n - 5) for n, d in enumerate(reversed(stem), 1))
    return stem + str(0 if total % 11 <= 1 else 11 - total % 11)


def prose(rng: random.Random, length: int) -> str:
    parts: list[str] = []
    size = 0
    while size < length:
        parts.append(rng.choice(PROSE) + rng.choice(("", "", "\n")))
        size += len(parts[-1])
    return "".join(parts)[:length]


def clean(documents: int = 60) -> list[str]:
    """Council minutes and notices: documents of 100,000 characters, no personal information."""
    rng = random.Random(1)
    return [prose(rng, BULK) for _ in range(documents)]


def digits(documents: int = 20) -> list[str]:
    """Statistics and accounts as CSV: dates, codes, counts, amounts; about 60 % digits."""
    rng = random.Random(2)

    def row() -> str:
        return (
            f"2025-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02},{rng.randrange(10**5):05},"
            f"{rng.randrange(10**3)}.{rng.randrange(100):02},{rng.randrange(10**7)},"
            f"{rng.randrange(10**4)},{rng.choice(('A', '支出', '収入'))},{rng.randrange(10**9)}"
        )

    head = "日付,款項目,比率,金額,件数,区分,累計\n"
    return [(head + "\n".join(row() for _ in range(2_300)))[:BULK] for _ in range(documents)]


def mails(count: int = 400) -> list[str]:
    """Mails of about 3 KB: two of five end in a signature (telephone number, mail address)."""
    rng = random.Random(3)
    texts = []
    for n in range(count):
        text = f"{rng.choice(NAMES)} 様\n\nお世話になっております。\n" + prose(rng, 1_000) + "\n"
        if n % 5 in {1, 3}:
            text += SIGNATURE.format(
                rng.randrange(200, 999), f"{rng.randrange(10**4):04}", rng.randrange(100, 999)
            )
        texts.append(text)
    return texts


def roster(rows: int = 20_000) -> str:
    """A staff list as it is sent to a payroll office: six columns, one of them a My Number."""
    rng = random.Random(4)
    lines = ["職員番号\t氏名\tフリガナ\t生年月日\t所属\t個人番号"]
    for n in range(rows):
        born = f"19{rng.randrange(60, 99)}/{rng.randrange(1, 13)}/{rng.randrange(1, 29)}"
        lines.append(
            f"{n + 10000}\t{rng.choice(NAMES)}\tミホン タロウ\t{born}\t総務部総務課総務係\t"
            f"{my_number(rng)}"
        )
    return "\n".join(lines) + "\n"


def adversarial() -> dict[str, str]:
    """A million characters each of what is laborious to look at."""
    rng = random.Random(5)
    return {
        "digits without end": "".join(rng.choices("0123456789", k=10**6)),
        "one digit a cell": " ".join(rng.choices("0123456789", k=500_000)),
        "groups of four": " ".join(f"{rng.randrange(10**4):04}" for _ in range(200_000)),
        "groups of twelve": " ".join(f"{rng.randrange(10**12):012}" for _ in range(77_000)),
        "digits and separators": "".join(rng.choices("0123456789 -\n\t.", k=10**6)),
        "kanji digits": "".join(rng.choices("〇一二三四五六七八九", k=10**6)),
        "labels and numbers": "".join(
            f"個人番号{rng.randrange(10**12):012}送り状" for _ in range(50_000)
        ),
        "at signs": "a@" * 500_000,
    }
