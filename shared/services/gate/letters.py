"""Mails that the gate itself writes to a recipient: Japanese first, then English; no values."""

from __future__ import annotations

import base64
from datetime import datetime
from email.utils import format_datetime

from shared.policy.rule import JST

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
            "パスワードを書いた次のメールが同じ差出人から届けば、自動で開かれます。",
            "入力されたパスワードは保存されません。このリンクを人に渡さないでください。",
            "",
            "An attachment protected by a password was sent to you and waits at the gate.",
            f"From: {who}",
            "Type the password that the sender told you, on the page above (for you alone), until",
            f"{end} (JST). If the sender's next mail carries it, it is opened by itself.",
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


def _plain(address: str) -> str:
    return "".join(each for each in address if each.isprintable())[:254]
