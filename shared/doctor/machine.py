"""What this app brings with it: the policy, the isolation, the extras, the keys."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from shared.doctor.result import Result, State
from shared.doctor.surroundings import Surroundings
from shared.errors import PolicyError
from shared.graph.rich import Certificate
from shared.model import Content
from shared.policy import Policy, default_text
from shared.sandbox import Sandbox
from shared.settings import Settings

ROOT = Path(__file__).resolve().parent.parent.parent
SOON = timedelta(days=30)
KEYS = ("client_state_key", "fingerprint_key", "marker_key", "console_key")
SAMPLE = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj
trailer<</Root 1 0 R>>
%%EOF
"""


async def checks(around: Surroundings, settings: Settings) -> AsyncIterator[Result]:
    """Nothing here leaves the machine."""
    yield _policy(settings)
    yield await _isolation(settings)
    yield _ocr(settings)
    yield _keys(settings)
    for result in _certificates(around, settings):
        yield result


def _policy(settings: Settings) -> Result:
    texts, names = [default_text()], ["default.yaml"]
    try:
        if settings.policy_file:
            texts.append((ROOT / settings.policy_file).read_text(encoding="utf-8"))
            names.append(Path(settings.policy_file).name)
        policy = Policy.load(texts, names)
        failed = len(policy.test())
    except (OSError, UnicodeDecodeError, PolicyError) as error:
        why = str(error) if isinstance(error, PolicyError) else type(error).__name__
        return Result(
            "policy",
            State.FAIL,
            f"ポリシーを読めません：{why}",
            f"the policy does not load: {why}",
            "`sekisho policy validate` で直す場所を確かめ、配備し直してください。",
            "Find the place with `sekisho policy validate`, mend it and deploy again.",
        )
    if failed:
        return Result(
            "policy",
            State.FAIL,
            f"ポリシーの試験が {failed} 件失敗します。",
            f"{failed} of the policy's own cases fail",
            "`sekisho policy test` で確かめてください。",
            "See `sekisho policy test`.",
        )
    return Result(
        "policy",
        State.OK,
        f"ポリシー {policy.version[:12]} を読めました。",
        f"the policy loads: {policy.version[:12]}",
    )


async def _isolation(settings: Settings) -> Result:
    if settings.isolation == "inline":
        return Result(
            "isolation",
            State.WARN,
            "文書を本体と同じプロセスで読んでいます。",
            "documents are read in the worker's own process",
            "SEKISHO_ISOLATION を fork（できなければ pool）にしてください。",
            "Set SEKISHO_ISOLATION to fork (or pool where fork is not allowed).",
        )
    sandbox = Sandbox(mode=settings.isolation, processes=1)  # type: ignore[arg-type] # checked by settings
    try:
        await sandbox.extract(Content(SAMPLE, "a.pdf"))
        alive = bool(sandbox.pids())
    finally:
        sandbox.close()
    if not alive:
        return Result(
            "isolation",
            State.FAIL,
            "文書を読む子プロセスが動きません。",
            "the process that reads documents does not run",
            "SEKISHO_ISOLATION=pool を試し、記憶容量の上限を確かめてください。",
            "Try SEKISHO_ISOLATION=pool, and look at the memory limit of the plan.",
        )
    return Result(
        "isolation",
        State.OK,
        f"文書は別のプロセスで読まれます（{settings.isolation}）。",
        f"documents are read in a process of their own ({settings.isolation})",
    )


def _ocr(settings: Settings) -> Result:
    if settings.ocr != "on":
        return Result(
            "ocr",
            State.OK,
            "画像内の文字は読まず、「画像だけ」と記録します。",
            "words in pictures are not read: each such picture is a gap",
        )
    if importlib.util.find_spec("faster_paddle") is None:
        return Result(
            "ocr",
            State.FAIL,
            "OCR が有効ですが、部品がありません。画像はすべて「画像だけ」になります。",
            "OCR is on but not installed: every picture is a gap",
            "requirements-ocr.txt を配備に含めるか、SEKISHO_OCR=off にしてください。",
            "Deploy requirements-ocr.txt too, or set SEKISHO_OCR=off.",
        )
    return Result("ocr", State.OK, "画像内の文字を読みます。", "words in pictures are read")


def _keys(settings: Settings) -> Result:
    given = [key for name in KEYS if (key := getattr(settings, name)) is not None]
    if len({key.value for key in given}) < len(given):
        return Result(
            "keys",
            State.FAIL,
            "同じ鍵が二つの用途に使われています。",
            "one key serves two purposes",
            "用途ごとに新しい鍵を作ってください（docs/how-to/rotate.md）。",
            "Make a new key for each purpose (docs/how-to/rotate.md).",
        )
    return Result(
        "keys", State.OK, f"鍵 {len(given)} 本はすべて別です。", f"{len(given)} keys, all different"
    )


def _certificates(around: Surroundings, settings: Settings) -> Iterator[Result]:
    for index, each in enumerate(settings.rich_certificates, 1):
        try:
            end = _end(Certificate.load(each.id, each.value))
        except ValueError:
            yield Result(
                "certificate",
                State.FAIL,
                f"{index} 番目の証明書を読めません。",
                f"certificate {index} does not load",
                "SEKISHO_RICH_CERTIFICATES を作り直してください（docs/how-to/rotate.md）。",
                "Make SEKISHO_RICH_CERTIFICATES again (docs/how-to/rotate.md).",
            )
            continue
        left = end - around.clock()
        state = State.FAIL if left < timedelta() else State.WARN if left < SOON else State.OK
        yield Result(
            "certificate",
            state,
            f"{index} 番目の証明書の期限は {end:%Y-%m-%d} です。",
            f"certificate {index} is valid until {end:%Y-%m-%d}",
            ""
            if state is State.OK
            else "新しい証明書を先頭に加えてください（docs/how-to/rotate.md）。",
            "" if state is State.OK else "Put a new one in front of it (docs/how-to/rotate.md).",
        )


def _end(certificate: Certificate) -> datetime:
    from cryptography import x509  # noqa: PLC0415 - beside its only use

    return x509.load_der_x509_certificate(certificate.der).not_valid_after_utc
