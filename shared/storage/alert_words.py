"""What each kind of alert says: what happened, why it matters or how it comes, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """Three sentences of one language."""

    what: str
    why: str
    todo: str

    def joined(self, between: str) -> str:
        """One paragraph."""
        return between.join((self.what, self.why, self.todo))


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of alert; ``ref`` says what its reference is, ``setting`` what decides on it."""

    ja: Text
    en: Text
    ref: str
    setting: str = ""


KINDS: Mapping[str, Kind] = {
    "blocked": Kind(
        Text(
            "最も厳しい区分の情報を含むものを遮断しました。",
            "クラウドに置けない情報が送られたか、置かれようとしました。",
            "画面の案件で内容と送り手を確かめ、漏えいの報告が要るかを判断してください。",
        ),
        Text(
            "An item with information of the strictest class was stopped.",
            "What may not be in the cloud was sent, or was about to be stored.",
            "Look at the incident in the console, and decide whether a leak is to be reported.",
        ),
        "the audit event's id",
        "SEKISHO_ALERT_BLOCKS",
    ),
    "chain_break": Kind(
        Text(
            "監査記録の連鎖に不整合があります。",
            "記録が書き換えられたか、失われたおそれがあります。その後ろには何も追記していません。",
            "写しを保全し、sekisho audit verify で位置を確かめ、操作の記録を調べてください。",
        ),
        Text(
            "The audit chain is broken.",
            "A record may have been changed or lost; nothing is appended behind it.",
            "Keep a copy of the store, run sekisho audit verify, and see who had access to it.",
        ),
        "the first broken record and the kind of break",
    ),
    "chain_unverified": Kind(
        Text(
            "監査記録の連鎖が一日以上、検証されていません。",
            "検証のタイマーが動いていないか、保管先を読めません。",
            "アプリ（audit）の実行状況を確かめ、sekisho audit verify を実行してください。",
        ),
        Text(
            "The audit chain has not been verified for a day.",
            "The timer does not run, or cannot read the store.",
            "Look at the audit app's runs, and run sekisho audit verify.",
        ),
        "the day",
    ),
    "sweep_found": Kind(
        Text(
            "変更通知では知らされず、巡回で見つかったものが多くあります。",
            "通知が届いていません（購読の失効、受け口の停止、Microsoft 365 側の遅れ）。",
            "画面の購読の状態と受け口（notifications）の実行状況を確かめてください。見落としはありません。",
        ),
        Text(
            "The sweep found much that no notification had told of.",
            "Notifications do not arrive: lapsed subscriptions, a webhook that is down, a delay.",
            "Look at the subscriptions' page and the webhook's runs. Nothing was lost.",
        ),
        "the day",
        "SEKISHO_ALERT_SWEEP_ITEMS",
    ),
    "queue_age": Kind(
        Text(
            "処理待ちが目標の時間を超えています。",
            "流入が処理を上回っているか、処理するアプリが止まっています。",
            "そのキューを読むアプリの実行状況と台数の上限を確かめてください。待っているものは失われません。",
        ),
        Text(
            "Messages wait longer than they should.",
            "More comes in than is worked off, or the app that reads the queue stands still.",
            "Look at that app's runs and its limit of instances. What waits is not lost.",
        ),
        "the queue and the day",
        "SEKISHO_ALERT_QUEUE_MINUTES",
    ),
    "subscriptions_lapsed": Kind(
        Text(
            "変更通知の購読が切れたままの対象があります。",
            "更新に失敗しています（権限、宛先の検証、対象の削除）。その間は巡回だけで見ています。",
            "画面の購読の状態で対象を確かめ、権限と通知の宛先を調べてください。",
        ),
        Text(
            "Subscriptions have lapsed and are not renewed.",
            "Renewing fails (consent, the address's validation, an account); the sweep watches.",
            "See which in the console, and check the permissions and the notifications' address.",
        ),
        "the source and the day",
        "SEKISHO_ALERT_LAPSED",
    ),
    "export_behind": Kind(
        Text(
            "監査記録の書き出しが一時間以上遅れています。",
            "書き出し先に届かないか、記録の連鎖が途切れています。",
            "書き出し先の設定と権限を確かめてください。届きしだい、続きから書き出します。",
        ),
        Text(
            "An export of the record is more than an hour behind.",
            "Its target cannot be reached, or the chain breaks.",
            "Check the target's settings and permissions. It goes on where it was.",
        ),
        "the export and the day",
    ),
    "dead_letter": Kind(
        Text(
            "処理できないメッセージを保管しました。",
            "内容が壊れているか、何度試しても処理できませんでした。",
            "画面の処理不能の一覧で理由を確かめ、原因を除いてから再投入してください。",
        ),
        Text(
            "A message could not be processed and was kept.",
            "It is malformed, or failed however often it was tried.",
            "Look at its reason in the console, remove the cause, and put it back.",
        ),
        "the dead letter's name",
    ),
    "refused": Kind(
        Text(
            "偽造または許可されない要求を拒否しました。",
            "受け口は公開されているため、誰でも要求を送れます。",
            "続くときは、送信元をネットワークで制限することを検討してください。",
        ),
        Text(
            "A forged or forbidden request was refused.",
            "The webhook is open to the world, so anybody can send one.",
            "If it goes on, consider limiting where requests may come from.",
        ),
        "a digest of the request",
    ),
    "replayed": Kind(
        Text(
            "同じ通知が繰り返し届きました（再送攻撃の疑い）。",
            "一度処理した通知であり、処理は行っていません。",
            "続くときは、送信元をネットワークで制限することを検討してください。",
        ),
        Text(
            "The same notification came again and again (a replay?).",
            "It was dealt with once; nothing was done for it now.",
            "If it goes on, consider limiting where requests may come from.",
        ),
        "a digest of the notification; a sealed one: each time it comes",
    ),
    "evidence_mismatch": Kind(
        Text(
            "証拠の写しが原本と一致しません。",
            "写しが書き換えられたか、保存に失敗しています。原本には手を付けていません。",
            "保管先の操作の記録を調べ、その案件を確かめてください。",
        ),
        Text(
            "An evidence copy differs from what was written.",
            "It was changed, or not stored rightly; the original was left as it is.",
            "Look at who had access to the store, and at the incident.",
        ),
        "the copy's reference",
    ),
    "notice_failed": Kind(
        Text(
            "お知らせを送れませんでした。",
            "宛先がないか、送信の設定または権限に誤りがあります。",
            "宛先と設定（SEKISHO_NOTICE_…）を確かめ、本人への連絡は別の方法で行ってください。",
        ),
        Text(
            "A notice could not be sent.",
            "Its addressee does not exist, or the settings or permissions are wrong.",
            "Check SEKISHO_NOTICE_…, and tell the person in another way.",
        ),
        "the notice",
    ),
}

