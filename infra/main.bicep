// Sekisho in one subscription: everything private unless a parameter says otherwise by name.
// Deployed by azd (azure.yaml) or `az deployment sub create`; docs/how-to/deploy.md.
targetScope = 'subscription'

@minLength(2)
@maxLength(20)
@description('Name of this environment; resources are named after it.')
param environmentName string

@allowed(['japaneast', 'japanwest'])
@description('Where everything is; data stays in Japan.')
param location string = 'japaneast'

@allowed(['small', 'prefecture'])
@description('An entry of sizes.json: small (pilot, 500 people, one app), prefecture (10,000, an app a duty).')
param size string = 'small'

@allowed(['eventhub', 'webhook'])
@description('How Graph tells of changes: eventhub (no address of ours is public) or webhook (the intake is).')
param notifications string = 'eventhub'

@description('With eventhub: object id in this tenant of "Microsoft Graph Change Tracking" (scripts/prepare.sh finds it).')
param graphChangeTrackingId string = ''

@description('With eventhub: a verified domain of the tenant, as Graph wants it in the hub\'s address.')
param tenantDomain string = ''

@allowed(['queue', 'push'])
@description('How an upload wakes the gate: queue (private storage) or push (needs a reachable app).')
param landing string = 'queue'

@description('Keys that need not be there and are: rich-certificates, notice-webhook; comma-separated.')
param optionalKeys string = ''

@description('The console\'s own https address; empty: that of its app.')
param consoleUrl string = ''

@description('Client id of the console\'s app registration (entra.bicep); empty: no console yet.')
param consoleClientId string = ''

@description('Address space of the network, /22 or larger.')
param addressPrefix string = '10.60.0.0/22'

@description('Addresses from which a package may be deployed, beside the network, comma-separated; usually none.')
param deployAddresses string = ''

@description('Addresses from which the console may be reached, beside the network, comma-separated; usually none.')
param consoleAddresses string = ''

@description('Addresses from which the relay and sekisho push reach the landing, beside the network, comma-separated; usually none.')
param landingAddresses string = ''

@description('Object ids of service principals: the relay, and who may upload with sekisho push.')
param relayPrincipalId string = ''
param uploadPrincipalId string = ''

@allowed(['on', 'off'])
@description('Storage is encrypted with a key of our own, rotated yearly.')
param customerManagedKey string = 'off'

@allowed(['on', 'off'])
@description('The record goes into the workspace too, for Microsoft Sentinel (its own table, paid by the GB).')
param sentinel string = 'off'

@description('Who is told: mail addresses of the action group, comma-separated.')
param alertAddresses string = ''

@description('When this deployment began: the first month of the budget.')
param budgetStart string = utcNow('yyyy-MM-01')

var sizes = loadJsonContent('sizes.json')
var stores = loadJsonContent('stores.json')
var places = stores.places
var access = union(loadJsonContent('access.json'), {
  all: stores.all
})
var profile = sizes[size]
var apps = profile.apps
var token = uniqueString(subscription().id, environmentName, location)
var tags = {
  'azd-env-name': environmentName
  system: 'sekisho'
}
var zones = {
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  queue: 'privatelink.queue.${environment().suffixes.storage}'
  table: 'privatelink.table.${environment().suffixes.storage}'
  vault: 'privatelink.vaultcore.azure.net'
  sites: 'privatelink.azurewebsites.net'
  namespace: 'privatelink.servicebus.windows.net'
}
var deployAddressesList = empty(deployAddresses) ? [] : split(deployAddresses, ',')
var consoleAddressesList = empty(consoleAddresses) ? [] : split(consoleAddresses, ',')
var landingAddressesList = empty(landingAddresses) ? [] : split(landingAddresses, ',')
var alertAddressesList = empty(alertAddresses) ? [] : split(alertAddresses, ',')
var optionalKeysList = empty(optionalKeys) ? [] : split(optionalKeys, ',')
var hasOwnKey = customerManagedKey == 'on'
var byHub = notifications == 'eventhub'
var hasSentinel = sentinel == 'on'
var intakeRole = contains(apps, 'intake') ? 'intake' : 'all'
var scanRole = contains(apps, 'scan') ? 'scan' : 'all'
var consoleRole = contains(apps, 'console') ? 'console' : 'all'
var auditRole = contains(apps, 'audit') ? 'audit' : 'all'
var intakeIndex = indexOf(apps, intakeRole)
var ownUrl = empty(consoleUrl) ? 'https://func-${consoleRole}-${token}.azurewebsites.net' : consoleUrl

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-sekisho-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = [for role in apps: {
  name: 'identity-${role}'
  scope: group
  params: {
    name: 'id-sekisho-${role}-${token}'
    location: location
    tags: tags
  }
}]

