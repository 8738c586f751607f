"""The wire: what two servers might read differently is refused, and every limit has its answer."""

from __future__ import annotations

import asyncio
import smtplib
import ssl

import pytest

from tests.unit.relay.doors import certificate, door

HEAD = b"Subject: x\r\n\r\n"
HIDDEN = (
    b"MAIL FROM:<evil@x.example>\r\nRCPT TO:<b@city.example>\r\nDATA\r\nSubject: hidden\r\n\r\nhi"
)


async def test_mail_is_kept_byte_for_byte_with_its_dots(tmp_path):
    async with door(tmp_path) as there:
        line = await there.line()
        await line.begin()
        body = "会議\r\n..\r\n.\r\nまた\r\n\r\n".encode()
        stuffed = body.replace(b"\r\n.", b"\r\n..")
        assert "250 2.0.0" in await line.say(HEAD + stuffed + b".\r\n")
        (found,) = there.mails()
        assert found[1].endswith(HEAD + body)
        assert found[1].startswith(b"Received: from me ([127.0.0.1])\r\n\tby relay.city.example")
        assert there.arrived == there.spool.names("incoming")


async def test_empty_mail_ends_with_its_first_line(tmp_path):
    async with door(tmp_path) as there:
        line = await there.line()
        await line.begin()
        assert "250 2.0.0" in await line.say(b".\r\n")
        assert len(there.mails()) == 1


@pytest.mark.parametrize("cut", range(1, 8))
async def test_end_of_data_is_found_wherever_the_packets_are_cut(tmp_path, cut):
    async with door(tmp_path) as there:
        line = await there.line()
        await line.begin()
        raw = HEAD + b"a\r\n.\r\n"
        line.writer.write(raw[:-cut])
        await line.writer.drain()
        await asyncio.sleep(0.02)
        assert "250 2.0.0" in await line.say(raw[-cut:])
        assert [data[-len(HEAD) - 3 :] for _, data in there.mails()] == [HEAD + b"a\r\n"]


@pytest.mark.parametrize(
    "end",
    [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r\n.\r", b"\r.\r\n", b"\n.\r",
     b"\r\r\n.\r\n\n"],
    ids=repr,
)  # fmt: skip
async def test_smuggled_end_of_data_is_no_end_and_refuses_the_mail(tmp_path, end):
    async with door(tmp_path) as there:
        line = await there.line()
        await line.begin()
        answer = await line.say(HEAD + b"seen" + end + HIDDEN + b"\r\n.\r\n")
        assert answer.startswith("554"), answer
        assert there.mails() == []


async def test_commands_behind_the_end_of_data_end_the_connection(tmp_path):
    async with door(tmp_path) as there:
        line = await there.line()
        await line.begin()
        assert (await line.say(HEAD + b"seen\r\n.\r\n" + HIDDEN + b"\r\n.\r\n")).startswith("554")
        assert await line.closed()
        assert there.mails() == []


@pytest.mark.parametrize("byte", [b"\n", b"\r"])
async def test_bare_line_end_anywhere_refuses_the_mail(tmp_path, byte):
    async with door(tmp_path) as there:
        line = await there.line()
        await line.begin()
        assert "bare CR or LF" in await line.say(HEAD + b"a" + byte + b"b\r\n.\r\n")
        await line.begin()
        assert "250 2.0.0" in await line.say(HEAD + b"a\r\n.\r\n"), "the session goes on"


@pytest.mark.parametrize("raw", [b"NOOP\nNOOP\r\n", b"MAIL FROM:<a@x.example>\nRCPT\r\n"])
async def test_command_line_with_a_bare_line_end_is_bad_syntax(tmp_path, raw):
    async with door(tmp_path) as there:
        line = await there.line()
        await line.say(b"EHLO me\r\n")
        assert (await line.say(raw)).startswith("500")
        assert (await line.say(b"NOOP\r\n")).startswith("250")


async def test_ehlo_offers_what_is_kept_and_nothing_else(tmp_path):
    async with door(tmp_path) as there:
        line = await there.line()
        offered = await line.say(b"EHLO me\r\n")
        words = {each[4:].split()[0] for each in offered.splitlines()[1:]}
        assert words == {"SIZE", "8BITMIME", "SMTPUTF8", "DSN", "HELP"}


async def test_size_is_refused_when_announced(tmp_path):
    async with door(tmp_path, message=10_000) as there:
        line = await there.line()
        assert "SIZE 10000" in await line.say(b"EHLO me\r\n")
        assert (await line.say(b"MAIL FROM:<a@x.example> SIZE=10001\r\n")).startswith("552")


