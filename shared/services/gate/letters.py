"""Mails that the gate itself writes to a recipient: Japanese first, then English; no values."""

from __future__ import annotations

import base64
from datetime import datetime
from email.utils import format_datetime

from shared.policy.rule import JST

_ORIGINAL = "【関所】無害化前の原本 / The original of a sanitised mail"
_LETTERS = str.maketrans("0123456789abcdef", "ghijklmnopqrstuv")
_SUBJECT = "【関所】パスワードの入力が必要です / A mail to you waits for its password"


def password_letter(
    user: str, sender: str, link: str, *, at: datetime, until: datetime, key: str
) -> bytes:
    """Says that a mail or a file waits for a password, and where to type it.

    ``sender`` and ``user`` are addresses; the letter goes to ``user`` alone.
    """
    domain = user.rpartition("@")[2]
    end = f"{until.astimezone(JST):%Y-%m-%d %H:%M}"
    who = _plain(sender) or "（差出人不明 / unknown）"
    text = "\r\n".join(
        (
            "あなた宛てに、パスワードで保護された添付ファイルが届き、関所で止まっています。",
            f"差出人: {who}",
            "",
            "次のページで、差出人から知らされたパスワードを入力してください（本人専用）。",
            link,
            f"期限: {end}",
            "同じ差出人からのメール（前の一日以内か次）にパスワードがあれば、自動で開かれます。",
            "入力されたパスワードは保存されません。このリンクを人に渡さないでください。",
            "",
            "An attachment protected by a password was sent to you and waits at the gate.",
            f"From: {who}",
            "Type the password that the sender told you, on the page above (for you alone), until",
            f"{end} (JST). If a mail of the sender's (of the day before, or the next) carries it,",
            "it is opened by itself.",
            "Passwords are not stored. Do not pass the link on.",
            "",
        )
    )
    subject = base64.b64encode(_SUBJECT.encode()).decode()
    ours = base64.b64encode("関所 / Sekisho".encode()).decode()
    lines = (
        f"From: =?utf-8?B?{ours}?= <sekisho-no-reply@{domain}>",
        f"To: <{user}>",
        f"Subject: =?utf-8?B?{subject}?=",
        f"Date: {format_datetime(at.astimezone(JST))}",
        f"Message-ID: <{key[:40]}@sekisho.invalid>",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: base64",
        "",
        base64.encodebytes(text.encode()).decode().replace("\n", "\r\n"),
    )
    return "\r\n".join(lines).encode()


def original_letter(user: str, original: bytes, *, at: datetime, key: str) -> bytes:
    """The original of a sanitised mail, as it came, inside a mail of its own.

    A mail of its own, because mailboxes drop a second mail of one Message-ID; and what is attached
    whole keeps its signatures.
    """
    domain = user.rpartition("@")[2]
    text = (
        "承認を受けて、無害化する前の原本を添付でお届けします。\r\n"
        "取り除かれていたもの（マクロ、リンクなど）もそのまま含まれます。注意して開いてください。\r\n"
        "\r\n"
        "As approved, this is the original of a mail that was sanitised. What had been removed\r\n"
        "(macros, links …) is in it as it came: open it with care.\r\n"
    )
    boundary = f"=_sekisho-{key[:24].translate(_LETTERS)}"
    subject = base64.b64encode(_ORIGINAL.encode()).decode()
    ours = base64.b64encode("関所 / Sekisho".encode()).decode()
    encoding = "7bit" if original.isascii() else "8bit"
    lines = (
        f"From: =?utf-8?B?{ours}?= <sekisho-no-reply@{domain}>",
        f"To: <{user}>",
        f"Subject: =?utf-8?B?{subject}?=",
        f"Date: {format_datetime(at.astimezone(JST))}",
        f"Message-ID: <{key[:40]}.original@sekisho.invalid>",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/mixed; boundary="{boundary}"',
        "",
        f"--{boundary}",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: base64",
        "",
        base64.encodebytes(text.encode()).decode().replace("\n", "\r\n"),
        f"--{boundary}",
        'Content-Type: message/rfc822; name="original.eml"',
        'Content-Disposition: attachment; filename="original.eml"',
        f"Content-Transfer-Encoding: {encoding}",
        "",
        "",
    )
    return "\r\n".join(lines).encode() + original + f"\r\n--{boundary}--\r\n".encode()


def _plain(address: str) -> str:
    return "".join(each for each in address if each.isprintable())[:254]
