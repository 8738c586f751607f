"""The sandbox: hostile documents end in named gaps, the worker and its loop live on."""

from __future__ import annotations

import asyncio
import io
import os
import platform
import signal
import struct
import time
from email.message import EmailMessage
from types import SimpleNamespace

import docx
import pytest
import pyzipper

from shared.extract import Document, Limits, begin
from shared.model import Content, Extraction, Gap, GapCode, Segment
from shared.sandbox import Confinement, Sandbox, merge, runner, seccomp
from shared.sandbox.wire import Answer, pack_answer, unpack_answer
from tests.unit.extract_files.archive_cases import zipped

MODES = ["fork", "pool", "inline"]


def word(text):
    document = docx.Document()
    document.add_paragraph(text)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


@pytest.fixture(scope="module", params=MODES)
def sandbox(request):
    made = Sandbox(mode=request.param)
    yield made
    made.close()


async def test_document_is_read_the_same_in_every_mode(sandbox):
    found = await sandbox.extract(Content(word("本文の文字"), "a.docx"))
    assert Segment("本文", "本文の文字", marks=found.segments[1].marks) == found.segments[1]
    assert found.gaps == ()


async def test_plain_text_starts_no_process():
    sandbox = Sandbox()
    found = await sandbox.extract(Content("番号".encode(), "a.txt"))
    assert found.segments[-1].text == "番号"
    assert sandbox.pids() == ()
    sandbox.close()


async def test_passwords_reach_the_child(sandbox):
    out = io.BytesIO()
    with pyzipper.AESZipFile(out, "w", encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(b"himitsu")
        archive.writestr("a.txt", "中身の文字")
    content = Content(out.getvalue(), "a.zip")
    closed = await sandbox.extract(content)
    assert [gap.code for gap in closed.gaps] == [GapCode.ENCRYPTED]
    opened = await sandbox.extract(content, ("himitsu",))
    assert "中身の文字" in [segment.text for segment in opened.segments]
    assert opened.gaps == ()


async def test_mail_keeps_the_order_of_its_parts(sandbox):
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "題", "a@example.jp", "b@example.jp"
    mail["Date"] = "Mon, 01 Jan 2024 00:00:00 +0900"
    mail.set_content("はじめ")
    for number in (1, 2):
        mail.add_attachment(
            word(f"添付の文字{number}"),
            maintype="application",
            subtype="zip",
            filename=f"{number}.docx",
        )
    found = await sandbox.extract(Content(mail.as_bytes(), "a.eml"))
    texts = [segment.text for segment in found.segments]
    order = [texts.index(word) for word in ("1.docx", "添付の文字1", "2.docx", "添付の文字2")]
    assert order == sorted(order)


async def test_loop_turns_while_a_document_is_read():
    sandbox = Sandbox()
    turns = 0
    task = asyncio.create_task(sandbox.extract(Content(word("字"), "a.docx")))
    while not task.done():
        turns += 1
        await asyncio.sleep(0.001)
    assert (await task).gaps == ()
    assert turns > 5  # starting the server alone takes tens of milliseconds
    sandbox.close()


async def test_many_tasks_share_two_processes():
    sandbox = Sandbox(processes=2)
    found = await asyncio.gather(
        *(sandbox.extract(Content(word(f"第{n}号の文書"), "a.docx")) for n in range(8))
    )
    assert [one.segments[1].text for one in found] == [f"第{n}号の文書" for n in range(8)]
    assert len(sandbox.pids()) <= 2
    sandbox.close()


@pytest.mark.parametrize("mode", ["fork", "pool"])
async def test_killed_server_is_replaced(mode):
    sandbox = Sandbox(mode=mode, processes=1)
    await sandbox.extract(Content(word("字"), "a.docx"))
    (before,) = sandbox.pids()
    os.kill(before, signal.SIGKILL)
    found = await sandbox.extract(Content(word("次の文書"), "a.docx"))
    assert found.segments[1].text == "次の文書"
    assert sandbox.pids() != (before,)
    sandbox.close()
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)


async def test_pool_process_is_recycled():
    sandbox = Sandbox(mode="pool", processes=1, recycle=2)
    seen = set()
    for _ in range(4):
        await sandbox.extract(Content(word("字"), "a.docx"))
        seen.update(sandbox.pids())
    assert len(seen) == 2
    sandbox.close()


