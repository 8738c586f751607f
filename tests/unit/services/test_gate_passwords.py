"""PPAP: held, opened from the page or by the next mail, a child item; no password anywhere."""

from __future__ import annotations

import asyncio
import io
import itertools
import zipfile
from datetime import timedelta
from email import message_from_bytes
from urllib.parse import urlencode

import docx
import msoffcrypto
import pikepdf
import pytest

from local.memory import Crash, MemoryStores
from shared.codec import decode
from shared.console.passwords import PRINCIPAL, PasswordPages
from shared.console.web import Request
from shared.model import Segment
from shared.services.gate.candidates import candidates
from shared.services.gate.locked import MOST_IN_WINDOW, VALID, WINDOW, Answer, Lock
from tests.unit.extract_files.archive_cases import lzh, note, seven_zip, zipcrypto
from tests.unit.extract_files.rar_cases import built as rar
from tests.unit.services.gate_parts import Whole, locked_zip, mail, seven_zip_aes

CANARY = "Kanaria-7Qx9#しろ"
WORDS = "総会の資料です"


@pytest.fixture
def whole(rig):
    return Whole(rig)


def members(text=WORDS):
    return [("資料.txt", text.encode())]


def locked(password=CANARY, number=1, **given):
    return mail(attach=[("資料.zip", locked_zip(password, members()))], number=number, **given)


async def held(whole, raw=None, name="mail/a.eml"):
    (outcome,) = await whole.passes(name, raw or locked())
    assert outcome.action == "hold"
    names = [each async for each in whole.envelopes.names("locked/")]
    return [await lock_of(whole, each) for each in names]


async def lock_of(whole, name):
    return decode((await whole.envelopes.get(name)).data, Lock)


def delivered(whole):
    """Without our own letters."""
    return [each for each in whole.mails() if b"Auto-Submitted" not in each]


async def test_held_mail_sends_its_recipient_a_link_once(whole):
    (lock,) = await held(whole)
    letters = [each for each in whole.mails() if b"Auto-Submitted" in each]
    assert len(letters) == 1
    text = message_from_bytes(letters[0]).get_payload(decode=True).decode()
    assert whole.locks.link(lock) in text
    assert "パスワード" in text
    item = whole.results[0][0].item
    await whole.service.apply(whole.results[0][0])
    assert len([each for each in whole.mails() if b"Auto-Submitted" in each]) == 1
    assert item.id == "mail/a.eml"


async def test_password_from_the_page_opens_a_child_that_is_scanned_and_delivered(whole):
    (lock,) = await held(whole)
    assert await whole.locks.open(whole.locks.token(lock), ("falsch", CANARY)) is Answer.OPENED
    ((item, outcome),) = whole.recorded
    assert (item.id, outcome.action) == ("mail/a.eml", "open")
    assert await whole.landing.properties("mail/a.eml") is None
    (child,) = await whole.scan_landed()
    assert child.action == "deliver"
    (sent,) = delivered(whole)
    assert b"Subject:" in sent
    (attached,) = [e for e in message_from_bytes(sent).walk() if e.get_filename()]
    with zipfile.ZipFile(io.BytesIO(attached.get_payload(decode=True))) as archive:
        assert archive.read("資料.txt").decode() == WORDS
    assert await whole.locks.open(whole.locks.token(lock), (CANARY,)) is Answer.UNKNOWN


async def test_wrong_password_stays_held_and_attempts_are_limited(whole, rig):
    (lock,) = await held(whole)
    token = whole.locks.token(lock)
    for _ in range(MOST_IN_WINDOW):
        assert await whole.locks.open(token, ("falsch",)) is Answer.WRONG
    assert await whole.locks.open(token, (CANARY,)) is Answer.LIMITED
    assert delivered(whole) == []
    assert await whole.landing.get_tags("mail/a.eml") == {"state": "held"}
    rig.clock.now += WINDOW
    assert await whole.locks.open(token, (CANARY,)) is Answer.OPENED


