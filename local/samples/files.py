"""The day's files: in OneDrive, and uploaded to the gate."""

from __future__ import annotations

import random

from local.samples import office
from local.samples.kinds import DRIVE, GATE, Sample
from local.samples.numbers import grouped, phone
from local.samples.people import people


def drive_files() -> list[Sample]:
    """What staff keep and share in OneDrive."""
    residents = people(20)
    rows = [["氏名", "フリガナ", "個人番号"]]
    rows += [[each.name, each.kana, grouped(each.number)] for each in residents[7:11]]
    clean = office.document("議事録", ["定例会議の議事録です。", "次回は来月に開きます。"])
    contact = f"担当課,電話番号\r\n広報課,{phone(2)}\r\n"
    scan = office.pdf_scan(["KOJIN BANGO (My Number)", grouped(residents[11].number)])
    return [
        Sample(
            "drive-anonymous",
            DRIVE,
            "だれでも開けるリンクの一覧表",
            "申請者一覧.xlsx",
            office.workbook("一覧", rows),
            "anonymous",
        ),
        Sample("drive-clean", DRIVE, "庁内で共有した議事録", "議事録.docx", clean, "organization"),
        Sample(
            "drive-phone", DRIVE, "電話番号の一覧（CSV）", "連絡先.csv", contact.encode("utf-8-sig")
        ),
        Sample("drive-binary", DRIVE, "形式の分からないファイル", "backup.dat", _noise()),
        Sample("drive-scan", DRIVE, "画像だけのPDF（スキャン）", "scan.pdf", scan),
    ]


def gate_files() -> list[Sample]:
    """What the internal file server uploads."""
    residents = people(20)
    rows = ["氏名,住所,個人番号"]
    rows += [f"{each.name},京都府{each.town},{each.number}" for each in residents[13:19]]
    roster = "\r\n".join(rows).encode("cp932", "replace")
    clean = office.document("庁舎の案内", ["正面玄関は九時に開きます。", "駐車場は北側です。"])
    locked = office.pdf(["個人番号", residents[19].number], password="himitsu")  # noqa: S106 - a sample's
    return [
        Sample("gate-roster", GATE, "関門：Shift_JISの名簿CSV", "名簿.csv", roster),
        Sample("gate-clean", GATE, "関門：庁舎案内のWord文書", "庁舎案内（100%版）#1.docx", clean),
        Sample("gate-locked", GATE, "関門：パスワード付きPDF", "非公開.pdf", locked),
    ]


def _noise() -> bytes:
    """Bytes of no format at all, always the same."""
    return b"\x00\xffSKSH\x00" + random.Random(20261124).randbytes(4096)  # noqa: S311 - no secret