module network 'modules/network.bicep' = {
  name: 'network'
  scope: group
  params: {
    name: 'vnet-sekisho-${token}'
    location: location
    tags: tags
    addressPrefix: addressPrefix
    zones: zones
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    workspaceName: 'log-sekisho-${token}'
    insightsName: 'appi-sekisho-${token}'
    location: location
    tags: tags
    retentionDays: profile.logDays
    publishers: [for (role, i) in apps: identity[i].outputs.principalId]
  }
}

module record 'modules/sentinel.bicep' = if (hasSentinel) {
  name: 'sentinel'
  scope: group
  params: {
    workspaceName: 'log-sekisho-${token}'
    ruleName: 'dcr-sekisho-${token}'
    endpointName: 'dce-sekisho-${token}'
    location: location
    tags: tags
    publisherId: identity[indexOf(apps, auditRole)].outputs.principalId
  }
  dependsOn: [monitoring]
}

module storageIdentity 'modules/identity.bicep' = if (hasOwnKey) {
  name: 'identity-storage'
  scope: group
  params: {
    name: 'id-sekisho-storage-${token}'
    location: location
    tags: tags
  }
}

module keyVault 'modules/vault.bicep' = if (hasOwnKey) {
  name: 'vault-storage'
  scope: group
  params: {
    name: 'kv-storage-${token}'
    location: location
    tags: tags
    readerId: hasOwnKey ? storageIdentity.outputs.principalId : ''
    purpose: 'encryption'
    subnetId: network.outputs.endpointsSubnetId
    zoneName: zones.vault
    workspaceId: monitoring.outputs.workspaceId
  }
}

var ownKey = hasOwnKey ? {
  identityId: storageIdentity.outputs.id
  vaultUri: keyVault.outputs.uri
  keyName: keyVault.outputs.keyName
} : {}

// Queues, landing, ledger: what is on its way. Names of files stand in names of blobs here, so the
// blob service keeps no log of them.
module work 'modules/storage.bicep' = {
  name: 'storage-work'
  scope: group
  params: {
    name: 'stwork${token}'
    location: location
    tags: tags
    sku: profile.storageSku
    containers: concat(places.work.containers, ['eventgrid-deadletters'])
    queues: places.work.queues
    tables: places.work.tables
    rules: [
      {
        name: 'claim-checks'
        enabled: true
        type: 'Lifecycle'
        definition: {
          filters: {
            blobTypes: ['blockBlob']
            prefixMatch: ['work/results/', 'work/hints/']
          }
          actions: {
            baseBlob: {
              delete: {
                daysAfterModificationGreaterThan: 90
              }
            }
          }
        }
      }
    ]
    kinds: ['blob', 'queue', 'table']
    subnetId: network.outputs.endpointsSubnetId
    zones: zones
    trusted: true
    allowedAddresses: landingAddressesList
    ownKey: ownKey
    logged: ['queue', 'table']
    workspaceId: monitoring.outputs.workspaceId
  }
}

module evidence 'modules/storage.bicep' = {
  name: 'storage-evidence'
  scope: group
  params: {
    name: 'stevid${token}'
    location: location
    tags: tags
    sku: profile.storageSku
    containers: places.evidence.containers
    versioning: true
    undeleteDays: 30
    rules: [
      {
        name: 'kept-long-enough'
        enabled: true
        type: 'Lifecycle'
        definition: {
          filters: {
            blobTypes: ['blockBlob']
            prefixMatch: ['evidence/', 'quarantine/']
          }
          actions: {
            baseBlob: {
              tierToCool: {
                daysAfterModificationGreaterThan: 30
              }
              delete: {
                daysAfterModificationGreaterThan: profile.retentionDays
              }
            }
            version: {
              delete: {
                daysAfterCreationGreaterThan: profile.retentionDays
              }
            }
          }
        }
      }
    ]
    kinds: ['blob']
    subnetId: network.outputs.endpointsSubnetId
    zones: zones
    ownKey: ownKey
    logged: ['blob']
    workspaceId: monitoring.outputs.workspaceId
  }
}

