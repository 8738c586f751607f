"""The scripts, run against a stand-in for the Azure CLI that writes down what it was asked."""

from __future__ import annotations

import base64
import json
import os
import shutil
import stat
import subprocess

import pytest

from shared.settings import SETTINGS
from tests.unit.infra.house import INFRA

SCRIPTS = INFRA / "scripts"
AZ = """#!/bin/sh
printf '%s\\n' "$*" >> "$LOG"
for each in "$@"; do
    case $each in @*) cat "${each#@}" >> "$BODIES"; echo >> "$BODIES" ;; esac
done
case "$*" in
"keyvault list"*) echo kv-all-x ;;
"identity list"*"id-sekisho-all-"*) echo p-all ;;
"identity list"*) ;;
*"appRoleAssignments"*"appRoleId=="*) echo a-1 ;;
*"appRoleAssignments"*) echo "${HAVE:-}" ;;
*"servicePrincipals(appId="*) echo graph-id ;;
*"select=appRoles"*) echo "$*" | sed "s/.*value=='\\([^']*\\)'.*/id-\\1/" ;;
*"--method get"*secrets*) [ -z "${DOWN:-}" ] || exit 3; printf '%s\n' ${THERE:-} ;;
esac
"""


@pytest.fixture
def run(tmp_path):
    """Run a script; the requests and the bodies that reached the CLI."""
    if not all(shutil.which(each) for each in ("sh", "openssl", "python3")):
        pytest.skip("sh, openssl or python3 is not here")
    az = tmp_path / "az"
    az.write_text(AZ)
    az.chmod(az.stat().st_mode | stat.S_IEXEC)

    def go(name, *args, given="", **env):
        log, bodies = tmp_path / "log", tmp_path / "bodies"
        log.write_text("")
        bodies.write_text("")
        done = subprocess.run(
            ["sh", SCRIPTS / name, *args],
            env={
                **os.environ,
                "PATH": f"{tmp_path}:{os.environ['PATH']}",
                "LOG": str(log),
                "BODIES": str(bodies),
                "AZURE_RESOURCE_GROUP": "rg",
                "AZURE_SUBSCRIPTION_ID": "sub",
                **env,
            },
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        return done, log.read_text().splitlines(), bodies.read_text().splitlines()

    return go


@pytest.mark.parametrize("name", sorted(each.name for each in SCRIPTS.glob("*.sh")))
def test_script_is_well_formed(name):
    assert subprocess.run(["sh", "-n", SCRIPTS / name], check=False).returncode == 0


def test_keys_are_made_as_the_settings_want_them_and_never_on_a_command_line(run):
    done, log, bodies = run("keys.sh")
    assert done.returncode == 0, done.stderr
    put = [line for line in log if "--method put" in line]
    names = [line.split("/secrets/")[1].split("?")[0] for line in put]
    needed = {each.name: each for each in SETTINGS if each.default is None}
    wanted = json.loads((INFRA / "settings.json").read_text())["all"]["keys"].values()
    assert sorted(names) == sorted(wanted)
    for name, body in zip(names, bodies, strict=True):
        setting = needed["SEKISHO_" + name.replace("-", "_").upper()]
        value = json.loads(body)["properties"]["value"]
        setting.parse(value)  # raises what is wrong
        assert not any(value[5:] in line for line in log)


def test_keys_that_are_there_stay(run):
    done, log, _ = run("keys.sh", THERE="signing-key marker-key")
    assert done.returncode == 0
    put = [line.split("/secrets/")[1] for line in log if "--method put" in line]
    assert not any(each.startswith(("signing-key", "marker-key")) for each in put)
    assert len(put) == 3


def test_keys_are_not_made_anew_where_the_vault_does_not_answer(run):
    done, log, _ = run("keys.sh", DOWN="1")
    assert done.returncode != 0
    assert not any("--method put" in line for line in log)


def test_one_key_is_rotated_and_may_come_from_outside(run):
    pem = base64.b64encode(b"-----BEGIN").decode()
    _, log, bodies = run("keys.sh", "rich-certificates", "-", given=f"2026:{pem}")
    assert "/secrets/rich-certificates?" in log[-1]
    assert json.loads(bodies[0])["properties"]["value"] == f"2026:{pem}"


def test_a_key_that_nobody_has_is_refused(run):
    done, log, _ = run("keys.sh", "master-key")
    assert done.returncode != 0
    assert "no such key" in done.stderr
    assert not any("put" in line for line in log)


def permissions(log):
    """The permissions that were granted, as the stand-in names their ids."""
    return {
        json.loads(line.split("--body ")[1])["appRoleId"].removeprefix("id-")
        for line in log
        if "appRoleAssignedTo" in line and "--method post" in line
    }


def test_consent_grants_exactly_the_list(run):
    done, log, _ = run("consent.sh")
    assert done.returncode == 0, done.stderr
    assert permissions(log) == set(json.loads((INFRA / "graph.json").read_text())["all"])


def test_consent_for_a_trial_leaves_mailboxes_and_sites_to_their_own_scopes(run):
    _, log, _ = run("consent.sh", "--cohort")
    granted = permissions(log)
    assert "Sites.Selected" in granted
    assert not [each for each in granted if each.startswith(("Mail", "Calendars.", "Files."))]
    assert "ChannelMessage.Read.All" in granted


def test_consent_shows_what_is_too_much_and_removes_it_when_told(run):
    done, log, _ = run("consent.sh", HAVE="id-Directory.ReadWrite.All")
    assert "granted beyond the list: id-Directory.ReadWrite.All" in done.stderr
    assert not any("--method delete" in line for line in log)
    _, log, _ = run("consent.sh", "--remove-others", HAVE="id-Directory.ReadWrite.All")
    assert any("--method delete" in line and "/a-1" in line for line in log)