def fake_reader(monkeypatch, tmp_path, code):
    """A reader for RTF that does ``code``; the servers find it by their path."""
    package = tmp_path / "planted_reader.py"
    code = code.replace("{tmp}", str(tmp_path))
    package.write_text(
        f"import ctypes, os, signal, socket, time, sys\ndef read(document, job):\n    {code}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    plant = (
        "from shared.extract import dispatch;"
        " dispatch.READERS['rtf'] = dispatch.Reader('planted_reader');"
    )
    monkeypatch.setattr(
        runner, "CODE", runner.CODE.replace(" from shared", f" {plant} from shared", 1)
    )


PLANTED = Content(b"{\\rtf1 }", "a.rtf")

ENDS = [
    ("signal.raise_signal(11)", {GapCode.CRASHED}),
    ("os.abort()", {GapCode.CRASHED}),
    ("os._exit(7)", {GapCode.CRASHED}),
    ("os._exit(0)", {GapCode.CRASHED}),
    ("ctypes.string_at(0)", {GapCode.CRASHED}),
    ("time.sleep(60)", {GapCode.TIMED_OUT}),
    ("[None for _ in iter(int, 1)]", {GapCode.TIMED_OUT, GapCode.TOO_LARGE}),
    ("exec('while True: pass')", {GapCode.TIMED_OUT}),
    ("bytearray(2 << 30)", {GapCode.TOO_LARGE}),
    ("open('{tmp}/written', 'w').write('x' * 100000)", {GapCode.MALFORMED, GapCode.CRASHED}),
    ("raise BaseException", {GapCode.CRASHED}),
    ("1 / 0", {GapCode.MALFORMED}),
]
POOL_ENDS = [ENDS[index] for index in (0, 2, 5, 8, 11)]


@pytest.mark.parametrize(("mode", "ends"), [("fork", ENDS), ("pool", POOL_ENDS)])
async def test_every_end_of_a_child_is_a_named_gap(mode, ends, monkeypatch, tmp_path):
    monkeypatch.setattr("shared.sandbox.runner.START", 0.8)
    for code, gaps in ends:
        fake_reader(monkeypatch, tmp_path, code)
        sandbox = Sandbox(
            mode=mode, processes=1, confinement=Confinement(cpu=1, wall=1.2, memory=512 << 20)
        )
        found = await sandbox.extract(PLANTED)
        assert {gap.code for gap in found.gaps} <= gaps, code
        assert found.gaps, code
        after = await sandbox.extract(Content(word("次の文書"), "a.docx"))
        assert after.segments[1].text == "次の文書", code
        sandbox.close()
        assert not (tmp_path / "written").exists() or not (tmp_path / "written").stat().st_size
        monkeypatch.undo()
        monkeypatch.setattr("shared.sandbox.runner.START", 0.8)


async def test_child_sees_no_environment_and_no_files(monkeypatch, tmp_path):
    monkeypatch.setenv("SEKISHO_SECRET", "kagi")
    code = "job.text('環境', ' '.join(os.environ) + ' ' + ' '.join(os.listdir('/proc/self/fd')))"
    fake_reader(monkeypatch, tmp_path, code)
    sandbox = Sandbox(processes=1)
    found = await sandbox.extract(PLANTED)
    words = next(one.text for one in found.segments if one.location == "環境").split()
    sandbox.close()
    assert "SEKISHO_SECRET" not in words
    assert (
        len([word for word in words if word.isdigit()]) <= 5
    )  # three null streams, the answer, the listing


FORBIDDEN = [
    "socket.socket()",
    "socket.socketpair()",
    "os.execv('/bin/true', ['true'])",
    "os.kill(os.getppid(), 0)",
    "os.pidfd_open(os.getppid())",
]


@pytest.mark.skipif(platform.system() != "Linux", reason="seccomp is Linux's")
@pytest.mark.parametrize("mode", ["fork", "pool"])
async def test_child_has_no_network_no_programs_no_other_process(mode, monkeypatch, tmp_path):
    tries = "".join(
        f"    try:\\n        {code}; job.text('x', 'allowed')\\n    except PermissionError:\\n"
        "        job.text('x', 'refused')\\n"
        for code in FORBIDDEN
    )
    fake_reader(monkeypatch, tmp_path, "pass\n" + tries.replace("\\n", "\n"))
    sandbox = Sandbox(mode=mode, processes=1)
    found = await sandbox.extract(PLANTED)
    sandbox.close()
    assert [one.text for one in found.segments if one.location == "x"] == ["refused"] * len(
        FORBIDDEN
    )


