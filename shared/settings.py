"""What a deployment decides: typed, validated at start, each documented in docs/reference/settings.md.

A setting that is missing or wrong is a SettingsError that names them all at once and says what to
write instead; values of keys are never quoted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from shared.errors import SettingsError
from shared.model import Disposition
from shared.setting_values import LOOPBACK, Key
from shared.setting_values import certificates as _certificates
from shared.setting_values import choice as _choice
from shared.setting_values import cohorts as _cohorts
from shared.setting_values import domains as _domains
from shared.setting_values import key as _key
from shared.setting_values import labels as _labels
from shared.setting_values import names as _names
from shared.setting_values import optional_url as _optional_url
from shared.setting_values import pem as _pem
from shared.setting_values import public_keys as _public_keys
from shared.setting_values import sites as _sites
from shared.setting_values import some as _some
from shared.setting_values import url as _url
from shared.setting_values import whole as _whole

__all__ = ["CONNECTIONS", "ROLES", "SETTINGS", "Connection", "Key", "Setting", "Settings"]

ROLES = ("all", "intake", "scan", "audit", "console")
GRAPH = "https://graph.microsoft.com/v1.0"
KEYS_URL = "https://login.microsoftonline.com/common/discovery/v2.0/keys"


@dataclass(frozen=True, slots=True)
class Connection:
    """One storage account: a connection string (the emulator's), or URLs for a managed identity."""

    name: str
    string: str = field(default="", repr=False)
    blob_url: str = ""
    queue_url: str = ""
    table_url: str = ""
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """One documented setting: its name, how it is read, its default (None: required) and its words."""

    name: str
    parse: Callable[[str], object]
    default: str | None
    roles: tuple[str, ...]
    text: str


_SCAN = ("all", "scan")
_GRAPH = ("all", "intake", "scan")
_CONSOLE = ("all", "console")
_TELLING = ("all", "scan", "audit")

SETTINGS: tuple[Setting, ...] = (
    Setting("SEKISHO_ROLE", _choice(*ROLES), "all", ROLES, "Which functions this app runs: `all`, `intake`, `scan`, `audit` or `console`."),
    Setting("SEKISHO_BLOB_SOURCE", _choice("EventGrid", "StorageQueue", "LogsAndContainerScan"), "EventGrid", ("all", "intake"), "How uploads wake the gate. `EventGrid` pushes to the blob trigger (the only source Flex Consumption has); `StorageQueue` where the storage is private: Event Grid's events come by the queue `landing-events`; `LogsAndContainerScan` polls, for the Core Tools on one machine."),
    Setting("SEKISHO_GRAPH_BASE_URL", _url, GRAPH, _GRAPH, "Microsoft Graph, with the version. Another host than Microsoft's only on this machine (the stand-in)."),
    Setting("SEKISHO_GRAPH_CREDENTIAL", _choice("managed_identity", "local"), "managed_identity", _GRAPH, "`managed_identity` in the cloud; `local` gives the stand-in a token and is refused for any host but this machine."),
    Setting("SEKISHO_CLIENT_ID", str, "", _GRAPH, "Client id of the user-assigned identity that calls Graph; empty for the system-assigned one."),
    Setting("SEKISHO_NOTIFICATIONS", _choice("webhook", "eventhub"), "webhook", ("all", "intake"), "How Graph's notifications come: `webhook` (this app has a public address) or `eventhub` (it has none; they are read from an event hub by managed identity)."),
    Setting("SEKISHO_NOTIFICATION_URL", _optional_url, "", ("all", "intake"), "Where Graph sends notifications: the address of this app up to `/api/graph`, or the event hub's `https://<namespace>.servicebus.windows.net/eventhubname/<hub>?tenantId=<domain>`. Empty: no subscriptions are made, the sweep alone watches."),
    Setting("SEKISHO_NOTIFICATION_HUB", str, "", ("all", "intake"), "Name of the event hub, with `eventhub`; its namespace is `SEKISHO_HUB__fullyQualifiedNamespace`."),
    Setting("SEKISHO_WATCH", _names, "", ("all", "intake"), "The accounts to watch: comma-separated user ids or sign-in names, and `group:<id>` for the members of an Entra group (and of the groups in it)."),
    Setting("SEKISHO_SITES", _sites, "", ("all", "intake"), "The SharePoint sites whose document libraries are watched, the files of Teams channels among them: `all`, or ids of sites (`<host>,<guid>,<guid>`) with spaces between, for a pilot. Empty: none."),
    Setting("SEKISHO_COHORTS", _cohorts, "", _GRAPH, "The policy's cohorts by Entra group: `pilot=<group id>,wave=<group id>`; the first that an account is in counts, whoever is in none is in `everyone`. Empty: everybody is."),
    Setting("SEKISHO_TENANT_ID", str, "", _GRAPH, "Our tenant's id: whose validation tokens are believed, and who is an outsider in Teams."),
    Setting("SEKISHO_TEAMS", _choice("on", "off"), "on", ("all", "intake"), "Whether Teams messages (channels and chats of the whole tenant) are watched."),
    Setting("SEKISHO_TEAMS_MODEL", _choice("", "A", "B"), "", ("all", "intake"), "The licensing model that Teams' subscriptions name (`model=A`); empty: none."),
    Setting("SEKISHO_RICH_CERTIFICATES", _certificates, "", ("all", "intake"), "Certificates that Teams' notifications are sealed for: `<id>:<base64 of PEM with certificate and RSA key>`, comma-separated, the newest first; keep the old one until its subscriptions are renewed. Empty: notifications name a message and its text is read from Graph. In the cloud a Key Vault reference."),
    Setting("SEKISHO_VALIDATION_KEYS_URL", _url, KEYS_URL, ("all", "intake"), "Where the keys that sign validation tokens are published."),
    Setting("SEKISHO_RENEW_SCHEDULE", str, "0 */15 * * * *", ("all", "intake"), "When subscriptions are made and renewed (NCRONTAB, UTC)."),
    Setting("SEKISHO_SWEEP_SCHEDULE", str, "0 */30 * * * *", ("all", "intake"), "When the sweep looks for what notifications lost (NCRONTAB, UTC)."),
    Setting("SEKISHO_POISON_SCHEDULE", str, "20 * * * * *", ("all", "intake", "audit"), "When messages that functions died under are tried again, or kept as dead letters (NCRONTAB, UTC)."),
    Setting("SEKISHO_BASELINE_PER_MINUTE", _whole(1, 60_000), "600", ("all", "intake"), "How many items that were there before they were watched are scanned a minute, over the whole tenant, behind the fresh ones (queue `scan-bulk`)."),
    Setting("SEKISHO_EXCEPTIONS_SCHEDULE", str, "10 * * * * *", ("all", "scan"), "When what an exception's beginning or end concerns is judged anew (NCRONTAB, UTC): a release takes effect, and ends, no later."),
    Setting("SEKISHO_NOTICE_SCHEDULE", str, "40 * * * * *", ("all", "scan"), "When waiting notices are sent (NCRONTAB, UTC); what waits together for one person is one notice."),
    Setting("SEKISHO_NOTICE_MAILBOX", str, "", _TELLING, "The mailbox that notices are sent from (a sign-in name; `Mail.Send` is limited to it by Exchange). Empty: nobody is told by mail."),
    Setting("SEKISHO_NOTICE_SECURITY", _names, "", _TELLING, "Mail addresses of the people in charge, comma-separated: told of what a rule says, of alerts, and by the day's digest."),
    Setting("SEKISHO_NOTICE_CARD", _choice("off", "on"), "off", _TELLING, "Whether the people in charge get the same as a card in Teams."),
    Setting("SEKISHO_NOTICE_WEBHOOK", _optional_url, "", ("all", "scan"), "Address of the Teams Workflows webhook that takes the cards. It is a secret: in the cloud a Key Vault reference."),
    Setting("SEKISHO_NOTICE_CONTACT", str, "", ("all", "scan"), "Whom notices name to ask: a section and a telephone number."),
    Setting("SEKISHO_NOTICE_TEMPLATES", str, "", ("all", "scan"), "Folder inside the package with the site's own templates (`owner.ja.txt` and so on, `layout.html`); empty: ours."),
    Setting("SEKISHO_ORGANISATION_JA", str, "", ("all", "scan"), "The organisation's name in Japanese, as notices say it."),
    Setting("SEKISHO_ORGANISATION_EN", str, "", ("all", "scan"), "The same in English; empty: the Japanese one."),
    Setting("SEKISHO_HEAD_SCHEDULE", str, "30 * * * * *", ("all", "audit"), "When the head of the audit chain is signed and published (NCRONTAB, UTC)."),
    Setting("SEKISHO_HEAD_KEYS", _public_keys, "", ("all", "audit"), "Public keys (base64 of PEM each) of former signing keys, so that heads signed before a rotation are still checked."),
    Setting("SEKISHO_VERIFY_SCHEDULE", str, "0 */15 * * * *", ("all", "audit"), "When the audit chain is verified: what is new, and a further part of the whole (NCRONTAB, UTC)."),
    Setting("SEKISHO_EXPORT_FORMATS", _some("ocsf", "cef", "csv", "cloudevents"), "", ("all", "audit"), "Formats in which the record is exported as it grows, to the container `exports` of the audit's account: some of `ocsf`, `cef`, `csv`, `cloudevents`, with commas; empty: none."),
    Setting("SEKISHO_EXPORT_SCHEDULE", str, "45 */5 * * * *", ("all", "audit"), "When what is new of the record is exported (NCRONTAB, UTC)."),
    Setting("SEKISHO_SENTINEL_ENDPOINT", _optional_url, "", ("all", "audit"), "Logs Ingestion endpoint of the data collection rule (or endpoint) that takes the record into a Log Analytics workspace; empty: none."),
    Setting("SEKISHO_SENTINEL_RULE", str, "", ("all", "audit"), "Immutable id of that data collection rule (`dcr-…`); its stream is `Custom-SekishoAudit_CL`."),
    Setting("SEKISHO_ALERT_SCHEDULE", str, "15 */5 * * * *", ("all", "audit"), "When queues, subscriptions, the sweep, the exports and the chain's verification are looked at for alerts (NCRONTAB, UTC)."),
    Setting("SEKISHO_ALERT_BLOCKS", _choice("strictest", "all", "off"), "strictest", ("all", "audit"), "Which blocks are alerts: those by a rule of the strictest class or one that blocks everywhere (`strictest`), `all`, or none (`off`)."),
    Setting("SEKISHO_ALERT_SWEEP_ITEMS", _whole(1, 1_000_000), "20", ("all", "audit"), "Alert when the sweep found so many items of mail and files in a day that no notification had told of."),
    Setting("SEKISHO_ALERT_QUEUE_MINUTES", _whole(1, 1440), "15", ("all", "audit"), "Alert when a message has waited so long on a queue (`scan-bulk` may take its time)."),
    Setting("SEKISHO_ALERT_LAPSED", _whole(1, 100_000), "5", ("all", "audit"), "Alert when so many subscriptions of one source have lapsed."),
    Setting("SEKISHO_RETAIN_COPIES_DAYS", _whole(0, 36_500), "0", ("all", "audit"), "Days after which the kept copies (evidence, quarantine) of closed incidents are deleted; `0`: never."),
    Setting("SEKISHO_RETAIN_INCIDENTS_DAYS", _whole(0, 36_500), "0", ("all", "audit"), "Days after which closed incidents, whose copies are gone, are deleted; `0`: never."),
    Setting("SEKISHO_RETAIN_SEARCH_DAYS", _whole(0, 36_500), "0", ("all", "audit"), "Days after which the rows that find and count events of a day are deleted (the chain keeps the events); `0`: never."),
    Setting("SEKISHO_RETAIN_LEDGER_DAYS", _whole(0, 36_500), "400", ("all", "scan"), "Days after which the ledger forgets what was done with an item (should it come again, it is scanned anew); `0`: never."),
    Setting("SEKISHO_LEGAL_HOLD", _choice("off", "on"), "off", ("all", "scan", "audit", "console"), "`on`: nothing that is kept is deleted, neither by its time nor by people (one incident: `sekisho audit hold`)."),
    Setting("SEKISHO_RETENTION_SCHEDULE", str, "0 30 18 * * *", ("all", "audit"), "When retention is carried out and the counters are counted anew (NCRONTAB, UTC)."),
    Setting("SEKISHO_CLIENT_STATE_KEY", _key, None, ("all", "intake"), "HMAC key of the `clientState` that genuine notifications carry: `<id>:<base64 of 32 bytes>`. In the cloud a Key Vault reference."),
    Setting("SEKISHO_FINGERPRINT_KEY", _key, None, _SCAN, "HMAC key of findings' fingerprints and of content digests. In the cloud a Key Vault reference."),
    Setting("SEKISHO_MARKER_KEY", _key, None, ("all", "scan"), "HMAC key of the marker on items that Sekisho has handled. In the cloud a Key Vault reference."),
    Setting("SEKISHO_SIGNING_KEY", _pem, None, ("all", "audit"), "P-256 private key (base64 of PEM) that signs the head of the audit chain. In the cloud a Key Vault reference."),
    Setting("SEKISHO_POLICY_FILE", str, "", _GRAPH, "The site's policy file inside the package, merged over the defaults; empty: the defaults alone."),
    Setting("SEKISHO_ISOLATION", _choice("fork", "pool", "inline"), "fork", _SCAN, "How risky formats are read: a forked child each (`fork`), a recycled child (`pool`), or in this process (`inline`, tests only)."),
    Setting("SEKISHO_NAMES", _choice("off", "on"), "off", _SCAN, "Whether names of people are looked for in running text near other evidence (SudachiPy, some 200 MB of memory). Labelled names are always found."),
    Setting("SEKISHO_OCR", _choice("off", "on"), "off", _SCAN, "Whether words in pictures and scanned pages are recognised (needs `requirements-ocr.txt`). Off, or not installed: each such picture is a gap (`image_only`). Codes (QR) are read either way."),
    Setting("SEKISHO_LEASE_SECONDS", _whole(2, 600), "120", ("all", "intake", "scan", "audit"), "How long a worker holds an item, a drive or the audit's sequencer before another may take over. It is renewed while work goes on."),
    Setting("SEKISHO_CONSOLE_LOGIN", _choice("off", "oidc", "easyauth", "local"), "off", _CONSOLE, "How people sign in to the console: `oidc` (Entra ID, the app checks the tokens), `easyauth` (the platform's header is believed: only where App Service Authentication is on), `local` (choose a role; refused anywhere but on this machine), `off` (no console)."),
    Setting("SEKISHO_CONSOLE_URL", _optional_url, "", _CONSOLE, "The console's own address without a path, such as `https://sekisho.example.lg.jp`; its redirect address is this and `/api/console/login/back`."),
    Setting("SEKISHO_CONSOLE_ISSUER", _optional_url, "", _CONSOLE, "Issuer of the sign-in tokens: `https://login.microsoftonline.com/<tenant>/v2.0`."),
    Setting("SEKISHO_CONSOLE_CLIENT_ID", str, "", _CONSOLE, "Client id of the console's app registration; its app roles are viewer, reviewer, admin and auditor."),
    Setting("SEKISHO_CONSOLE_KEY", _key, None, _CONSOLE, "HMAC key of the console's sessions and forms. In the cloud a Key Vault reference."),
    Setting("SEKISHO_TELEMETRY_FILE", str, "", ROLES, "A file that traces and counts are added to as JSON lines, for one machine. Empty: none."),
    Setting("SEKISHO_TELEMETRY_SHARE", _whole(0, 100), "100", ROLES, "The part of traces that is kept, in percent; a kept trace is whole. Counts are always whole."),
    Setting("APPLICATIONINSIGHTS_CONNECTION_STRING", str, "", ROLES, "Application Insights, for traces and counts; the platform's own name. The identity signs in: with local authentication off the string is no secret."),
    Setting("SEKISHO_GATE_DELIVERY", _choice("relay", "graph"), "graph", _SCAN, "How the gate delivers a mail: `relay` hands it to the relay, which sends it by SMTP; `graph` imports it (as a draft: the labelled fallback)."),
    Setting("SEKISHO_GATE_SUBJECT_TAG", str, "", _SCAN, "What the gate puts before the subject of a mail that policy tags, such as `［要注意］`; empty: nothing (the category is enough)."),
    Setting("SEKISHO_GATE_TELLS_SENDERS", _choice("none", "inside", "all"), "inside", _SCAN, "Which senders are told that the gate stopped their mail: `inside` those of our own domains, `all` everybody whom a mail names as its sender (who may never have written to us), `none`."),
    Setting("SEKISHO_MAIL_DOMAINS", _domains, "", _SCAN, "Our own mail domains, comma-separated; those below count too. A mail of theirs is internal: not sanitised by default. Empty: every mail is external. In a site's library whoever has another address is a guest (of a OneDrive its holder's domain counts too)."),
    Setting("SEKISHO_SANITISE", _some("external", "mail", "files", "none"), "external", _SCAN, "What the gate sanitises (無害化) before it delivers: some of `external` (mail from outside), `mail` (every mail), `files` (uploads too), with commas; `none`: nothing."),
    Setting("SEKISHO_SANITISE_LINKS", _choice("defang", "keep"), "defang", _SCAN, "What sanitising does to plain links: `defang` shows their target as text, `keep` leaves them with their target beside them."),
    Setting("SEKISHO_SANITISE_PARTS", _choice("hold", "note"), "hold", _SCAN, "What an attachment that cannot be sanitised does to its mail: `hold` the whole, or a `note` in its place (the original waits in quarantine)."),
    Setting("SEKISHO_PASSWORD_URL", _optional_url, "", _SCAN, "Address without a path under which recipients reach the pages of the gate: passwords of encrypted attachments (`/api/passwords/…`), originals of sanitised mail (`/api/originals/…`); empty: no links are sent, only mails of the sender open attachments, and originals are asked for at a desk."),
    Setting("SEKISHO_PASSWORD_LOGIN", _choice("off", "easyauth"), "off", _SCAN, "Who may use such a link: whoever has it (`off`: it is unguessable, for one attachment, and expires), or only its recipient as the platform signed them in (`easyauth`: only where App Service Authentication is on)."),
    Setting("SEKISHO_FILE_LABELS", _labels, "", _SCAN, "The sensitivity labels that tag files: `tag=<label id>,review=<label id>`. Assigning one is metered by Microsoft and needs its approval for the application (a protected API). Empty, or a file that takes no label: the library's column `SekishoVerdict`."),
    Setting("SEKISHO_MAX_ITEM_BYTES", _whole(1, 500_000_000), "150000000", _SCAN, "Items over this size are not read but are a gap (`too_large`)."),
)  # fmt: skip

CONNECTIONS: Mapping[str, str] = {
    "SEKISHO_WORK": "queues, landing, envelopes, claim checks, dead letters, alerts, ledger and state tables",
    "SEKISHO_EVIDENCE": "quarantine and evidence",
    "SEKISHO_AUDIT": "audit events, the chain and incidents",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """The validated settings of this app; keys of other roles are None."""

    role: str
    blob_source: str
    graph_base_url: str
    graph_credential: str
    client_id: str
    notifications: str
    notification_url: str
    notification_hub: str
    watch: tuple[str, ...]
    sites: tuple[str, ...]
    cohorts: Mapping[str, str]
    tenant_id: str
    teams: str
    teams_model: str
    rich_certificates: tuple[Key, ...] = field(repr=False)
    validation_keys_url: str
    renew_schedule: str
    sweep_schedule: str
    poison_schedule: str
    baseline_per_minute: int
    exceptions_schedule: str
    notice_schedule: str
    notice_mailbox: str
    notice_security: tuple[str, ...]
    notice_card: str
    notice_webhook: str = field(repr=False)
    notice_contact: str
    notice_templates: str
    organisation_ja: str
    organisation_en: str
    head_schedule: str
    head_keys: tuple[bytes, ...] = field(repr=False)
    verify_schedule: str
    export_formats: tuple[str, ...]
    export_schedule: str
    sentinel_endpoint: str
    sentinel_rule: str
    alert_schedule: str
    alert_blocks: str
    alert_sweep_items: int
    alert_queue_minutes: int
    alert_lapsed: int
    retain_copies_days: int
    retain_incidents_days: int
    retain_search_days: int
    retain_ledger_days: int
    legal_hold: str
    retention_schedule: str
    client_state_key: Key | None
    fingerprint_key: Key | None
    marker_key: Key | None
    signing_key: bytes | None = field(repr=False)
    policy_file: str
    isolation: str
    ocr: str
    names: str
    lease_seconds: int
    console_login: str
    console_url: str
    console_issuer: str
    console_client_id: str
    console_key: Key | None
    telemetry_file: str
    telemetry_share: int
    applicationinsights_connection_string: str = field(repr=False)
    gate_delivery: str
    gate_subject_tag: str
    gate_tells_senders: str
    mail_domains: tuple[str, ...]
    sanitise: tuple[str, ...]
    sanitise_links: str
    sanitise_parts: str
    password_url: str
    password_login: str
    file_labels: Mapping[Disposition, str]
    max_item_bytes: int
    work: Connection
    evidence: Connection
    audit: Connection

    @classmethod
    def load(cls, env: Mapping[str, str]) -> Settings:
        """Read and check everything; SettingsError lists every problem at once."""
        problems: list[str] = []
        role = env.get("SEKISHO_ROLE", "all") or "all"
        values: dict[str, object] = {}
        for setting in SETTINGS:
            name = setting.name.removeprefix("SEKISHO_").lower()
            values[name] = _read(setting, env, role, problems)
        for name in CONNECTIONS:
            values[name.removeprefix("SEKISHO_").lower()] = _connection(name, env, problems)
        if not problems:
            _consistent(values, problems)
            _console(values, cloud="WEBSITE_SITE_NAME" in env, problems=problems)
        if problems:
            raise SettingsError("settings: " + "; ".join(problems))
        return cls(**values)  # type: ignore[arg-type] # each parser gives its field's type; a test holds them equal


def _read(setting: Setting, env: Mapping[str, str], role: str, problems: list[str]) -> object:
    raw = env.get(setting.name) or setting.default
    if raw is None:
        if role in setting.roles:
            problems.append(f"{setting.name} is missing: {setting.text}")
        return None
    try:
        return setting.parse(raw)
    except ValueError as error:
        problems.append(f"{setting.name} must be {error}")
        return None


def _connection(name: str, env: Mapping[str, str], problems: list[str]) -> Connection:
    string = env.get(name, "")
    blob, queue, table = (
        env.get(f"{name}__{kind}ServiceUri", "") for kind in ("blob", "queue", "table")
    )
    if not string and not (blob and queue and table):
        problems.append(
            f"{name} is missing: set {name}__blobServiceUri, {name}__queueServiceUri and "
            f"{name}__tableServiceUri (managed identity), or {name} to the emulator's connection string"
        )
    return Connection(name, string, blob, queue, table, env.get(f"{name}__clientId", ""))


def _consistent(values: Mapping[str, object], problems: list[str]) -> None:
    if values["rich_certificates"] and not (values["tenant_id"] and values["client_id"]):
        problems.append(
            "SEKISHO_RICH_CERTIFICATES needs SEKISHO_TENANT_ID and SEKISHO_CLIENT_ID: a validation "
            "token is for one application of one tenant"
        )
    if values["notifications"] == "eventhub" and not values["notification_hub"]:
        problems.append("SEKISHO_NOTIFICATIONS=eventhub needs SEKISHO_NOTIFICATION_HUB")
    if bool(values["sentinel_endpoint"]) != bool(values["sentinel_rule"]):
        problems.append("SEKISHO_SENTINEL_ENDPOINT and SEKISHO_SENTINEL_RULE need each other")
    host = urlsplit(str(values["graph_base_url"])).hostname or ""
    if values["graph_credential"] == "local" and host not in LOOPBACK:
        problems.append("SEKISHO_GRAPH_CREDENTIAL=local is for the stand-in on this machine only")
    if values["graph_credential"] == "managed_identity" and host != urlsplit(GRAPH).hostname:
        problems.append(
            f"SEKISHO_GRAPH_BASE_URL must be {GRAPH} with a managed identity: its token goes nowhere else"
        )


def _console(values: Mapping[str, object], *, cloud: bool, problems: list[str]) -> None:
    """The stand-in sign-in opens every door, so it is for this machine and nothing else."""
    login, url = values["console_login"], str(values["console_url"])
    if values["role"] not in _CONSOLE or login == "off":
        return
    if not url:
        problems.append(f"SEKISHO_CONSOLE_URL is needed with SEKISHO_CONSOLE_LOGIN={login}")
    elif login == "local" and (cloud or urlsplit(url).hostname not in LOOPBACK):
        problems.append("SEKISHO_CONSOLE_LOGIN=local is for this machine only")
    if login == "oidc" and not (values["console_issuer"] and values["console_client_id"]):
        problems.append(
            "SEKISHO_CONSOLE_LOGIN=oidc needs SEKISHO_CONSOLE_ISSUER and SEKISHO_CONSOLE_CLIENT_ID"
        )