module audit 'modules/storage.bicep' = {
  name: 'storage-audit'
  scope: group
  params: {
    name: 'staudit${token}'
    location: location
    tags: tags
    sku: profile.storageSku
    containers: places.audit.containers
    tables: places.audit.tables
    versioning: true
    undeleteDays: 90
    kinds: ['blob', 'table']
    subnetId: network.outputs.endpointsSubnetId
    zones: zones
    ownKey: ownKey
    logged: ['blob', 'table']
    workspaceId: monitoring.outputs.workspaceId
  }
}

module immutable 'modules/immutable.bicep' = {
  name: 'immutable-audit'
  scope: group
  params: {
    accountName: audit.outputs.name
    containerName: 'audit'
    days: profile.retentionDays
  }
}

module host 'modules/storage.bicep' = [for role in apps: {
  name: 'storage-host-${role}'
  scope: group
  params: {
    name: take('sthost${role}${token}', 24)
    location: location
    tags: tags
    sku: profile.storageSku
    containers: ['packages']
    undeleteDays: 7
    kinds: landing == 'push' ? ['blob', 'queue'] : ['blob']
    subnetId: network.outputs.endpointsSubnetId
    zones: zones
    ownKey: ownKey
    logged: ['blob']
    workspaceId: monitoring.outputs.workspaceId
  }
}]

module vault 'modules/vault.bicep' = [for (role, i) in apps: {
  name: 'vault-${role}'
  scope: group
  params: {
    name: take('kv-${role}-${token}', 24)
    location: location
    tags: tags
    readerId: identity[i].outputs.principalId
    subnetId: network.outputs.endpointsSubnetId
    zoneName: zones.vault
    workspaceId: monitoring.outputs.workspaceId
  }
}]

module hostAccess 'modules/access.bicep' = [for (role, i) in apps: {
  name: 'access-host-${role}'
  scope: group
  params: {
    accountName: host[i].outputs.name
    principalId: identity[i].outputs.principalId
    entries: [
      {
        kind: 'account'
        name: ''
        role: 'Storage Blob Data Owner'
      }
    ]
  }
}]

module workAccess 'modules/access.bicep' = [for (role, i) in apps: {
  name: 'access-work-${role}'
  scope: group
  params: {
    accountName: work.outputs.name
    principalId: identity[i].outputs.principalId
    entries: filter(access[role], entry => entry.account == 'work')
  }
}]

module evidenceAccess 'modules/access.bicep' = [for (role, i) in apps: {
  name: 'access-evidence-${role}'
  scope: group
  params: {
    accountName: evidence.outputs.name
    principalId: identity[i].outputs.principalId
    entries: filter(access[role], entry => entry.account == 'evidence')
  }
}]

module auditAccess 'modules/access.bicep' = [for (role, i) in apps: {
  name: 'access-audit-${role}'
  scope: group
  params: {
    accountName: audit.outputs.name
    principalId: identity[i].outputs.principalId
    entries: filter(access[role], entry => entry.account == 'audit')
  }
}]

module relayAccess 'modules/access.bicep' = if (!empty(relayPrincipalId)) {
  name: 'access-work-relay'
  scope: group
  params: {
    accountName: work.outputs.name
    principalId: relayPrincipalId
    entries: access.relay
  }
}

module uploadAccess 'modules/access.bicep' = if (!empty(uploadPrincipalId)) {
  name: 'access-work-upload'
  scope: group
  params: {
    accountName: work.outputs.name
    principalId: uploadPrincipalId
    entries: access.upload
  }
}

module events 'modules/landing.bicep' = {
  name: 'landing'
  scope: group
  params: {
    name: 'evgt-sekisho-${token}'
    location: location
    tags: tags
    accountName: work.outputs.name
    delivery: landing
    workspaceId: monitoring.outputs.workspaceId
  }
}

