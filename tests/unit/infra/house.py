"""Deployments of infra/ as they would be, with texts changed to see whether a promise is held."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from local.bicep.evaluate import Deployment, Made
from local.bicep.template import load

INFRA = Path(__file__).resolve().parents[3] / "infra"
STORAGE = "Microsoft.Storage/storageAccounts"
# What is deployed in the tests: both sizes as they come, and each way out of the defaults.
WAYS = {
    "small": {"size": "small"},
    "prefecture": {"size": "prefecture"},
    "own key": {"size": "small", "customerManagedKey": "on"},
    "webhook and push": {"size": "prefecture", "notifications": "webhook", "landing": "push"},
    "relay and addresses": {
        "size": "prefecture",
        "relayPrincipalId": "<relay>",
        "uploadPrincipalId": "<upload>",
        "consoleAddresses": "203.0.113.7/32",
        "deployAddresses": "203.0.113.8/32",
        "landingAddresses": "203.0.113.9",
        "alertAddresses": "soc@city.example",
        "optionalKeys": "rich-certificates,notice-webhook",
        "sentinel": "on",
    },
}


class Site:
    """One deployment: everything that it makes."""

    def __init__(self, given, changes=()):
        self.size = given["size"]
        self.given = given

        def loader(path):
            text = path.read_text(encoding="utf-8")
            for file, old, new in changes:
                if path.name == file:
                    assert old in text, f"{file} no longer says {old!r}"
                    text = text.replace(old, new)
            return load(path, text)

        deployment = Deployment(
            loader(INFRA / "main.bicep"), {"environmentName": "test", **given}, loader
        )
        self.made: list[Made] = deployment.run()
        self.outputs = deployment.outputs()

    def all(self, kind):
        return [each for each in self.made if each.kind == kind]

    @property
    def apps(self):
        """Role → the app and its settings."""
        found = {}
        for site in self.all("Microsoft.Web/sites"):
            role = site.name.split("-")[1]
            (config,) = [
                each
                for each in self.all("Microsoft.Web/sites/config")
                if each.name == f"{site.name}/appsettings"
            ]
            found[role] = (site, config.properties)
        return found

    def identity(self, role):
        """The principal of an app."""
        return f"<userAssignedIdentities id-sekisho-{role}-abcdefghijklm.properties.principalId>"


@cache
def as_it_is(way):
    return Site(WAYS[way])


def changed(way, *changes):
    return Site(WAYS[way], changes)