def test_filter_is_built_for_both_machines():
    for machine in ("x86_64", "aarch64"):
        code = seccomp.build(machine, 4242)
        assert len(code) % 8 == 0
        assert code.endswith(struct.pack("<HBBI", 6, 0, 0, seccomp.ALLOW))


async def test_budget_of_the_item_is_shared(monkeypatch):
    now = [0.0]

    def slow(*args, **options):
        now[0] += 30.0
        return begin(*args, **options)

    monkeypatch.setattr("shared.sandbox.begin", slow)
    monkeypatch.setattr("shared.sandbox.time", SimpleNamespace(monotonic=lambda: now[0]))
    sandbox = Sandbox(limits=Limits(seconds=20.0))
    found = await sandbox.extract(Content(word("字"), "a.docx"))
    sandbox.close()
    assert [gap.code for gap in found.gaps] == [GapCode.TIMED_OUT]


def mail_with(archives):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.jp", "b@example.jp", "x"
    mail.set_content("本文")
    for number in range(archives):
        text = "".join(f"{number} {line}\n" for line in range(6_000)).encode()
        packed = zipped({f"{number}.txt": text})
        mail.add_attachment(packed, maintype="application", subtype="zip", filename="a.zip")
    return Content(mail.as_bytes(), "a.eml")


@pytest.mark.parametrize("mode", ["inline", "fork"])
@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(expanded=100_000), GapCode.TOO_LARGE),
        (Limits(members=4), GapCode.TOO_MANY),
        (Limits(text=100_000), GapCode.TOO_LARGE),
    ],
)
async def test_budget_is_one_for_all_documents_of_an_item(mode, limits, code):
    """Each attachment alone is within the budget; together they are over it."""
    sandbox = Sandbox(mode=mode, limits=limits)
    one, three = await sandbox.extract(mail_with(1)), await sandbox.extract(mail_with(3))
    sandbox.close()
    assert one.gaps == ()
    assert {gap.code for gap in three.gaps} == {code}


def test_answer_that_is_no_extraction_is_a_crash():
    for body in (b"", b"\x00" * 9, b"\xc1", pack_answer(Answer(Extraction(())))[:-1]):
        assert unpack_answer(0, body, "添付1").extraction.gaps == (Gap(GapCode.CRASHED, "添付1"),)
    assert unpack_answer(1, b"\4nono", "添付1").extraction.gaps == (Gap(GapCode.CRASHED, "添付1"),)


async def test_what_a_killed_child_had_read_is_kept(monkeypatch, tmp_path):
    code = "job.text('1ページ', '先に読めた文字'); signal.raise_signal(11)"
    fake_reader(monkeypatch, tmp_path, code)
    sandbox = Sandbox(processes=1)
    found = await sandbox.extract(PLANTED)
    sandbox.close()
    assert "先に読めた文字" in [segment.text for segment in found.segments]
    assert [gap.code for gap in found.gaps] == [GapCode.CRASHED]


def test_half_surrogates_pass_the_wire_as_replacement():
    packed = pack_answer(Answer(Extraction((Segment("本文", "1\ud8002"),))))
    assert unpack_answer(0, packed, "").extraction.segments[0].text == "1\ufffd2"


def test_merge_puts_a_part_behind_its_own_name():
    first = Extraction(
        (Segment("添付1 › 名前", "a"), Segment("添付10 › 名前", "b"), Segment("本文", "c")),
        (Gap(GapCode.PARTIAL, ""),),
    )
    found = [
        (Document(b"", location="添付10"), Extraction((Segment("添付10 › 本文", "2"),))),
        (Document(b"", location="添付1"), Extraction((Segment("添付1 › 本文", "1"),))),
    ]
    merged = merge(first, found)
    assert [one.text for one in merged.segments] == ["a", "1", "b", "2", "c"]
    assert merged.gaps == first.gaps


def test_close_twice_leaves_no_process():
    sandbox = Sandbox(processes=1)
    asyncio.run(sandbox.extract(Content(word("字"), "a.docx")))
    (pid,) = sandbox.pids()
    sandbox.close()
    sandbox.close()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
    pytest.fail("the server lives")