module hub 'modules/hub.bicep' = if (byHub) {
  name: 'hub'
  scope: group
  params: {
    name: 'evhns-sekisho-${token}'
    location: location
    tags: tags
    zoneRedundant: profile.zoneRedundant
    partitions: profile.hubPartitions
    senderId: graphChangeTrackingId
    readerId: identity[intakeIndex].outputs.principalId
    subnetId: network.outputs.endpointsSubnetId
    zoneName: zones.namespace
    workspaceId: monitoring.outputs.workspaceId
  }
}

module settings 'modules/settings.bicep' = [for (role, i) in apps: {
  name: 'settings-${role}'
  scope: group
  params: {
    role: role
    identityClientId: identity[i].outputs.clientId
    vaultUri: vault[i].outputs.uri
    insightsConnection: monitoring.outputs.connectionString
    work: {
      blobUrl: work.outputs.blobUrl
      queueUrl: work.outputs.queueUrl
      tableUrl: work.outputs.tableUrl
    }
    evidence: {
      blobUrl: evidence.outputs.blobUrl
      queueUrl: evidence.outputs.queueUrl
      tableUrl: evidence.outputs.tableUrl
    }
    audit: {
      blobUrl: audit.outputs.blobUrl
      queueUrl: audit.outputs.queueUrl
      tableUrl: audit.outputs.tableUrl
    }
    notifications: {
      kind: notifications
      url: byHub ? 'https://evhns-sekisho-${token}.servicebus.windows.net/eventhubname/graph?tenantId=${tenantDomain}' : 'https://func-${intakeRole}-${token}.azurewebsites.net/api/graph'
      hub: byHub ? 'graph' : ''
      namespace: byHub ? 'evhns-sekisho-${token}.servicebus.windows.net' : ''
    }
    landing: landing
    sentinel: {
      endpoint: hasSentinel ? record.outputs.endpoint : ''
      rule: hasSentinel ? record.outputs.rule : ''
    }
    optionalKeys: optionalKeysList
    console: {
      url: ownUrl
      clientId: consoleClientId
    }
  }
}]

module app 'modules/app.bicep' = [for (role, i) in apps: {
  name: 'app-${role}'
  scope: group
  params: {
    name: 'func-${role}-${token}'
    location: location
    tags: union(tags, {
      'azd-service-name': role == 'all' ? 'intake' : role
    })
    instances: profile.instances[role]
    zoneRedundant: profile.zoneRedundant
    identity: {
      id: identity[i].outputs.id
      clientId: identity[i].outputs.clientId
    }
    hostAccount: {
      name: host[i].outputs.name
      blobUrl: host[i].outputs.blobUrl
    }
    subnetId: network.outputs.appsSubnetId
    endpointsSubnetId: network.outputs.endpointsSubnetId
    zoneName: zones.sites
    workspaceId: monitoring.outputs.workspaceId
    settings: settings[i].outputs.values
    open: !byHub && role == intakeRole
    allowedAddresses: role == consoleRole ? consoleAddressesList : []
    deployAddresses: deployAddressesList
  }
  dependsOn: [hostAccess, workAccess, evidenceAccess, auditAccess]
}]

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    topicId: events.outputs.topicId
    addresses: alertAddressesList
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}

module budget 'modules/budget.bicep' = {
  name: 'budget'
  scope: group
  params: {
    amount: profile.budget
    startDate: budgetStart
    addresses: alertAddressesList
  }
}

output AZURE_LOCATION string = location
output AZURE_TENANT_ID string = tenant().tenantId
output AZURE_RESOURCE_GROUP string = group.name
output SEKISHO_APP_INTAKE string = 'func-${intakeRole}-${token}'
output SEKISHO_APP_SCAN string = 'func-${scanRole}-${token}'
output SEKISHO_APP_AUDIT string = 'func-${auditRole}-${token}'
output SEKISHO_APP_CONSOLE string = 'func-${consoleRole}-${token}'
output SEKISHO_CONSOLE_ADDRESS string = ownUrl
output SEKISHO_APPS array = apps
output SEKISHO_VAULTS array = [for (role, i) in apps: vault[i].outputs.name]
output SEKISHO_IDENTITIES array = [for (role, i) in apps: identity[i].outputs.principalId]
output SEKISHO_WORK_ACCOUNT string = work.outputs.name
output SEKISHO_EVIDENCE_ACCOUNT string = evidence.outputs.name
output SEKISHO_AUDIT_ACCOUNT string = audit.outputs.name
