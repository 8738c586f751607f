// The app settings of one role: every setting of shared/settings.py, and keys only where they are used.
// No resource: values alone. A key is a reference into the role's own vault, never a value.
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

@description('What the site decides: watch, teams, teamsModel, rich, policyFile, names, ocr, gateDelivery, maxItemBytes, notices.')
param site object

@description('url, clientId of the console\'s sign-in.')
param console object

var secret = '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets'
var isIntake = role == 'intake' || role == 'all'
var isScan = role == 'scan' || role == 'all'
var isAudit = role == 'audit' || role == 'all'
var isConsole = role == 'console' || role == 'all'
var byHub = notifications.kind == 'eventhub'

var every = {
  SEKISHO_ROLE: role
  SEKISHO_GRAPH_BASE_URL: 'https://graph.microsoft.com/v1.0'
  SEKISHO_GRAPH_CREDENTIAL: 'managed_identity'
  SEKISHO_CLIENT_ID: identityClientId
  SEKISHO_TENANT_ID: tenant().tenantId
  SEKISHO_POLICY_FILE: site.policyFile
  SEKISHO_LEASE_SECONDS: '120'
  SEKISHO_TELEMETRY_FILE: ''
  SEKISHO_TELEMETRY_SHARE: '100'
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

var intake = {
  SEKISHO_BLOB_SOURCE: landing == 'queue' ? 'StorageQueue' : 'EventGrid'
  SEKISHO_NOTIFICATIONS: notifications.kind
  SEKISHO_NOTIFICATION_URL: notifications.url
  SEKISHO_NOTIFICATION_HUB: notifications.hub
  SEKISHO_WATCH: site.watch
  SEKISHO_TEAMS: site.teams
  SEKISHO_TEAMS_MODEL: site.teamsModel
  SEKISHO_RICH_CERTIFICATES: site.rich ? '${secret}/rich-certificates/)' : ''
  SEKISHO_VALIDATION_KEYS_URL: '${environment().authentication.loginEndpoint}common/discovery/v2.0/keys'
  SEKISHO_RENEW_SCHEDULE: '0 */15 * * * *'
  SEKISHO_SWEEP_SCHEDULE: '0 */30 * * * *'
  SEKISHO_CLIENT_STATE_KEY: '${secret}/client-state-key/)'
}

var hub = {
  SEKISHO_HUB__fullyQualifiedNamespace: notifications.namespace
  SEKISHO_HUB__credential: 'managedidentity'
  SEKISHO_HUB__clientId: identityClientId
}

var scan = {
  SEKISHO_FINGERPRINT_KEY: '${secret}/fingerprint-key/)'
  SEKISHO_MARKER_KEY: '${secret}/marker-key/)'
  SEKISHO_ISOLATION: 'fork'
  SEKISHO_NAMES: site.names
  SEKISHO_OCR: site.ocr
  SEKISHO_GATE_DELIVERY: site.gateDelivery
  SEKISHO_MAX_ITEM_BYTES: site.maxItemBytes
  SEKISHO_EXCEPTIONS_SCHEDULE: '10 * * * * *'
  SEKISHO_NOTICE_SCHEDULE: '40 * * * * *'
  SEKISHO_NOTICE_WEBHOOK: site.notices.card == 'on' ? '${secret}/notice-webhook/)' : ''
  SEKISHO_NOTICE_CONTACT: site.notices.contact
  SEKISHO_NOTICE_TEMPLATES: site.notices.templates
  SEKISHO_ORGANISATION_JA: site.notices.organisationJa
  SEKISHO_ORGANISATION_EN: site.notices.organisationEn
  SEKISHO_CONSOLE_URL: console.url
}

var telling = {
  SEKISHO_NOTICE_MAILBOX: site.notices.mailbox
  SEKISHO_NOTICE_SECURITY: site.notices.security
  SEKISHO_NOTICE_CARD: site.notices.card
}

var recording = {
  SEKISHO_SIGNING_KEY: '${secret}/signing-key/)'
  SEKISHO_HEAD_KEYS: site.headKeys
  SEKISHO_HEAD_SCHEDULE: '30 * * * * *'
  SEKISHO_VERIFY_SCHEDULE: '0 */15 * * * *'
}

var pages = {
  SEKISHO_CONSOLE_LOGIN: empty(console.clientId) ? 'off' : 'oidc'
  SEKISHO_CONSOLE_URL: console.url
  SEKISHO_CONSOLE_ISSUER: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
  SEKISHO_CONSOLE_CLIENT_ID: console.clientId
  SEKISHO_CONSOLE_KEY: '${secret}/console-key/)'
}

output values object = union(every, isIntake ? intake : {}, isIntake && byHub ? hub : {}, isScan ? scan : {}, isScan || isAudit ? telling : {}, isAudit ? recording : {}, isConsole ? pages : {})
