"""Mails a second that the relay accepts, beside a bare aiosmtpd that only stores to disk.

Run: ``.venv/bin/python bench/relay.py [--json [FILE]] [--mails N] [--senders N]``. Both run in a
process of their own, take the same mails from the same senders in turns, and answer 250 when the
file is synced; the relay seals each mail and judges it in its worker meanwhile (no cloud: mail that
passes waits, as in an outage). The bare one writes the bytes, syncs file and folder, and that is
all. ``judged_s`` is how fast the judging that runs beside it comes along.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import smtplib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import _figures
from tests.integration.relay.parts import RelayProcess, free_ports

ROUNDS = 3
NOWHERE = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey="
    + base64.b64encode(bytes(64)).decode()
    + "".join(f";{kind}Endpoint=http://127.0.0.1:9/d" for kind in ("Blob", "Queue", "Table"))
)
BARE = """
import asyncio, os, sys, uuid
from pathlib import Path
from aiosmtpd.smtp import SMTP
folder, port, sync = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "sync"
def keep(data):
    name = uuid.uuid4().hex
    with (folder / f"{name}.tmp").open("wb") as out:
        out.write(data)
        out.flush()
        if sync:
            os.fsync(out.fileno())
    (folder / f"{name}.tmp").rename(folder / name)
    if sync:
        handle = os.open(folder, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
class Store:
    async def handle_DATA(self, server, session, envelope):
        await asyncio.to_thread(keep, envelope.content)
        return "250 OK"
async def main():
    loop = asyncio.get_running_loop()
    given = {"data_size_limit": 10**8, "enable_SMTPUTF8": True, "hostname": "x", "loop": loop}
    made = lambda: SMTP(Store(), **given)
    server = await loop.create_server(made, "127.0.0.1", port)
    await server.serve_forever()
asyncio.run(main())
"""


def mail(size: int) -> bytes:
    """A mail of about ``size`` bytes with nothing to find in it."""
    head = "From: a@x.example\r\nTo: b@city.example\r\nSubject: =?utf-8?B?5Lya6K2w?=\r\n"
    kind = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    line = "会議の資料をお送りします。よろしくお願いします。\r\n"
    return (head + kind + line * (size // len(line.encode()))).encode()


def rate(port: int, mails: int, senders: int, data: bytes) -> float:
    """Mails a second: each sender keeps one connection, as mail servers do."""

    def send() -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=120) as smtp:
            for _ in range(mails // senders):
                smtp.sendmail("a@x.example", ["b@city.example"], data, ["BODY=8BITMIME"])

    threads = [threading.Thread(target=send) for _ in range(senders)]
    began = time.perf_counter()
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return (mails // senders * senders) / (time.perf_counter() - began)


def bare(folder: Path, *, sync: bool) -> tuple[subprocess.Popen[bytes], int]:
    """The bare server, running."""
    folder.mkdir()
    port = free_ports(1)[0]
    words = [sys.executable, "-c", BARE, str(folder), str(port), "sync" if sync else "no"]
    process = subprocess.Popen(words)
    while True:
        try:
            smtplib.SMTP("127.0.0.1", port, timeout=5).quit()
        except OSError:
            time.sleep(0.05)
        else:
            return process, port


def measured(asked: argparse.Namespace) -> dict[str, float]:
    """Rounds in turn, so that the machine's moods fall on all alike; medians."""
    small, large = mail(3_000), mail(1_000_000)
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        folder = Path(name)
        synced, synced_port = bare(folder / "synced", sync=True)
        loose, loose_port = bare(folder / "loose", sync=False)
        relay = RelayProcess(folder / "relay", NOWHERE, 9, workers=asked.workers)
        rows: dict[str, list[float]] = {"mails_s": [], "bare_mails_s": [], "loose": [], "mb": [],
                                        "bare_mb": []}  # fmt: skip
        try:
            relay.start()
            many, few = asked.mails, max(asked.mails // 20, asked.senders)
            for port in (relay.port, synced_port, loose_port):
                rate(port, asked.senders, asked.senders, small)
            for _ in range(ROUNDS):
                rows["mails_s"].append(rate(relay.port, many, asked.senders, small))
                rows["bare_mails_s"].append(rate(synced_port, many, asked.senders, small))
                rows["loose"].append(rate(loose_port, many, asked.senders, small))
                rows["mb"].append(rate(relay.port, few, asked.senders, large) * len(large) / 1e6)
                rows["bare_mb"].append(
                    rate(synced_port, few, asked.senders, large) * len(large) / 1e6
                )
        finally:
            relay.stop()
            for process in (synced, loose):
                process.terminate()
                process.wait()
    found = {name: statistics.median(each) for name, each in rows.items()}
    return {
        "mails_s": round(found["mails_s"], 1),
        "mb_s": round(found["mb"], 1),
        "bare_mails_s": round(found["bare_mails_s"], 1),
        "ratio_to_bare": round(found["mails_s"] / found["bare_mails_s"], 3),
        "bare_mb_s": round(found["bare_mb"], 1),
        "bare_unsynced_mails_s": round(found["loose"], 1),
        "judged_s": round(judged(asked, small), 1),
    }


def judged(asked: argparse.Namespace, data: bytes) -> float:
    """Mails a second that one process judges when it has nothing else to do."""
    from datetime import UTC, datetime  # noqa: PLC0415 - only here

    from relay.judging import make_judge  # noqa: PLC0415 - the same
    from relay.settings import Settings  # noqa: PLC0415 - the same
    from relay.spool import INCOMING, Letter, new_id  # noqa: PLC0415 - the same

    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        relay = RelayProcess(Path(name) / "relay", NOWHERE, 9)
        judge = make_judge(Settings.load(relay.config, os.environ))
        judge.spool.prepare()
        letter = Letter("a@x.example", ("b@city.example",), datetime.now(UTC))
        names = [new_id() for _ in range(100)]
        for each in names:
            judge.spool.put(INCOMING, each, letter, data)

        async def all_of_them() -> None:
            for each in names:
                await judge.judge(INCOMING, each)

        asyncio.run(all_of_them())
        began = time.perf_counter()
        asyncio.run(all_of_them())
        judge.sandbox.close()
        return len(names) / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    _figures.add(parser)
    parser.add_argument("--mails", type=int, default=1_000)
    parser.add_argument("--senders", type=int, default=8)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--folder", help="where the files go; the disk is part of the figure")
    asked = parser.parse_args()
    figures = measured(asked)

    def table() -> None:
        print("| what | figure |\n|---|---|")
        for name, figure in figures.items():
            print(f"| {name} | {figure:g} |")

    _figures.tell(asked.json, figures, table)


if __name__ == "__main__":
    main()
