"""What infra/ says agrees with the code: settings, stores, permissions, alerts."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.environment import fresh_certificate, fresh_key, fresh_signing_key
from shared.graph.calls import GRANTS
from shared.settings import CONNECTIONS, SETTINGS, Settings
from shared.storage.alerts import WORDS
from shared.telemetry.attributes import KEYS
from tests.unit.infra.house import INFRA, WAYS, as_it_is

ROOT = INFRA.parent
ROLES = ("intake", "scan", "audit", "console")
PLATFORM = re.compile(
    r"AzureWebJobsStorage|FUNCTIONS_WORKER_RUNTIME|APPLICATIONINSIGHTS_AUTHENTICATION_STRING|.*__.*"
)


def read(name):
    return json.loads((INFRA / name).read_text(encoding="utf-8"))


def ours(found):
    return {name for name in found if not PLATFORM.match(name)} - CONNECTIONS.keys()


def test_settings_agree_in_bicep_example_code_and_docs():
    code = {each.name for each in SETTINGS}
    bicep = set()
    for role, (_, settings) in as_it_is("relay and addresses").apps.items():
        bicep |= ours(settings)
        mine = {each.name for each in SETTINGS if role in each.roles}
        assert mine <= settings.keys() | {"SEKISHO_CLIENT_ID"}
    example = json.loads((ROOT / "local.settings.json.example").read_text())["Values"]
    page = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE)) - CONNECTIONS.keys()
    assert bicep == ours(example) == documented == code


@pytest.mark.parametrize("way", WAYS)
def test_settings_of_every_app_are_ones_that_it_starts_with(way):
    for role, (_, settings) in as_it_is(way).apps.items():
        env = {"WEBSITE_SITE_NAME": "x"}
        for name, value in settings.items():
            known = str(value)
            if "SecretUri=" in known:
                known = secret(known)
            env[name] = re.sub(
                r"<[^>]*\.(blobUrl|blob|queue|table|endpoint)>", "https://x.example", known
            )
        loaded = Settings.load(env)
        assert loaded.role == role
        assert loaded.work.blob_url
        assert loaded.work.client_id


def secret(reference):
    if "signing-key" in reference:
        return fresh_signing_key()
    if "rich-certificates" in reference:
        return fresh_certificate()
    return "https://x.example" if "webhook" in reference else fresh_key()


def test_what_the_site_decides_is_a_setting_and_no_key():
    open_to_it = {each.name for each in SETTINGS if "Key Vault reference" not in each.text}
    assert read("site.json").keys() <= open_to_it


# What a role's parts are made with and never touch, and what is reached by a name in the data.
UNTOUCHED = {
    "intake": {"evidence/containers/quarantine"},
    "console": {"work/tables/alerts"},
}
BY_NAME = {
    "console": "work/queues/",  # a dead letter goes back to the queue that it came from
    "audit": "work/queues/",
}
RECORD = """
import json, os, sys
from unittest.mock import MagicMock
from local.environment import app_settings
from shared.storage.accounts import Accounts
role = sys.argv[1]
os.environ.update(app_settings(storage="UseDevelopmentStorage=true",
    graph_base_url="http://127.0.0.1:1/v1.0", host_url="http://127.0.0.1:2"), SEKISHO_ROLE=role,
    SEKISHO_GATE_DELIVERY="relay", SEKISHO_EXPORT_FORMATS="ocsf",
    SEKISHO_BLOB_SOURCE="StorageQueue",
    SEKISHO_COHORTS="pilot=1f2e3d4c-5b6a-4798-8a9b-0c1d2e3f4a5b")
seen = set()
KINDS = {"table": "tables", "queue": "queues", "blobs": "containers", "lease": "containers"}
class Stores:
    def __init__(self, account): self.account = account
    def __getattr__(self, kind):
        def made(name="work"):
            seen.add(f"{self.account}/{KINDS[kind]}/{name}")
            return MagicMock()
        return made
Accounts._stores = lambda self, c: Stores(c.name.removeprefix("SEKISHO_").lower())
import functions, shared.bootstrap as root
modules = functions.ROLES[role]
run = root.runtime()
MAKE = {
    "notifications": lambda: root.intake(),
    "hub": lambda: root.intake(),
    "resolve": lambda: (root.reader("graph-hints"), root.reader("graph-jobs"), run.cohorts),
    "blobs": lambda: (root.gate(), root.arrivals()),
    "subscriptions": lambda: (root.timers(), run.subscriptions),
    "scan": lambda: (root.reader("scan-items"), root.reader("scan-bulk"), run.app),
    "relay": lambda: root.reader("relay-results"),
    "audit": lambda: (root.reader("scan-results"), *(getattr(run, name) for name in PARTS)),
    "dead_letters": lambda: [root.undertaker(queue) for queue in root.QUEUES],
    "console": lambda: run.desk,
    "exceptions": lambda: run.outbox,
    "notices": lambda: run.sender,
}
PARTS = ("recorder", "chain_watch", "exports", "watchdog", "retention", "seals")
for module in modules:
    MAKE.get(module, lambda: None)()
