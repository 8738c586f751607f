"""What a golden mail is, and the texts and encodings that the golden mails use."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.unit.extract_mail.writers import euc_windows, iso2022jp

PLAIN = "住民の皆様へ。個人番号は０１２３です。手続は市民課まで。\r\n二行目の能力表示ソ\r\n"
WINDOWS = "①㈱髙﨑様、№３の件です。確認をお願いいたします。\r\n"
KANA = "ﾏｲﾅﾝﾊﾞｰ ﾀﾅｶﾊﾅｺ 様の届出\r\n"
SHORT = "住所変更"
FIRST_LINE = PLAIN.partition("\r")[0]
NAME = "個人番号表.xlsx"
TRICKY = "ソ表予能.xlsx"  # each has a backslash as its second byte in Shift_JIS


@dataclass(frozen=True)
class Case:
    name: str
    data: bytes = field(repr=False)
    body: str = ""
    subject: str = ""
    names: tuple[str, ...] = ()
    either: bool = False


CODECS = {
    "utf-8": str.encode,
    "shift_jis": lambda text: text.encode("cp932"),
    "euc-jp": euc_windows,
    "iso-2022-jp": iso2022jp,
}
LABELS = {
    "utf-8": ("utf-8", "UTF-8", '"utf-8"', "utf8"),
    "shift_jis": ("shift_jis", "Shift-JIS", "x-sjis", "windows-31j", "ms932", "cp932"),
    "euc-jp": ("euc-jp", "x-euc-jp", "eucJP-ms", "cp51932"),
    "iso-2022-jp": (
        "iso-2022-jp",
        "ISO-2022-JP-MS",
        "cp50220",
        "cp50221",
        "csISO2022JP",
        "x-iso-2022-jp",
    ),
}
