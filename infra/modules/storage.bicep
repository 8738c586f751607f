// One storage account: no keys, no public network, its own private endpoints.
param name string
param location string
param tags object
param sku string
param containers array = []
param queues array = []
param tables array = []

@description('Old versions of blobs are kept. Not where a blob is rewritten all day.')
param versioning bool = false

@description('Days after which what was deleted is gone for good; 0 where nothing is ever restored.')
param undeleteDays int = 14

@description('Lifecycle rules: what is removed by itself, and when.')
param rules array = []

@description('blob, queue, table: what is reached, each by a private endpoint.')
param kinds array
param subnetId string
param zones object

@description('Event Grid, a trusted service, delivers with its own identity.')
param trusted bool = false

@description('Addresses outside the network that may come in all the same, by identity; usually none.')
param allowedAddresses array = []

@description('A key of our own for what lies here: identityId, vaultUri, keyName; empty for a key of the platform.')
param ownKey object = {}

@description('blob, queue, table: whose reads and writes are logged. Not blob where names of blobs are names of files.')
param logged array = []
param workspaceId string

var hasOwnKey = !empty(ownKey)
var open = !empty(allowedAddresses)

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: sku
  }
  identity: hasOwnKey ? {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${ownKey.identityId}': {}
    }
  } : {
    type: 'None'
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    allowedCopyScope: 'AAD'
    defaultToOAuthAuthentication: true
    isLocalUserEnabled: false
    minimumTlsVersion: 'TLS1_2'
    publicNetworkAccess: open ? 'Enabled' : 'Disabled'
    supportsHttpsTrafficOnly: true
    networkAcls: {
      bypass: trusted ? 'AzureServices' : 'None'
      defaultAction: 'Deny'
      ipRules: [for address in allowedAddresses: {
        action: 'Allow'
        value: address
      }]
      virtualNetworkRules: []
    }
    encryption: {
      requireInfrastructureEncryption: true
      keySource: hasOwnKey ? 'Microsoft.Keyvault' : 'Microsoft.Storage'
      identity: hasOwnKey ? {
        userAssignedIdentity: ownKey.identityId
      } : null
      keyvaultproperties: hasOwnKey ? {
        keyname: ownKey.keyName
        keyvaulturi: ownKey.vaultUri
      } : null
      services: {
        blob: {
          enabled: true
          keyType: 'Account'
        }
        file: {
          enabled: true
          keyType: 'Account'
        }
        queue: {
          enabled: true
          keyType: 'Account'
        }
        table: {
          enabled: true
          keyType: 'Account'
        }
      }
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: versioning
    deleteRetentionPolicy: {
      enabled: undeleteDays > 0
      days: max(undeleteDays, 1)
    }
    containerDeleteRetentionPolicy: {
      enabled: undeleteDays > 0
      days: max(undeleteDays, 1)
    }
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' = [for each in containers: {
  parent: blobs
  name: each
  properties: {
    publicAccess: 'None'
  }
}]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2024-01-01' = {
  parent: account
  name: 'default'
  properties: {}
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2024-01-01' = [for each in queues: {
  parent: queueService
  name: each
  properties: {}
}]

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2024-01-01' = {
  parent: account
  name: 'default'
  properties: {}
}

resource table 'Microsoft.Storage/storageAccounts/tableServices/tables@2024-01-01' = [for each in tables: {
  parent: tableService
  name: each
  properties: {}
}]

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2024-01-01' = if (!empty(rules)) {
  parent: account
  name: 'default'
  dependsOn: [blobs]
  properties: {
    policy: {
      rules: rules
    }
  }
}

module endpoint 'endpoint.bicep' = [for kind in kinds: {
  name: 'endpoint-${name}-${kind}'
  params: {
    name: '${name}-${kind}'
    location: location
    tags: tags
    subnetId: subnetId
    targetId: account.id
    groupId: kind
    zoneName: zones[kind]
  }
}]

module logs 'storage-logs.bicep' = {
  name: 'logs-${name}'
  params: {
    accountName: account.name
    services: logged
    workspaceId: workspaceId
  }
  dependsOn: [blobs, queueService, tableService]
}

output id string = account.id
output name string = account.name
output blobUrl string = account.properties.primaryEndpoints.blob
output queueUrl string = account.properties.primaryEndpoints.queue
output tableUrl string = account.properties.primaryEndpoints.table