seen.add("work/containers/work")  # health
print(json.dumps(sorted(seen)))
"""


@pytest.mark.parametrize("role", ROLES)
def test_access_table_names_the_stores_that_the_role_is_made_with(role):
    done = subprocess.run(
        [sys.executable, "-c", RECORD, role],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    made = set(json.loads(done.stdout.splitlines()[-1])) - UNTOUCHED.get(role, set())
    granted = {f"{e['account']}/{e['kind']}/{e['name']}" for e in read("access.json")[role]}
    by_name = BY_NAME.get(role, "-")
    assert made <= granted
    assert {each for each in granted - made if not each.startswith(by_name)} == set()


def test_access_of_one_app_is_the_sum_of_the_four():
    access, together = read("access.json"), read("stores.json")["all"]
    plain = lambda e: (e["account"], e["kind"], e["name"], e["role"])  # noqa: E731 - a key
    assert {plain(e) for e in together} == {plain(e) for r in ROLES for e in access[r]}
    assert len({plain(e) for e in together}) == len(together)
    assert all(each.get("why") for es in access.values() for each in es)


def test_access_names_only_stores_that_are_made():
    site = as_it_is("prefecture")
    made = {each.name.replace("abcdefghijklm", "") for each in site.made}
    short = {"work": "stwork", "evidence": "stevid", "audit": "staudit"}
    for role, entries in read("access.json").items():
        for each in entries:
            assert f"{short[each['account']]}/default/{each['name']}" in made, (role, each)


def test_roles_apart_cannot_reach_what_is_not_theirs():
    access = read("access.json")
    reached = {role: {(e["account"], e["kind"]) for e in access[role]} for role in access}
    assert not [e for e in access["console"] if e["account"] == "evidence"]
    assert not [e for e in access["scan"] if e["account"] == "audit"]
    assert not [e for e in access["intake"] if e["account"] != "work"]
    assert not [e for e in access["audit"] if e["account"] == "evidence"]
    assert {account for account, _ in reached["relay"]} == {"work"}
    names = {role: {e["name"] for e in access[role]} for role in access}
    assert names["upload"] == {"landing", "envelopes"}


def test_graph_permissions_are_those_that_the_code_uses():
    grants = read("graph.json")
    assert set(grants["all"]) == set(grants["intake"]) | set(grants["scan"]) == GRANTS
    writing = {each for each in grants["intake"] if "Write" in each or "Send" in each}
    assert writing == {"Files.ReadWrite.All"}  # a drive's subscription needs it
    text = (INFRA / "entra/main.bicep").read_text(encoding="utf-8")
    assert "loadJsonContent('../graph.json')" in text
    assert not [name for name in GRANTS if name in text]  # nothing beside the list


def test_every_graph_call_has_an_app():
    page = (ROOT / "docs/permissions.md").read_text(encoding="utf-8")
    assert not re.findall(r"^- `.*` \(\)$", page, re.MULTILINE)


def queries():
    texts = [each["query"] for each in read("alerts.json")]
    items = read("workbook.json")["items"]
    return texts + [each["content"]["query"] for each in items if each["type"] == 3]


def test_queries_ask_for_what_is_told():
    instruments = (ROOT / "shared/telemetry/instruments.py").read_text(encoding="utf-8")
    told = set(re.findall(r'"(sekisho\.[a-z.]+)"', instruments))
    names = {
        name
        for path in (ROOT / "functions").glob("*.py")
        for name in re.findall(r'function_name\("([a-z_]+)"\)', path.read_text())
    }
    for query in queries():
        assert set(re.findall(r"'(sekisho\.[a-z.]+)'", query)) <= told, query
        assert set(re.findall(r"Properties\['([a-z_]+)'\]", query)) <= KEYS, query
        for kind in re.findall(r"\['alert'\]\) in \(([^)]*)\)", query):
            assert {each.strip(" '") for each in kind.split(",")} <= WORDS.keys(), query
        asked = re.findall(r"Name (?:==|in) \(?'([a-z_]+)'", query)
        assert set(asked) <= names, query


def test_every_kind_of_alert_reaches_somebody():
    asked = {
        each.strip(" '")
        for query in queries()
        for kinds in re.findall(r"\['alert'\]\) in \(([^)]*)\)", query)
        for each in kinds.split(",")
    }
    assert asked == WORDS.keys() - {"blocked"}  # its notices go to whom the policy names


def test_alerts_cover_what_was_promised():
    names = {each["name"] for each in read("alerts.json")}
    assert {"queue-age", "poison", "subscriptions", "chain-break", "error-rate"} <= names
    site = as_it_is("relay and addresses")
    (budget,) = site.all("Microsoft.Consumption/budgets")
    assert budget.properties["amount"] > 0
    assert site.all("Microsoft.Insights/metricAlerts")


def test_files_of_the_deployment_stay_small():
    for path in Path(INFRA).rglob("*.bicep"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= (620 if path.name == "main.bicep" else 250), path