@pytest.mark.parametrize("piece", [b"x" * 70 + b"\r\n", b"x"], ids=["lines", "no line end"])
async def test_size_is_enforced_while_it_comes_and_nothing_is_kept_in_memory(tmp_path, piece):
    async with door(tmp_path, message=10_000) as there:
        line = await there.line()
        await line.begin()
        line.writer.write(HEAD + piece * (500_000 // len(piece)))
        await line.writer.drain()
        await asyncio.sleep(0.1)
        assert there.limits.held == 0
        assert (await line.say(b"\r\n.\r\n")).startswith("552 5.3.4")
        assert there.mails() == []
        await line.begin()
        assert "250 2.0.0" in await line.say(HEAD + b"a\r\n.\r\n")
        assert there.limits.held == 0


async def test_memory_of_all_mails_in_hand_is_limited(tmp_path):
    async with door(tmp_path, in_hand=50_000) as there:
        first, second = await there.line(), await there.line()
        await first.begin()
        await second.begin()
        first.writer.write(HEAD + (b"x" * 70 + b"\r\n") * 600)
        await first.writer.drain()
        await asyncio.sleep(0.1)
        answer = await second.say(HEAD + (b"y" * 70 + b"\r\n") * 200 + b".\r\n")
        assert answer.startswith("452 4.3.1")
        assert "250 2.0.0" in await first.say(b".\r\n")


async def test_line_that_is_too_long_is_refused(tmp_path):
    async with door(tmp_path) as there:
        line = await there.line()
        await line.begin()
        assert "250 2.0.0" in await line.say(HEAD + b"x" * 998 + b"\r\n.\r\n")
        await line.begin()
        assert "too long" in await line.say(HEAD + b"x" * 1_500 + b"\r\n.\r\n")


async def test_recipients_get_answers_of_their_own(tmp_path):
    async with door(tmp_path, recipients=2) as there:
        line = await there.line()
        await line.say(b"EHLO me\r\n")
        await line.say(b"MAIL FROM:<a@x.example>\r\n")
        answers = [
            await line.say(b"RCPT TO:<" + each + b">\r\n")
            for each in (b"b@city.example", b"c@elsewhere.example", b"x/y@city.example",
                         b"d@city.example", b"e@city.example")
        ]  # fmt: skip
        assert [each[:9] for each in answers] == [
            "250 2.1.5", "550 5.7.1", "553 5.1.3", "250 2.1.5", "452 4.5.3",
        ]  # fmt: skip
        await line.say(b"DATA\r\n")
        await line.say(HEAD + b".\r\n")
        assert there.mails()[0][0].recipients == ("b@city.example", "d@city.example")


async def test_dsn_and_smtputf8_are_kept_as_they_were(tmp_path):
    async with door(tmp_path) as there:
        line = await there.line()
        await line.say(b"EHLO me\r\n")
        sent = "MAIL FROM:<佐藤@x.example> SMTPUTF8 BODY=8BITMIME RET=HDRS ENVID=QQ+3D314\r\n"
        assert (await line.say(sent.encode())).startswith("250")
        told = b"RCPT TO:<b@city.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Bob@city.example\r\n"
        assert (await line.say(told)).startswith("250")
        assert (await line.say(b"RCPT TO:<c@city.example>\r\n")).startswith("250")
        await line.say(b"DATA\r\n")
        await line.say(HEAD + b".\r\n")
        letter = there.mails()[0][0]
        assert letter.sender == "佐藤@x.example"
        assert set(letter.mail_options) == {
            "SMTPUTF8",
            "BODY=8BITMIME",
            "RET=HDRS",
            "ENVID=QQ+3D314",
        }
        assert letter.recipient_options == (
            ("NOTIFY=SUCCESS,DELAY", "ORCPT=rfc822;Bob@city.example"), (),
        )  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [b"MAIL FROM:<a@x.example> RET=ALL", b"MAIL FROM:<a@x.example> ENVID=a b=",
     b"MAIL FROM:<a@x.example> RET=FULL RET=HDRS", b"MAIL FROM:<a@x.example> SOMETHING=1"],
)  # fmt: skip
async def test_parameter_that_is_wrong_or_unknown_is_refused(tmp_path, words):
    async with door(tmp_path) as there:
        line = await there.line()
        await line.say(b"EHLO me\r\n")
        assert (await line.say(words + b"\r\n"))[:2] in {"50", "55"}


@pytest.mark.parametrize("words", [b"NOTIFY=NEVER,SUCCESS", b"NOTIFY=", b"ORCPT=rfc822", b"X=1"])
async def test_parameter_of_a_recipient_that_is_wrong_is_refused(tmp_path, words):
    async with door(tmp_path) as there:
        line = await there.line()
        await line.say(b"EHLO me\r\n")
        await line.say(b"MAIL FROM:<a@x.example>\r\n")
        assert (await line.say(b"RCPT TO:<b@city.example> " + words + b"\r\n"))[:2] in {"50", "55"}


async def test_bounce_with_the_empty_sender_is_taken(tmp_path):
    async with door(tmp_path, sender_domains=["x.example"]) as there:
        line = await there.line()
        await line.begin(sender=b"<>")
        await line.say(HEAD + b".\r\n")
        assert there.mails()[0][0].sender == ""
        assert (await line.say(b"MAIL FROM:<a@other.example>\r\n")).startswith("550 5.7.1")


async def test_stranger_is_told_and_shut_out(tmp_path):
    async with door(tmp_path, networks=["10.0.0.0/8"]) as there:
        line = await there.line()
        assert line.greeting.startswith("554 5.7.1")
        assert await line.closed()


async def test_connections_are_limited_and_places_come_free(tmp_path):
    async with door(tmp_path, connections=5, each=2) as there:
        lines = [await there.line() for _ in range(2)]
        third = await there.line()
        assert third.greeting.startswith("421 4.7.0")
        lines[0].writer.close()
        await asyncio.sleep(0.05)
        assert (await there.line()).greeting.startswith("220")


async def test_full_spool_answers_452_so_that_the_sender_keeps_the_mail(tmp_path):
    async with door(tmp_path, max_bytes=5_000) as there:
        line = await there.line()
        await line.say(b"EHLO me\r\n")
        assert (await line.say(b"MAIL FROM:<a@x.example> SIZE=9000\r\n")).startswith("452 4.3.1")
        await line.begin()
        answer = await line.say(HEAD + (b"x" * 70 + b"\r\n") * 100 + b".\r\n")
        assert answer.startswith("452 4.3.1")
        assert there.mails() == []


async def test_spool_that_cannot_be_written_answers_451(tmp_path, monkeypatch):
    async with door(tmp_path) as there:

        def broken(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(there.spool, "put", broken)
        line = await there.line()
        await line.begin()
        assert (await line.say(HEAD + b".\r\n")).startswith("451 4.3.0")
        assert there.arrived == []


async def test_mail_that_runs_in_a_circle_is_refused(tmp_path):
    async with door(tmp_path) as there:
        line = await there.line()
        await line.begin()
        answer = await line.say(b"Received: from a by b\r\n" * 51 + b"\r\n.\r\n")
        assert answer.startswith("554 5.4.6")


async def test_stop_lets_a_mail_in_hand_finish_and_sends_the_others_away(tmp_path):
    async with door(tmp_path) as there:
        idle, busy = await there.line(), await there.line()
        await busy.begin()
        busy.writer.write(HEAD)
        await busy.writer.drain()
        await asyncio.sleep(0.05)
        there.admission.shut()
        assert await idle.closed()
        assert "250 2.0.0" in await busy.say(b"a\r\n.\r\n")
        there.admission.shut()
        assert await busy.closed()
        assert len(there.mails()) == 1


async def test_starttls_is_asked_for_and_what_was_said_before_is_forgotten(tmp_path):
    file = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    client = ssl.create_default_context(cafile=str(file))
    async with door(tmp_path, tls=context) as there:
        line = await there.line()
        await line.say(b"EHLO me\r\n")
        assert (await line.say(b"MAIL FROM:<a@x.example>\r\n")).startswith("530")

        def talk():
            with smtplib.SMTP("127.0.0.1", there.port, timeout=10) as smtp:
                smtp._host = "relay.city.example"
                smtp.starttls(context=client)
                smtp.sendmail("a@x.example", ["b@city.example"], HEAD + b"secret\r\n")
                return smtp.sock.version()

        assert await asyncio.to_thread(talk) in {"TLSv1.2", "TLSv1.3"}
        assert b"with ESMTPS" in there.mails()[0][1]


async def test_commands_smuggled_in_front_of_tls_are_not_heard(tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))
    async with door(tmp_path, tls=context) as there:
        line = await there.line()
        await line.say(b"EHLO me\r\n")
        line.writer.write(b"STARTTLS\r\nNOOP\r\n")
        assert (await line.answer()).startswith("220")
        client = ssl.create_default_context()
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
        await line.writer.start_tls(client)
        assert (await line.say(b"EHLO me\r\n")).startswith("250-relay"), "NOOP had no answer"
