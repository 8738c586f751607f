"""The day's mails, written with the standard library's email package (by hand where it cannot)."""

from __future__ import annotations

from email import message_from_bytes
from email.header import Header
from email.message import Message
from email.mime.application import MIMEApplication
from email.mime.base import MIMEBase
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

from local.samples import jis, office
from local.samples.kinds import GATE, MAIL, Sample
from local.samples.numbers import company, grouped, parcel, phone, wide
from local.samples.people import people

CITY = "madoguchi@city.example"
SENDER = "jimu@pref.example"
DATE = "Tue, 24 Nov 2026 09:15:00 +0900"
XLSX = "vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = "vnd.openxmlformats-officedocument.wordprocessingml.document"


def _head(message: Message, subject: str, name: str, charset: str = "utf-8") -> None:
    message["Subject"] = Header(subject, charset).encode()
    message["From"] = SENDER
    message["To"] = CITY
    message["Date"] = DATE
    message["Message-ID"] = f"<{name}@pref.example>"


def _plain(name: str, subject: str, body: str, charset: str = "utf-8") -> bytes:
    message = MIMEText(body, "plain", charset)
    _head(message, subject, name, charset)
    return message.as_bytes()


def _with(name: str, subject: str, body: str, *parts: MIMEBase) -> bytes:
    message = MIMEMultipart()
    _head(message, subject, name)
    message.attach(MIMEText(body, "plain", "utf-8"))
    for part in parts:
        message.attach(part)
    return message.as_bytes()


def _attachment(file_name: str, data: bytes, kind: str) -> MIMEBase:
    part = MIMEApplication(data, kind)
    part.add_header("Content-Disposition", "attachment", filename=("utf-8", "", file_name))
    return part


def mails() -> list[Sample]:
    """What arrives in the watched mailbox."""
    return [
        Sample(name, MAIL, title, f"{name}.eml", data)
        for name, title, data in (*_numbers_in_mail(), *_doubtful(), *_harmless())
    ]


def gate_mails() -> list[Sample]:
    """What the internal mail system forwards through the gate."""
    one = people(20)[12]
    clean = _plain(
        "gate-mail-clean", "会議室変更のお知らせ", "本日の定例会議は第二会議室に変わります。\n"
    )
    # The number stands in the subject and in a file's name too: neither may show up anywhere.
    subject = f"至急　個人番号 {one.number} の件"
    caught = _with(
        "gate-mail-number",
        subject,
        f"{one.name}様のマイナンバーは{grouped(one.number)}です。登録をお願いします。\n",
        _attachment(f"個人番号_{one.number}.txt", "添付のとおりです。".encode(), "octet-stream"),
    )
    return [
        Sample("gate-mail-clean", GATE, "関門：通常の庁内メール", "gate-mail-clean.eml", clean),
        Sample(
            "gate-mail-number",
            GATE,
            "関門：件名と添付名にも個人番号",
            "gate-mail-number.eml",
            caught,
        ),
    ]


def _numbers_in_mail() -> list[tuple[str, str, bytes]]:
    one, two, three, four, five = people(5)
    jis_body = (
        f"税務課\u3000御中\r\n\r\n下記の方の個人番号をお知らせします。\r\n"
        f"氏名：{one.name}\r\n個人番号：{wide(one.number)}\r\n"
    )
    return [
        (
            "mail-jis",
            "ISO-2022-JP、全角の個人番号",
            _plain("mail-jis", "個人番号の通知", jis_body, "iso-2022-jp"),
        ),
        ("mail-nec", "NEC特殊文字と半角カナのメール", _nec(two.name, two.number)),
        (
            "mail-graph-paper",
            "方眼紙Excel（1マスに1桁）",
            _with(
                "mail-graph-paper",
                "児童手当の申請書",
                "申請書を送ります。ご確認ください。\n",
                _attachment("申請書.xlsx", office.graph_paper(three.name, three.number), XLSX),
            ),
        ),
        (
            "mail-pdf-form",
            "記入済みのPDF様式",
            _with(
                "mail-pdf-form",
                "届出書の提出",
                "届出書を提出します。\n",
                _attachment("届出書.pdf", _form(four.number), "pdf"),
            ),
        ),
        ("mail-forwarded", "転送メールの中のWord文書", _forwarded(five.name, five.number)),
    ]