async def test_link_is_for_one_lock_until_its_end(whole, rig):
    (lock,) = await held(whole)
    token = whole.locks.token(lock)
    pair, number, end, mac = token.split(".")
    later = f"{int(end) + 1:010d}"
    for forged in (f"{pair}.{number}.{later}.{mac}", f"{number}.{pair}.{end}.{mac}", "", "x" * 200):
        assert await whole.locks.find(forged) is None
        assert await whole.locks.open(forged, (CANARY,)) is Answer.UNKNOWN
    rig.clock.now += VALID + timedelta(seconds=5)
    assert await whole.locks.open(token, (CANARY,)) is Answer.UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        f"先ほどの資料のパスワードは {CANARY} です。\n",
        f"パスワード：{CANARY}\n",
        f"PW: {CANARY}\nよろしく\n",
        f"解凍パスワードをお送りします。\n\n「{CANARY}」\n",
        f"Password is\n{CANARY}\n",
    ],
)
async def test_next_mail_of_the_same_sender_opens_it_without_a_person(whole, text):
    await held(whole)
    (outcome,) = await whole.passes("mail/b.eml", mail("パスワード", text, number=2))
    assert outcome.action == "deliver"
    assert [each.action for each in await whole.scan_landed()] == ["deliver"]
    assert len(delivered(whole)) == 2


@pytest.mark.parametrize("other", [{"sender": "x@other.example.com"}, {"text": "別の件です"}])
async def test_mail_of_another_sender_or_without_the_password_opens_nothing(whole, other):
    await held(whole)
    sender = other.get("sender", "s@other.example.com")
    text = other.get("text", f"パスワード：{CANARY}\n")
    raw = mail("件", text, number=2, sender=sender)
    await whole.passes("mail/b.eml", raw, sender=sender)
    assert await whole.landing.get_tags("mail/a.eml") == {"state": "held"}
    assert whole.recorded == []


def office(password):
    plain, out = io.BytesIO(), io.BytesIO()
    made = docx.Document()
    made.add_paragraph(WORDS)
    made.save(plain)
    msoffcrypto.OfficeFile(plain).encrypt(password, out)
    return out.getvalue()


def pdf(password):
    out = io.BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page()
        made.save(out, encryption=pikepdf.Encryption(owner="o", user=password))
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("旧式.zip", zipcrypto(b"himitsu")(0)),
        ("束.7z", seven_zip_aes("himitsu", "資料.txt", WORDS.encode())),
        ("aes.zip", locked_zip("himitsu", [("a.txt", note(0))])),
        ("表.docx", office("himitsu")),
        ("票.pdf", pdf("himitsu")),
        ("三.rar", rar({"a.txt": note(0) * 9}, format="rar30", password="himitsu")),
        ("五.rar", rar({"a.txt": note(0) * 9}, format="rar50", password="himitsu")),
        ("続.rar", rar({"a.txt": note(0), "b.txt": note(0)}, solid=True, password="himitsu")),
        ("名.rar", rar({"a.txt": note(0)}, password="himitsu", encrypt_headers=True)),
        ("中.rar", rar({"表.docx": office("himitsu")})),
        ("中.7z", seven_zip({"票.pdf": pdf("himitsu")})),
        ("中.lzh", lzh("表.docx", office("himitsu"))),
    ],
)
async def test_every_kind_is_opened_in_its_place(whole, name, data):
    (lock,) = await held(whole, mail(attach=[(name, data)]))
    assert await whole.locks.open(whole.locks.token(lock), ("falsch",)) is Answer.WRONG
    assert await whole.locks.open(whole.locks.token(lock), ("himitsu",)) is Answer.OPENED
    (child,) = await whole.scan_landed()
    assert child.action == "deliver", whole.results[-1][0].intent.decision.gaps


async def test_locked_file_is_opened_too(whole):
    (outcome,) = await whole.passes(
        "files/a", locked_zip(CANARY, members()), path="受付/資料.zip", sender=""
    )
    assert outcome.action == "hold"
    (name,) = [each async for each in whole.envelopes.names("locked/")]
    lock = await lock_of(whole, name)
    assert await whole.locks.open(whole.locks.token(lock), (CANARY,)) is Answer.OPENED
    assert [each.action for each in await whole.scan_landed()] == ["deliver"]
    assert list(whole.files()) == ["資料.zip"]


