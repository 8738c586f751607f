"""What a site decides for its relay: a TOML file, and the environment over it.

The option ``networks`` is ``networks`` in the file and ``SEKISHO_RELAY_NETWORKS`` in the
environment; a list may be written with commas, a table as ``name=value`` pairs. Whatever is missing
or wrong is one SettingsError that names it all; keys are never quoted.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from relay.routes import Route, route
from shared.errors import SettingsError
from shared.setting_values import choice, whole

PREFIX = "SEKISHO_RELAY_"
type Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Option:
    """One option: how its text is read, its default (None: required) and its words."""

    name: str
    parse: Callable[[str], object]
    default: str | None
    text: str


def _listen(value: str) -> tuple[str, int]:
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or not 0 <= int(port) <= 65535:  # noqa: PLR2004 - ports
        message = "an address and a port, such as 10.1.2.3:25"
        raise ValueError(message)
    return host.strip("[]"), int(port)


def _list(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _domains(value: str) -> frozenset[str]:
    return frozenset(each.casefold() for each in _list(value))


def _networks(value: str) -> tuple[Network, ...]:
    try:
        found = tuple(ip_network(each) for each in _list(value))
    except ValueError:
        found = ()
    if not found:
        message = "networks such as 10.1.0.0/16, 192.0.2.7/32"
        raise ValueError(message)
    return found


def _routes(value: str) -> dict[str, Route]:
    found = {}
    for each in _list(value):
        domain, _, where = each.partition("=")
        found[domain.strip().casefold()] = route(where.strip())
    if not found:
        message = "domain = where, such as city.example.lg.jp = starttls://mail.example:25"
        raise ValueError(message)
    return found


def _file(value: str) -> Path:
    path = Path(value)
    if not path.is_file():
        message = "a file that exists and can be read"
        raise ValueError(message)
    return path


def _optional_file(value: str) -> Path | None:
    return _file(value) if value else None


OPTIONS: tuple[Option, ...] = (
    Option("listen", _listen, "127.0.0.1:25", "Address and port for SMTP."),
    Option("hostname", str, "", "The relay's own name in greetings and `Received`; empty: the machine's."),
    Option("networks", _networks, None, "Who may connect: networks of the mail server, and of the Exchange Online connector."),
    Option("sender_domains", _domains, "", "Domains that senders must have (`MAIL FROM`); empty: any. The empty sender of bounces always passes."),
    Option("tls", choice("required", "offered", "off"), "required", "STARTTLS for those who connect: `required`, `offered` or `off`."),
    Option("tls_certificate", _optional_file, "", "PEM file with the certificate chain; needed unless `tls` is `off`."),
    Option("tls_key", _optional_file, "", "PEM file with its key."),
    Option("max_message_bytes", whole(1_000, 150_000_000), "36700160", "The largest mail (SIZE); Exchange Online's own default is 35 MB."),
    Option("max_recipients", whole(1, 10_000), "500", "Recipients of one mail; the next gets 452, as RFC 5321 asks."),
    Option("max_line", whole(998, 32_000), "998", "The longest line without its end, in bytes (RFC 5321: 998)."),
    Option("max_connections", whole(1, 10_000), "100", "Connections at a time; the next is told 421."),
    Option("max_connections_each", whole(1, 10_000), "50", "Connections of one address at a time."),
    Option("max_bytes_in_hand", whole(1_000_000, 64_000_000_000), "500000000", "Bytes of mails being received at a time (memory); over it 452."),
    Option("idle_seconds", whole(5, 3_600), "300", "How long a silent connection is kept."),
    Option("stop_seconds", whole(1, 600), "30", "How long a stop waits for what is in hand."),
    Option("spool", Path, "/var/lib/sekisho-relay", "The spool's folder, on a disk of its own."),
    Option("spool_keys", _file, None, "File of the spool's keys: `<id>:<base64 of 32 random bytes>` a line, the one to write with first."),
    Option("spool_max_bytes", whole(1_000_000, 10**13), "20000000000", "What the spool may hold of mail on its way; over it 452, so that the sender's queue keeps the mail."),
    Option("spool_min_free_bytes", whole(0, 10**13), "1000000000", "What must stay free on the spool's disk; below it 452."),
    Option("workers", whole(1, 64), "2", "Processes that judge mails."),
    Option("isolation", choice("fork", "pool", "inline"), "fork", "How risky formats are read, as `SEKISHO_ISOLATION`."),
    Option("names", choice("off", "on"), "off", "As `SEKISHO_NAMES`."),
    Option("ocr", choice("off", "on"), "off", "As `SEKISHO_OCR`."),
    Option("fingerprint_key", _file, None, "File with the same key as `SEKISHO_FINGERPRINT_KEY`, so that the record can compare."),
    Option("policy", _optional_file, "", "The site's policy file, the same as in the cloud."),
    Option("hold", choice("block", "review"), "block", "From which disposition on a mail stays inside."),
    Option("sanitise", choice("external", "mail", "off"), "external", "Which mails are sanitised when people release them from here: those from outside `inside_domains`, all, or none."),
    Option("sanitise_links", choice("defang", "keep"), "defang", "As `SEKISHO_SANITISE_LINKS`."),
    Option("sanitise_parts", choice("hold", "note"), "hold", "As `SEKISHO_SANITISE_PARTS`."),
    Option("originals_days", whole(1, 365), "30", "How long the original of a mail whose sanitised copy was released stays in the spool."),
    Option("storage", _optional_file, "", "File with a connection string (the emulator's). In production leave it empty and name the URLs."),
    Option("blob_url", str, "", "`https://<account>.blob.core.windows.net` of the account `SEKISHO_WORK`."),
    Option("queue_url", str, "", "`https://<account>.queue.core.windows.net` of the same."),
    Option("tenant_id", str, "", "Tenant of the relay's app registration."),
    Option("client_id", str, "", "Its client id."),
    Option("certificate", _optional_file, "", "PEM file with its certificate and key; there is no client secret."),
    Option("poll_seconds", whole(1, 600), "2", "How often the cloud's orders are looked for when there were none."),
    Option("routes", _routes, None, "Where mail goes, by the recipient's domain (`*`: all others): `starttls://host:25` (certificate checked), `smtp://` (STARTTLS where offered, not checked), `plain://`. No route, no relaying: 550."),
    Option("delivery_certificate", _optional_file, "", "PEM file with the certificate and key that the relay shows to `starttls://` hops: an Exchange Online connector knows it by that."),
    Option("delivery_connections", whole(1, 64), "4", "SMTP connections outward at a time."),
    Option("retry_first_seconds", whole(1, 3_600), "60", "Pause after the first failure to deliver; doubled each time."),
    Option("retry_longest_seconds", whole(1, 86_400), "3600", "The longest pause."),
    Option("give_up_hours", whole(1, 240), "96", "Age at which a mail that cannot be delivered goes back to its sender."),
    Option("notices", choice("all", "inside", "off"), "all", "Who is told of a mail that was stopped: sender and recipients, those of `inside_domains` alone, or nobody."),
    Option("inside_domains", _domains, "", "Our own mail domains."),
    Option("notice_from", str, "", "The address that notices come from; needed unless `notices` is `off`."),
    Option("organisation_ja", str, "", "The government's name in notices."),
    Option("organisation_en", str, "", "The same in English."),
    Option("contact", str, "", "Whom to ask: a section and a telephone number."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settings:
    """The validated options, by their names."""

    listen: tuple[str, int]
    hostname: str
    networks: tuple[Network, ...]
    sender_domains: frozenset[str]
    tls: str
    tls_certificate: Path | None
    tls_key: Path | None
    max_message_bytes: int
    max_recipients: int
    max_line: int
    max_connections: int
    max_connections_each: int
    max_bytes_in_hand: int
    idle_seconds: int
    stop_seconds: int
    spool: Path
    spool_keys: Path
    spool_max_bytes: int
    spool_min_free_bytes: int
    workers: int
    isolation: str
    names: str
    ocr: str
    fingerprint_key: Path
    policy: Path | None
    hold: str
    sanitise: str
    sanitise_links: str
    sanitise_parts: str
    originals_days: int
    storage: Path | None
    blob_url: str
    queue_url: str
    tenant_id: str
    client_id: str
    certificate: Path | None
    poll_seconds: int
    routes: dict[str, Route] = field(repr=False)
    delivery_certificate: Path | None
    delivery_connections: int
    retry_first_seconds: int
    retry_longest_seconds: int
    give_up_hours: int
    notices: str
    inside_domains: frozenset[str]
    notice_from: str
    organisation_ja: str
    organisation_en: str
    contact: str

    @classmethod
    def load(cls, file: Path | None, env: Mapping[str, str]) -> Settings:
        """Read and check everything; SettingsError lists every problem at once."""
        given = _from_file(file) if file else {}
        names = {option.name for option in OPTIONS}
        problems = [f"{name} is no option" for name in sorted(set(given) - names)]
        values: dict[str, Any] = {}
        for option in OPTIONS:
            raw = env.get(PREFIX + option.name.upper(), given.get(option.name, option.default))
            if raw is None:
                problems.append(f"{option.name} is missing: {option.text}")
                continue
            try:
                values[option.name] = option.parse(raw)
            except ValueError as error:
                problems.append(f"{option.name} must be {error}")
        if not problems:
            problems = _consistent(values)
        if problems:
            raise SettingsError("relay settings: " + "; ".join(problems))
        return cls(**values)


def _from_file(file: Path) -> dict[str, str]:
    try:
        read = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError:
        message = f"relay settings: {file} cannot be read"
        raise SettingsError(message) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"relay settings: {file} is no TOML: {error}"
        raise SettingsError(message) from None
    return {name: _text(value) for name, value in read.items()}


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ",".join(f"{key}={each}" for key, each in value.items())
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value)


def _consistent(values: Mapping[str, Any]) -> list[str]:
    problems = []
    if values["tls"] != "off" and not (values["tls_certificate"] and values["tls_key"]):
        problems.append("tls_certificate and tls_key are needed unless tls is off")
    cloud = ("blob_url", "queue_url", "tenant_id", "client_id", "certificate")
    missing = [name for name in cloud if not values[name]]
    if not values["storage"] and missing:
        problems.append(f"{', '.join(missing)} missing (or storage, with the emulator)")
    problems += [
        f"{name} must be https"
        for name in ("blob_url", "queue_url")
        if values[name] and not values[name].startswith("https://")
    ]
    if values["notices"] != "off" and "@" not in values["notice_from"]:
        problems.append("notice_from is needed unless notices is off")
    if values["notices"] == "inside" and not values["inside_domains"]:
        problems.append("inside_domains is needed where notices is inside")
    return problems