def _form(number: str) -> bytes:
    return office.pdf_form(
        "扶養親族等申告書",
        [("個人番号（マイナンバー）", "kojin_bango", number), ("年度", "nendo", "R8")],
    )


def _nec(name: str, number: str) -> bytes:
    """Bytes that Python's codec can neither write nor read: ① ㈱ 髙 and half-width kana."""
    body = (
        f"① 提出者\u3000㈱ｷｮｳﾄｼｮｳｼﾞ\r\n② 氏名\u3000{name}\u3000髙島支店\r\n"
        f"③ ﾏｲﾅﾝﾊﾞｰ\u3000{wide(number)}\r\n"
    )
    head = (
        f"From: {SENDER}\r\nTo: {CITY}\r\nDate: {DATE}\r\nMessage-ID: <mail-nec@pref.example>\r\n"
        f"Subject: {Header('源泉徴収票の件', 'iso-2022-jp').encode()}\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n"
        "Content-Transfer-Encoding: 7bit\r\n\r\n"
    )
    return head.encode("ascii") + jis.encode(body)


def _forwarded(name: str, number: str) -> bytes:
    table = [["氏名", "個人番号"], [name, grouped(number, " ")]]
    inner = _with(
        "mail-forwarded-inner",
        "書類一式",
        "書類をお送りします。\n",
        _attachment(
            "扶養控除申告書.docx",
            office.document("扶養控除等申告書", ["別紙のとおり"], table),
            DOCX,
        ),
    )
    outer = MIMEMultipart()
    _head(outer, "Fwd: 書類一式", "mail-forwarded")
    outer.attach(MIMEText("転送します。ご対応をお願いします。\n", "plain", "utf-8"))
    outer.attach(MIMEMessage(message_from_bytes(inner)))
    return outer.as_bytes()


def _doubtful() -> list[tuple[str, str, bytes]]:
    six, seven = people(7)[5:]
    roster = office.workbook("名簿", [["氏名", "個人番号"], [six.name, six.number]])
    return [
        (
            "mail-ppap",
            "パスワード付きZIP（PPAP）",
            _with(
                "mail-ppap",
                "名簿の送付",
                "名簿をお送りします。パスワードは別のメールでお知らせします。\n",
                _attachment(
                    "meibo.zip", office.password_zip("名簿.xlsx", roster, "Kyoto-2026"), "zip"
                ),
            ),
        ),
        (
            "mail-medium",
            "見出しのない12桁（疑い）",
            _plain(
                "mail-medium",
                "申請者の確認",
                f"申請者の確認をお願いします。\n氏名　{seven.name}\n"
                f"生年月日　昭和60年4月1日\n{grouped(seven.number)}\n",
            ),
        ),
    ]


def _harmless() -> list[tuple[str, str, bytes]]:
    return [
        (
            "mail-parcel",
            "送り状番号（検査用数字が偶然合う）",
            _plain(
                "mail-parcel",
                "お荷物発送のお知らせ",
                f"ご注文の品を発送しました。\n送り状番号：{grouped(parcel())}\n配達予定日：11月26日\n",
            ),
        ),
        ("mail-newsletter", "広報紙のメールマガジン", _newsletter()),
        (
            "mail-phone",
            "署名の電話番号とメールアドレス",
            _plain(
                "mail-phone",
                "ご挨拶",
                f"お世話になっております。\n電話 {phone(0)}\n携帯 {phone(1)}\n"
                "メール kouhou@pref.example.jp\n",
            ),
        ),
        (
            "mail-invoice",
            "法人番号のある請求書",
            _with(
                "mail-invoice",
                "請求書の送付",
                "請求書をお送りします。\n",
                _attachment("請求書.pdf", _invoice(), "pdf"),
            ),
        ),
    ]


def _invoice() -> bytes:
    return office.pdf(["請求書", "株式会社関所商事", f"法人番号：{company()}", "合計　金120,000円"])


def _newsletter() -> bytes:
    message = MIMEMultipart("alternative")
    _head(message, "広報きょうと　12月号", "mail-newsletter")
    message.attach(
        MIMEText("紅葉の見ごろは今週末まで。図書館の開館時間が変わります。\n", "plain", "utf-8")
    )
    page = "<html><body><h1>広報きょうと</h1><p>紅葉の見ごろは今週末まで。</p></body></html>"
    message.attach(MIMEText(page, "html", "utf-8"))
    return message.as_bytes()