async def test_password_is_in_no_blob_row_queue_or_log(whole, caplog):
    caplog.set_level(0)
    (lock,) = await held(whole)
    await whole.locks.open(whole.locks.token(lock), ("falsch-" + CANARY,))
    await whole.locks.open(whole.locks.token(lock), (CANARY,))
    await whole.scan_landed()
    everything = await whole.everything() + repr(whole.results).encode() + caplog.text.encode()
    for form in (CANARY.encode(), CANARY.encode("cp932"), repr(CANARY)[1:-1].encode()):
        assert form not in everything


async def test_child_lands_once_though_the_process_dies_after_each_write(rig):
    for number in itertools.count():
        whole, name = Whole(rig, url=""), f"mail/k{number}.eml"
        locks = await held(whole, locked(number=f"k{number}"), name)
        (lock,) = [each for each in locks if each.item.id == name]
        dying = Whole(rig, url="", stores=MemoryStores(rig.account, Dying(number)))
        try:
            await dying.locks.open(dying.locks.token(lock), (CANARY,))
        except Crash:
            await whole.scan_landed()  # the child is on its way before the person tries again
            await whole.locks.open(whole.locks.token(lock), (CANARY,))
            await whole.scan_landed()
            sent = [each for each in delivered(whole) if f"<k{number}@".encode() in each]
            assert len(sent) == 1, number
        else:
            break
    assert number > 3


class Dying:
    """Dies after one write, counted from 0."""

    def __init__(self, number):
        self.left = number + 1

    async def __call__(self, operation, moment):
        if moment == "after" and operation.rpartition(".")[2] in {"put", "delete", "insert"}:
            self.left -= 1
            if self.left == 0:
                raise Crash


async def test_two_at_once_are_one_attempt(whole):
    (lock,) = await held(whole)
    token = whole.locks.token(lock)
    answers = await asyncio.gather(*(whole.locks.open(token, (CANARY,)) for _ in range(3)))
    assert answers.count(Answer.OPENED) == 1
    assert len([each async for each in whole.landing.names()]) == 1


def test_heading_does_not_hide_the_label_of_the_line_that_follows_it():
    found = candidates(
        [Segment("件名", "パスワード"), Segment("本文", "資料のパスワードは himitsu です。")]
    )
    assert "himitsu" in found[:8]


def test_candidates_are_few_and_the_labelled_ones_first():
    text = "\n".join(f"注文番号 A{n:06d} です" for n in range(200)) + "\npassword: hon-mono1\n"
    found = candidates([Segment("本文", text)])
    assert found[0] == "hon-mono1"
    assert len(found) <= 48


class TestPage:
    async def ask(self, whole, method="GET", body=b"", token="", login="off", headers=None):
        pages = PasswordPages(whole.locks, login)
        return await pages.handle(Request(method, token, headers=headers or {}, body=body))

    async def test_page_shows_a_form_and_opens(self, whole):
        (lock,) = await held(whole)
        token = whole.locks.token(lock)
        form = await self.ask(whole, token=token)
        text = form.body.decode()
        assert form.status == 200
        assert 'type="password"' in text
        assert "<script" not in text
        assert "関所" in text
        assert "Type the password" in text
        wrong = await self.ask(whole, "POST", b"password=falsch", token)
        assert "パスワードが違います" in wrong.body.decode()
        right = await self.ask(whole, "POST", urlencode({"password": CANARY}).encode(), token)
        assert "開きました" in right.body.decode()
        assert CANARY not in right.body.decode() + wrong.body.decode()
        assert right.headers()["Cache-Control"] == "no-store"

    async def test_style_is_the_consoles(self, whole):
        answer = await self.ask(whole, token="style.css")
        assert answer.media_type.startswith("text/css")
        assert answer.body

    async def test_stranger_learns_nothing(self, whole):
        assert (await self.ask(whole, token="a.b.c.d")).status == 404

    async def test_signed_in_recipient_alone_may_use_it_where_people_sign_in(self, whole, rig):
        (lock,) = await held(whole)
        token = whole.locks.token(lock)
        for name, status in ((rig.UPN.upper(), 200), ("x@city.example.jp", 404), ("", 404)):
            given = {PRINCIPAL: name} if name else {}
            answer = await self.ask(whole, token=token, login="easyauth", headers=given)
            assert answer.status == status
