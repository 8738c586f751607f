"""What infra/ promises: each a function that yields what a deployment breaks of it."""

from __future__ import annotations

import json

from shared.audit.formats.sentinel import STREAM, declaration
from tests.unit.infra.house import INFRA, STORAGE

ROLES = {value: key for key, value in json.loads((INFRA / "roles.json").read_text()).items()}
ACCESS = json.loads((INFRA / "access.json").read_text())
ACCESS["all"] = json.loads((INFRA / "stores.json").read_text())["all"]
SERVICES = {"containers": "blobServices", "queues": "queueServices", "tables": "tableServices"}
IMMUTABLE = f"{STORAGE}/blobServices/containers/immutabilityPolicies"


NO_KEYS = (
    (STORAGE, "allowSharedKeyAccess", False),
    (STORAGE, "isLocalUserEnabled", False),
    ("Microsoft.EventHub/namespaces", "disableLocalAuth", True),
    ("Microsoft.Insights/components", "DisableLocalAuth", True),
    ("Microsoft.OperationalInsights/workspaces", "features.disableLocalAuth", True),
    ("Microsoft.KeyVault/vaults", "enableRbacAuthorization", True),
)


def no_keys(site):
    """Nobody gets in by a key: identities alone."""
    for kind, path, wanted in NO_KEYS:
        for each in site.all(kind):
            value = each.properties
            for part in path.split("."):
                value = value.get(part, {})
            if value is not wanted:
                yield f"{each.name}: {path}"
    passwords = {
        each.name
        for each in site.all("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
        if each.properties.get("allow") is False
    }
    for role, (app, settings) in site.apps.items():
        if not {f"{app.name}/scm", f"{app.name}/ftp"} <= passwords:
            yield f"{role}: deployment by password"
        for name, value in settings.items():
            if any(word in str(value) for word in ("AccountKey=", "SharedAccessKey=", "sig=")):
                yield f"{role}: {name} holds a key"


def no_public_network(site):
    """Nothing is reachable from outside, but for what a parameter opens by name."""
    yield from _closed_stores(site)
    webhook = site.given.get("notifications") == "webhook"
    addresses = {"console": site.given.get("consoleAddresses")}
    for role, (app, _) in site.apps.items():
        config = app.properties["siteConfig"]
        is_open = webhook and role in {"intake", "all"}
        wanted = is_open or addresses.get(role) or site.given.get("deployAddresses")
        if app.properties["publicNetworkAccess"] != ("Enabled" if wanted else "Disabled"):
            yield f"{role}: public network"
        if config["ipSecurityRestrictionsDefaultAction"] != ("Allow" if is_open else "Deny"):
            yield f"{role}: open by default"
        if config["ipSecurityRestrictions"] and not addresses.get(role):
            yield f"{role}: addresses that are not its"
        if config["scmIpSecurityRestrictionsDefaultAction"] != "Deny":
            yield f"{role}: anybody may deploy"


def _closed_stores(site):
    for each in site.all(STORAGE):
        opened = each.name.startswith("stwork") and site.given.get("landingAddresses")
        if each.properties.get("publicNetworkAccess") != ("Enabled" if opened else "Disabled"):
            yield f"{each.name}: public network"
        if each.properties["networkAcls"]["defaultAction"] != "Deny":
            yield f"{each.name}: open by default"
        if each.properties.get("allowBlobPublicAccess") is not False:
            yield f"{each.name}: anonymous reading"
    for each in site.all(f"{STORAGE}/blobServices/containers"):
        if each.properties.get("publicAccess") != "None":
            yield f"{each.name}: anonymous reading"
    for each in site.all("Microsoft.KeyVault/vaults"):
        acls = each.properties["networkAcls"]["defaultAction"]
        if (each.properties.get("publicNetworkAccess"), acls) != ("Disabled", "Deny"):
            yield f"{each.name}: public network"


def new_tls(site):
    """TLS 1.2 at least, everywhere, and nothing in the clear."""
    for each in site.all(STORAGE):
        if each.properties.get("minimumTlsVersion") not in {"TLS1_2", "TLS1_3"}:
            yield f"{each.name}: old TLS"
        if each.properties.get("supportsHttpsTrafficOnly") is not True:
            yield f"{each.name}: HTTP"
    for each in site.all("Microsoft.EventHub/namespaces"):
        if each.properties.get("minimumTlsVersion") not in {"1.2", "1.3"}:
            yield f"{each.name}: old TLS"
    for role, (app, _) in site.apps.items():
        config = app.properties["siteConfig"]
        if app.properties.get("httpsOnly") is not True:
            yield f"{role}: HTTP"
        if not {config["minTlsVersion"], config["scmMinTlsVersion"]} <= {"1.2", "1.3"}:
            yield f"{role}: old TLS"
        if config["ftpsState"] != "Disabled":
            yield f"{role}: FTP"


def granted(site):
    """Principal → (role's name, scope) of every role assignment."""
    found = {}
    for each in site.all("Microsoft.Authorization/roleAssignments"):
        role = ROLES[each.properties["roleDefinitionId"].rpartition("/")[2]]
        scope = each.body["scope"].name
        found.setdefault(str(each.properties["principalId"]), set()).add((role, scope))
    return found


def entries(role, accounts):
    """What access.json gives a role, as ``granted`` has it."""
    return {
        (each["role"], f"{accounts[each['account']]}/default/{each['name']}")
        for each in ACCESS[role]
    }


def exact_roles(site):
    """Each identity has exactly what access.json says and its own host, vault and telemetry."""
    token = "abcdefghijklm"
    accounts = {"work": f"stwork{token}", "evidence": f"stevid{token}", "audit": f"staudit{token}"}
    wanted = {}
    for role in site.apps:
        wanted[site.identity(role)] = entries(role, accounts) | {
            ("Storage Blob Data Owner", f"sthost{role}{token}"[:24]),
            ("Key Vault Secrets User", f"kv-{role}-{token}"[:24]),
            ("Monitoring Metrics Publisher", f"appi-sekisho-{token}"),
        }
    topic = f"<systemTopics evgt-sekisho-{token}.identity.principalId>"
    wanted[topic] = {
        ("Storage Queue Data Message Sender", f"{accounts['work']}/default/landing-events"),
        ("Storage Blob Data Contributor", f"{accounts['work']}/default/eventgrid-deadletters"),
    }
    if site.given.get("notifications") != "webhook":
        reader = "intake" if "intake" in site.apps else "all"
        hub = f"evhns-sekisho-{token}/graph"
        wanted[site.identity(reader)].add(("Azure Event Hubs Data Receiver", hub))
        wanted[""] = {("Azure Event Hubs Data Sender", hub)}
    if site.given.get("customerManagedKey") == "on":
        vault = f"kv-storage-{token}"
        wanted[site.identity("storage")] = {("Key Vault Crypto Service Encryption User", vault)}
    if site.given.get("sentinel") == "on":
        sender = site.identity("audit" if "audit" in site.apps else "all")
        wanted[sender].add(("Monitoring Metrics Publisher", f"dcr-sekisho-{token}"))
    for who in ("relay", "upload"):
        if site.given.get(f"{who}PrincipalId"):
            wanted[f"<{who}>"] = entries(who, accounts)
    found = granted(site)
    for principal in sorted(found.keys() | wanted.keys()):
        for role, scope in sorted(found.get(principal, set()) - wanted.get(principal, set())):
            yield f"{principal or 'Graph'}: {role} on {scope} is too much"
        for role, scope in sorted(wanted.get(principal, set()) - found.get(principal, set())):
            yield f"{principal or 'Graph'}: {role} on {scope} is missing"


def apart(site):
    """An app has one identity, and no other app has it, its host account or its vault."""
    seen = {}
    for role, (app, settings) in site.apps.items():
        identities = list(app.body["identity"]["userAssignedIdentities"])
        if app.body["identity"]["type"] != "UserAssigned" or len(identities) != 1:
            yield f"{role}: not one identity"
        own = (*identities, settings["AzureWebJobsStorage__accountName"])
        references = [str(value) for value in settings.values() if "SecretUri=" in str(value)]
        vaults = {each.split("SecretUri=")[1].split("secrets")[0] for each in references}
        for thing in (*own, *vaults):
            if seen.setdefault(thing, role) != role:
                yield f"{role}: {thing} is also {seen[thing]}'s"
        if app.properties["keyVaultReferenceIdentity"] != identities[0]:
            yield f"{role}: secrets by another identity"


def secrets_are_references(site):
    """A key stands in a setting by reference only, and only where its role uses it."""
    from shared.settings import SETTINGS  # noqa: PLC0415 - the promise is about these

    keys = {each.name: each for each in SETTINGS if "Key Vault reference" in each.text}
    for role, (_, settings) in site.apps.items():
        for name, key in keys.items():
            value = str(settings.get(name, ""))
            if role not in key.roles and name in settings:
                yield f"{role}: {name} is not its business"
            if role in key.roles and key.default is None and name not in settings:
                yield f"{role}: {name} is missing"
            if value and not value.startswith("@Microsoft.KeyVault(SecretUri=<vaults"):
                yield f"{role}: {name} is no reference"
    for each in site.all("Microsoft.KeyVault/vaults"):
        if not each.properties.get("enablePurgeProtection"):
            yield f"{each.name}: can be purged"
        if not each.properties.get("enableSoftDelete"):
            yield f"{each.name}: deleted at once"


def record_stays(site):
    """The audit container cannot be rewritten; evidence has its versions."""
    policies = {each.name.split("/")[2]: each.properties for each in site.all(IMMUTABLE)}
    policy = policies.get("audit", {})
    if policy.get("allowProtectedAppendWrites") is not True:
        yield "audit: the chain could not be appended to, or is not immutable"
    if policy.get("immutabilityPeriodSinceCreationInDays", 0) < 365:
        yield "audit: immutable for less than a year"
    for each in site.all(f"{STORAGE}/blobServices"):
        if each.name.startswith(("staudit", "stevid")):
            if each.properties.get("isVersioningEnabled") is not True:
                yield f"{each.name}: no versions"
            if each.properties["deleteRetentionPolicy"]["enabled"] is not True:
                yield f"{each.name}: deleted at once"
    for each in site.all(f"{STORAGE}/managementPolicies"):
        if each.name.startswith("staudit"):
            yield "audit: something is removed by itself"


def record_reaches_sentinel(site):
    """Where it is switched on, the audit app alone sends, by a rule that knows every column."""
    on, rules = (
        site.given.get("sentinel") == "on",
        site.all("Microsoft.Insights/dataCollectionRules"),
    )
    for role, (_, settings) in site.apps.items():
        sends = {bool(settings.get(f"SEKISHO_SENTINEL_{name}")) for name in ("ENDPOINT", "RULE")}
        if sends != {on and role in {"audit", "all"}}:
            yield f"{role}: sends the record, or does not"
    if len(rules) != on:
        yield "no rule, or one that nobody asked for"
    for rule in rules:
        (table,) = site.all("Microsoft.OperationalInsights/workspaces/tables")
        (flow,) = rule.properties["dataFlows"]
        said = table.properties["schema"]["name"], flow["outputStream"], flow["streams"]
        if rule.properties["streamDeclarations"] != declaration():
            yield "the rule takes other rows than the code sends"
        if said != (STREAM.removeprefix("Custom-"), STREAM, [STREAM]) or not flow["destinations"]:
            yield "the rows end elsewhere, or nowhere"


def uploads_wake_the_gate(site):
    """Event Grid by its own identity to the queue, what it cannot deliver to a container."""
    found = site.all("Microsoft.EventGrid/systemTopics/eventSubscriptions")
    if site.given.get("landing") == "push":
        if found:
            yield "push: a queue too"
        return
    if len(found) != 1:
        yield "no subscription"
        return
    properties = found[0].properties
    delivery = properties.get("deliveryWithResourceIdentity", {})
    if delivery.get("identity", {}).get("type") != "SystemAssigned":
        yield "delivered without the topic's identity"
    target = delivery.get("destination", {}).get("properties", {})
    if target.get("queueName") != "landing-events":
        yield "delivered to another queue"
    if target.get("queueMessageTimeToLiveInSeconds") != -1:
        yield "events expire"
    letters = properties.get("deadLetterWithResourceIdentity", {})
    if letters.get("deadLetterDestination", {}).get("endpointType") != "StorageBlob":
        yield "what cannot be delivered is lost"
    if "/containers/landing/blobs/" not in properties["filter"]["subjectBeginsWith"]:
        yield "events of other containers"
    if properties["filter"]["includedEventTypes"] != ["Microsoft.Storage.BlobCreated"]:
        yield "events of other kinds"


def private_ways(site):
    """Everything private has its endpoint and its name; the apps are in the network."""
    reached = {
        (str(c["properties"]["privateLinkServiceId"]), g)
        for each in site.all("Microsoft.Network/privateEndpoints")
        for c in each.properties["privateLinkServiceConnections"]
        for g in c["properties"]["groupIds"]
    }
    wanted = set()
    for each in site.all(STORAGE):
        kinds = {"stwork": ("blob", "queue", "table"), "staudi": ("blob", "table")}
        wanted |= {(f"{STORAGE}/{each.name}", k) for k in kinds.get(each.name[:6], ("blob",))}
    for kind, part in (
        ("Microsoft.KeyVault/vaults", "vault"),
        ("Microsoft.Web/sites", "sites"),
        ("Microsoft.EventHub/namespaces", "namespace"),
    ):
        wanted |= {(f"{kind}/{each.name}", part) for each in site.all(kind)}
    for target, part in sorted(wanted - reached):
        yield f"{target}: no private endpoint for {part}"
    zones = {f"{each.kind}/{each.name}" for each in site.all("Microsoft.Network/privateDnsZones")}
    for each in site.all("Microsoft.Network/privateEndpoints/privateDnsZoneGroups"):
        for config in each.properties["privateDnsZoneConfigs"]:
            if config["properties"]["privateDnsZoneId"] not in zones:
                yield f"{each.name}: a zone that is not there"
    (network,) = site.all("Microsoft.Network/virtualNetworks")
    subnets = {each["name"]: each["properties"] for each in network.properties["subnets"]}
    services = [d["properties"]["serviceName"] for d in subnets["apps"].get("delegations", [])]
    if services != ["Microsoft.App/environments"]:
        yield "the apps' subnet is not delegated to Flex Consumption"
    for role, (app, _) in site.apps.items():
        if not str(app.properties.get("virtualNetworkSubnetId", "")).endswith("/subnets/apps"):
            yield f"{role}: outside the network"


def watched(site):
    """Who did what is logged; no name of a file is."""
    scopes = {each.body["scope"].name for each in site.all("Microsoft.Insights/diagnosticSettings")}
    for kind in (
        STORAGE,
        "Microsoft.KeyVault/vaults",
        "Microsoft.Web/sites",
        "Microsoft.EventHub/namespaces",
        "Microsoft.EventGrid/systemTopics",
    ):
        for each in site.all(kind):
            if each.name not in scopes:
                yield f"{each.name}: not logged"
    blobs = {
        each.body["scope"].name.split("/")[0]
        for each in site.all("Microsoft.Insights/diagnosticSettings")
        if each.body["scope"].kind.endswith("/blobServices")
    }
    if any(name.startswith("stwork") for name in blobs):
        yield "names of uploads are logged"
    if not any(name.startswith("staudit") for name in blobs):
        yield "the record's readers are not logged"
    for each in site.all("Microsoft.Insights/scheduledQueryRules"):
        if not each.properties.get("enabled") or not each.properties["actions"]["actionGroups"]:
            yield f"{each.name}: tells nobody"


def in_japan(site):
    """Everything lies in Japan."""
    for each in site.made:
        if each.body.get("location", "japaneast") not in {"japaneast", "global"}:
            yield f"{each.name}: elsewhere"
    for each in site.all(STORAGE):
        if each.body["sku"]["name"] != "Standard_ZRS":
            yield f"{each.name}: copies elsewhere, or in one zone"
        if each.properties.get("allowCrossTenantReplication") is not False:
            yield f"{each.name}: may be copied to another tenant"


def runs_on_flex(site):
    """Python 3.13 on Flex Consumption, in its limits, without the settings that it refuses."""
    refused = (
        "FUNCTIONS_WORKER_RUNTIME", "FUNCTIONS_EXTENSION_VERSION", "WEBSITE_RUN_FROM_PACKAGE",
        "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING", "WEBSITE_CONTENTSHARE", "ENABLE_ORYX_BUILD",
        "SCM_DO_BUILD_DURING_DEPLOYMENT", "WEBSITE_VNET_ROUTE_ALL", "WEBSITE_TIME_ZONE",
    )  # fmt: skip
    for each in site.all("Microsoft.Web/serverfarms"):
        if each.body["sku"] != {"name": "FC1", "tier": "FlexConsumption"}:
            yield f"{each.name}: another plan"
        if each.properties["zoneRedundant"] is not (site.size == "prefecture"):
            yield f"{each.name}: zones"
    plans = [app.properties["serverFarmId"] for app, _ in site.apps.values()]
    if len(set(plans)) != len(plans):
        yield "two apps on one plan"
    for role, (app, settings) in site.apps.items():
        config = app.properties["functionAppConfig"]
        scale = config["scaleAndConcurrency"]
        if config["runtime"] != {"name": "python", "version": "3.13"}:
            yield f"{role}: another runtime"
        if scale["instanceMemoryMB"] not in {512, 2048, 4096}:
            yield f"{role}: no such memory"
        if not 40 <= scale["maximumInstanceCount"] <= 1000:
            yield f"{role}: instances"
        if config["deployment"]["storage"]["authentication"]["type"] != "UserAssignedIdentity":
            yield f"{role}: its package by a key"
        yield from (f"{role}: {name} is refused" for name in refused if name in settings)


def own_key(site):
    """With a key of our own every account has it, from an HSM, and it rotates."""
    if site.given.get("customerManagedKey") != "on":
        return
    for each in site.all(STORAGE):
        encryption = each.properties["encryption"]
        if encryption["keySource"] != "Microsoft.Keyvault" or not encryption["keyvaultproperties"]:
            yield f"{each.name}: the platform's key"
        kinds = {s["keyType"] for s in encryption["services"].values()}
        if kinds != {"Account"}:
            yield f"{each.name}: queues or tables with the platform's key"
    (key,) = site.all("Microsoft.KeyVault/vaults/keys")
    actions = [a["action"]["type"] for a in key.properties["rotationPolicy"]["lifetimeActions"]]
    if key.properties["kty"] != "RSA-HSM" or "rotate" not in actions:
        yield "the key is in software, or stays for ever"


def no_name_twice(site):
    """Two resources of one name would be one."""
    seen = set()
    for each in site.made:
        scope = each.body.get("scope")
        # a role assignment's name is unique in the tenant, whatever its scope
        inside = "" if each.kind.endswith("roleAssignments") else getattr(scope, "id", "")
        key = (each.kind, each.name, inside)
        if key in seen:
            yield f"{key} twice"
        seen.add(key)
    for each in site.made:
        limit = {STORAGE: 24, "Microsoft.KeyVault/vaults": 24, "Microsoft.Web/sites": 60}
        if len(each.name) > limit.get(each.kind, 260):
            yield f"{each.name}: too long"