WORDS: Mapping[str, tuple[str, str]] = {
    name: (kind.ja.joined(""), kind.en.joined(" ")) for name, kind in KINDS.items()
}
"""Kind → its words in Japanese and English. A kind that is not listed is a programming error."""


def page() -> str:
    """docs/reference/alerts.md."""
    lines = [
        "# Alerts",
        "",
        "Generated from `shared/storage/alert_words.py` by `python -m local.docs`.",
        "An alert is a row of the table `alerts` (partition: its kind), raised once a reference,",
        "and told to the people in charge (`SEKISHO_NOTICE_SECURITY`, the card's webhook). The",
        "timer `watch` of the audit app (`SEKISHO_ALERT_SCHEDULE`) looks at queues, subscriptions,",
        "the sweep, the exports and the verification; the others are raised where they happen.",
        "In the cloud each is also the counter `sekisho.alerts` of Application Insights.",
        "",
    ]
    for name, kind in KINDS.items():
        lines += [f"## `{name}`", ""]
        for text in (kind.ja, kind.en):
            lines.append(f"- {text.what}")
            lines.append(f"  - {text.why}")
            lines.append(f"  - {text.todo}")
        lines += ["", f"Once for: {kind.ref}."]
        if kind.setting:
            lines.append(f"Decided by: `{kind.setting}` ([settings](settings.md)).")
        lines.append("")
    return "\n".join(lines[:-1]) + "\n"
