// The app settings of one role. No resource: values alone.
// settings.json (made of shared/settings.py by `python -m local.docs`) says which settings a role has
// and what they are by default; site.json what this site decides; what the deployment itself knows
// comes last. A key is a reference into the role's own vault, never a value.
@allowed(['all', 'intake', 'scan', 'audit', 'console'])
param role string
param identityClientId string
param vaultUri string
param insightsConnection string
param work object
param evidence object
param audit object

@description('How notifications come, and where Graph sends them.')
param notifications object

@description('queue or push: how Event Grid wakes the gate.')
param landing string

@description('endpoint, rule: where the record goes for Microsoft Sentinel; empty: nowhere.')
param sentinel object

@description('Keys of settings.json that need not be there and are.')
param optionalKeys array

@description('url, clientId of the console\'s sign-in.')
param console object

var secret = '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets'
var mine = loadJsonContent('../settings.json')[role]
var site = loadJsonContent('../site.json')
var isIntake = role == 'intake' || role == 'all'

var decided = {
  SEKISHO_GRAPH_BASE_URL: 'https://graph.microsoft.com/v1.0'
  SEKISHO_GRAPH_CREDENTIAL: 'managed_identity'
  SEKISHO_TENANT_ID: tenant().tenantId
  SEKISHO_TELEMETRY_FILE: ''
  SEKISHO_ISOLATION: 'fork'
  SEKISHO_BLOB_SOURCE: landing == 'queue' ? 'StorageQueue' : 'EventGrid'
  SEKISHO_NOTIFICATIONS: notifications.kind
  SEKISHO_NOTIFICATION_URL: notifications.url
  SEKISHO_NOTIFICATION_HUB: notifications.hub
  SEKISHO_CONSOLE_LOGIN: empty(console.clientId) ? 'off' : 'oidc'
  SEKISHO_CONSOLE_URL: console.url
  SEKISHO_CONSOLE_ISSUER: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
  SEKISHO_CONSOLE_CLIENT_ID: console.clientId
}

// A rule of the site's own (site.json) stands where this deployment makes none.
var reported = empty(sentinel.rule) ? {} : {
  SEKISHO_SENTINEL_ENDPOINT: sentinel.endpoint
  SEKISHO_SENTINEL_RULE: sentinel.rule
}

var every = {
  SEKISHO_ROLE: role
  SEKISHO_CLIENT_ID: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnection
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  SEKISHO_WORK__blobServiceUri: work.blobUrl
  SEKISHO_WORK__queueServiceUri: work.queueUrl
  SEKISHO_WORK__tableServiceUri: work.tableUrl
  SEKISHO_WORK__credential: 'managedidentity'
  SEKISHO_WORK__clientId: identityClientId
  SEKISHO_EVIDENCE__blobServiceUri: evidence.blobUrl
  SEKISHO_EVIDENCE__queueServiceUri: evidence.queueUrl
  SEKISHO_EVIDENCE__tableServiceUri: evidence.tableUrl
  SEKISHO_EVIDENCE__credential: 'managedidentity'
  SEKISHO_EVIDENCE__clientId: identityClientId
  SEKISHO_AUDIT__blobServiceUri: audit.blobUrl
  SEKISHO_AUDIT__queueServiceUri: audit.queueUrl
  SEKISHO_AUDIT__tableServiceUri: audit.tableUrl
  SEKISHO_AUDIT__credential: 'managedidentity'
  SEKISHO_AUDIT__clientId: identityClientId
}

var hub = {
  SEKISHO_HUB__fullyQualifiedNamespace: notifications.namespace
  SEKISHO_HUB__credential: 'managedidentity'
  SEKISHO_HUB__clientId: identityClientId
}

var chosen = toObject(filter(items(union(site, decided, reported)), each => contains(mine.values, each.key)), each => each.key, each => each.value)
var keys = toObject(items(mine.keys), each => each.key, each => '${secret}/${each.value}/)')
var more = toObject(filter(items(mine.optionalKeys), each => contains(optionalKeys, each.value)), each => each.key, each => '${secret}/${each.value}/)')

output values object = union(mine.values, chosen, keys, more, every, isIntake && notifications.kind == 'eventhub' ? hub : {})
