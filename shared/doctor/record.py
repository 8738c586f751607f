"""The record: does its head carry our signature, and does somebody look at what failed?"""

from __future__ import annotations

from collections.abc import AsyncIterator

from shared.audit.head import SignedHead, any_of, holds, public_pem
from shared.codec import decode
from shared.doctor.result import Result, State, unread
from shared.doctor.surroundings import Surroundings
from shared.errors import SekishoError
from shared.settings import Settings
from shared.storage.audit_reader import AuditReader


async def checks(around: Surroundings, settings: Settings) -> AsyncIterator[Result]:
    """The newest head, and what failed for good."""
    if settings.signing_key is not None:
        try:
            async with around.stores(settings.audit) as stores:
                yield await _head(AuditReader(stores.blobs("audit")), settings.signing_key)
        except (SekishoError, ValueError) as error:
            yield unread("head", ("監査記録の署名", "the record's signed head"), error)
    try:
        async with around.stores(settings.work) as stores:
            letters = [name async for name in stores.blobs("deadletters").names()]
    except (SekishoError, ValueError) as error:
        yield unread("dead_letters", ("失敗の保管場所", "the container of dead letters"), error)
        return
    if letters:
        yield Result(
            "dead_letters",
            State.WARN,
            f"処理できなかったメッセージが {len(letters)} 件、保管されています。",
            f"{len(letters)} messages that could not be processed are kept",
            "管理画面の「処理できなかったもの」で理由を見て、再投入してください。",
            "See why in the console's dead letters, and put them back.",
        )
    else:
        yield Result("dead_letters", State.OK, "保管中の失敗はありません。", "no dead letters")


async def _head(log: AuditReader, private: bytes) -> Result:
    """The newest head alone: whether the whole chain holds is `sekisho audit verify`'s to say."""
    code, newest = "head", ""
    async for name in log.blobs.names("heads/"):
        newest = max(newest, name, key=lambda each: each.rpartition("/")[2])
    if not newest:
        return Result(
            code,
            State.WARN,
            "監査記録の署名がまだありません。",
            "the record has no signed head yet",
            "監査アプリが動いているか確かめてください。",
            "See whether the audit app runs.",
        )
    signed = decode((await log.blobs.get(newest)).data, SignedHead)
    if not holds(signed, any_of([public_pem(private)])):
        return Result(
            code,
            State.FAIL,
            f"記録の最新の署名（{signed.head.count} 件目）が、この署名鍵のものではありません。",
            f"the newest head, of {signed.head.count} records, is not signed by this key",
            "鍵を替えた覚えがなければ直ちに調査し、`sekisho audit verify` を実行してください。",
            "Unless the key was rotated, investigate at once: run `sekisho audit verify`.",
        )
    return Result(
        code,
        State.OK,
        f"監査記録 {signed.head.count} 件が署名されています。",
        f"{signed.head.count} records are under our signature",
    )
