"""A relay in a process of its own, and a mail server that plays Exchange Online."""

from __future__ import annotations

import base64
import email
import email.policy
import json
import os
import secrets
import signal
import smtplib
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from local.azurite import free_ports

ROOT = Path(__file__).resolve().parents[3]
INSIDE, OUTSIDE = "city.example", "partner.example"


def key_file(path, name="k1"):
    path.write_text(f"{name}:{base64.b64encode(secrets.token_bytes(32)).decode()}\n")
    return path


class Sink:
    """Keeps what it is given; like a mailbox, it shows one Message-ID a recipient once.

    ``raw`` is every delivery; ``mailbox`` what a person sees (Exchange's store drops a second copy
    of the same Message-ID: DUPLICATEDELIVER in its message tracking).
    """

    def __init__(self, port=0):
        self.raw = []
        self.refuse = {}
        self.slow = 0.0
        self._lock = threading.Lock()
        self._controller = Controller(
            self, hostname="127.0.0.1", port=port or free_ports(1)[0], data_size_limit=200_000_000,
            enable_SMTPUTF8=True,
        )  # fmt: skip
        self._controller.factory = lambda: SMTP(
            self, data_size_limit=200_000_000, enable_SMTPUTF8=True, hostname="sink.example"
        )

    @property
    def port(self):
        return self._controller.port

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802 - aiosmtpd's
        for ending, answer in self.refuse.items():
            if address.endswith(ending):
                return answer
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - aiosmtpd's
        with self._lock:
            for each in envelope.rcpt_tos:
                self.raw.append((envelope.mail_from, each, bytes(envelope.content)))
        return "250 2.6.0 Queued"

    def __enter__(self):
        self._controller.start()
        return self

    def __exit__(self, *_):
        self._controller.stop()

    @staticmethod
    def header(data, name):
        return email.message_from_bytes(data, policy=email.policy.compat32)[name]

    def for_(self, address):
        return [data for _, to, data in list(self.raw) if to == address]

    def seen(self):
        """(recipient, Message-ID) → how often it was given."""
        return Counter((to, self.header(data, "Message-ID")) for _, to, data in list(self.raw))


class RelayProcess:
    """``sekisho-relay serve`` on free ports; the folder outlives kills."""

    def __init__(self, folder, storage, sink_port, **options):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "storage").write_text(storage)
        self.port = free_ports(1)[0]
        self.log = folder / "relay.log"
        if not (folder / "spool.key").exists():
            key_file(folder / "spool.key")
            key_file(folder / "fingerprint.key", "local-1")
        given = {
            "listen": f"127.0.0.1:{self.port}",
            "hostname": "relay.city.example",
            "networks": ["127.0.0.0/8"],
            "tls": "off",
            "spool": str(folder / "spool"),
            "spool_keys": str(folder / "spool.key"),
            "spool_min_free_bytes": 0,
            "fingerprint_key": str(folder / "fingerprint.key"),
            "storage": str(folder / "storage"),
            "poll_seconds": 1,
            "workers": 1,
            "retry_first_seconds": 1,
            "retry_longest_seconds": 2,
            "stop_seconds": 5,
            "notice_from": "sekisho@city.example",
            "organisation_ja": "関所市",
            "organisation_en": "Sekisho City",
            "contact": "情報政策課 内線1234",
            "inside_domains": [INSIDE],
            **options,
        }
        lines = [f"{name} = {json.dumps(value)}" for name, value in given.items()]
        lines += ["[routes]", f'"*" = "plain://127.0.0.1:{sink_port}"']
        self.config = folder / "relay.toml"
        self.config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._process = None

    def command(self, *words, check=True):
        """Run another command of ``sekisho-relay``; its output."""
        done = subprocess.run(
            [sys.executable, "-m", "relay.cli", "--config", str(self.config), *words],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, *, wait=True):
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "relay.cli", "--config", str(self.config), "serve"],
                cwd=ROOT, stdout=log, stderr=log,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
                start_new_session=True,
            )  # fmt: skip
        if wait:
            self.ready()

    def ready(self, seconds=60):
        end = time.monotonic() + seconds
        while True:
            try:
                with smtplib.SMTP("127.0.0.1", self.port, timeout=5) as smtp:
                    smtp.noop()
            except (OSError, smtplib.SMTPException):
                assert self._process.poll() is None, self.log.read_text()[-3000:]
                assert time.monotonic() < end, self.log.read_text()[-3000:]
                time.sleep(0.05)
            else:
                return

    def kill(self):
        """SIGKILL to the relay itself: its judges must notice and end."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self):
        """SIGTERM; the exit code."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                return self._process.wait(40)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                raise
        return self._process.returncode

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def send(self, sender, recipients, data, mail_options=(), rcpt_options=()):
        with smtplib.SMTP("127.0.0.1", self.port, timeout=60) as smtp:
            smtp.sendmail(sender, recipients, data, mail_options, rcpt_options)

    def names(self, state):
        return sorted(
            path.name.removesuffix(".mail")
            for path in (self.folder / "spool" / state).glob("*.mail")
        )
