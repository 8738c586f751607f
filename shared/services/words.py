"""What officials see where something was tagged, stopped or left: Japanese first, then English.

No text here ever holds a value, a name or a subject: only which kind of information was found.
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.model import Decision, Disposition

TAGGED = "関所: 確認済"
REVIEWING = "関所: 要確認"
CATEGORIES = {Disposition.TAG: TAGGED, Disposition.REVIEW: REVIEWING}
# Outlook's preset colours: 4 green, 1 orange (graph/api/resources/outlookcategory).
COLOURS = {TAGGED: "preset4", REVIEWING: "preset1"}

NOTICE_SUBJECT = "【関所】メールを停止しました / Sekisho stopped a message"

EVENT_SUBJECT = "【関所】予定の内容を停止しました / Sekisho stopped this event"

_KINDS = {
    "my_number": "個人番号（マイナンバー）/ My Number",
    "corporate_number": "法人番号 / corporate number",
    "credit_card": "クレジットカード番号 / credit card number",
    "phone_number": "電話番号 / phone number",
    "email_address": "メールアドレス / mail address",
    "drivers_licence": "運転免許証番号 / driver's licence number",
}


def kinds(decision: Decision) -> tuple[str, ...]:
    """The kinds of information found, in words, each once."""
    found = dict.fromkeys(each.entity for each in decision.findings)
    return tuple(_KINDS.get(entity, entity) for entity in found)


def explanation(decision: Decision, what_ja: str, what_en: str, reference: str) -> str:
    """The body of a notice or a tombstone: what, why, what to do."""
    found = (
        _lines(kinds(decision)) or "・内容を確認できませんでした / The content could not be read"
    )
    return (
        f"{what_ja}\n{what_en}\n"
        "\n■ 理由 / Why\n"
        "クラウドに置くことができない情報が見つかりました。\n"
        "It holds information that may not be in the cloud:\n"
        f"{found}\n"
        "\n■ どうすればよいか / What to do\n"
        "原本は隔離して保管しています。必要な場合、または誤りと思われる場合は、"
        "下の受付番号を添えて情報セキュリティ担当へ連絡してください。\n"
        "The original is kept in quarantine. If you need it, or think this is a mistake, contact "
        "your information security officer with the reference below.\n"
        f"\n受付番号 / Reference: {reference}\n"
    )


def reference(key: str) -> str:
    """A short reference to a ledger key that people can read out (letters only, never digits)."""
    return "-".join(
        "".join(chr(ord("A") + int(digit, 16)) for digit in key[start : start + 4])
        for start in (0, 4, 8)
    )


def _lines(items: Iterable[str]) -> str:
    return "\n".join(f"・{item}" for item in items)


TIP_START = "【関所】"


def policy_tip(reference: str) -> str:
    """What Teams shows the sender of a message that was stopped."""
    return (
        f"{TIP_START}クラウドに置くことができない情報が見つかったため、このメッセージを停止しました。"
        "個人番号などを消して書き直してください。\n"
        "Sekisho stopped this message: it holds information that may not be in the cloud. "
        "Please edit it.\n"
        f"受付番号 / Reference: {reference}"
    )
