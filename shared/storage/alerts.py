"""Alerts: what somebody should look at. One row a kind and reference, inserted once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from shared import telemetry
from shared.errors import StorageConflictError
from shared.ports import Clock, Row, Table, Value

# kind → words. A kind that is not listed here is a programming error (KeyError).
WORDS: dict[str, tuple[str, str]] = {
    "dead_letter": (
        "処理できないメッセージを保管しました。内容を確認し、再投入してください。",
        "A message could not be processed and was kept. Look at it and put it back.",
    ),
    "refused": (
        "偽造または許可されない要求を拒否しました。",
        "A forged or forbidden request was refused.",
    ),
    "replayed": (
        "同じ通知が繰り返し届きました（再送攻撃の疑い）。処理は行っていません。",
        "The same notification came again and again (a replay?). Nothing was done for it.",
    ),
    "chain_break": (
        "監査記録の連鎖に不整合があります。直ちに調査してください。",
        "The audit chain is broken. Investigate at once.",
    ),
    "evidence_mismatch": (
        "証拠の写しが原本と一致しません。",
        "An evidence copy differs from what was written.",
    ),
    "notice_failed": (
        "お知らせを送れませんでした。宛先と設定を確認してください。",
        "A notice could not be sent. Check its addressee and the settings.",
    ),
    "blocked": (
        "保護対象の情報を含む通過を遮断しました。",
        "An item with protected information was stopped.",
    ),
}


@dataclass(frozen=True, slots=True)
class Alerts:
    """The table ``alerts``: partition = kind, so each kind is listed by itself."""

    table: Table
    clock: Clock

    async def once(self, kind: str, ref: str) -> bool:
        """Raise ``kind`` about ``ref`` (an opaque id or a blob's name); False if it was there."""
        japanese, english = WORDS[kind]
        key = hashlib.sha256(ref.encode()).hexdigest()
        values: dict[str, Value] = {"time": self.clock(), "ref": ref, "ja": japanese, "en": english}
        try:
            await self.table.insert(Row(kind, key, values))
        except StorageConflictError:
            return False
        telemetry.alerted(kind)
        return True
