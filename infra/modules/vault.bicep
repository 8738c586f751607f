// A key vault of one reader: what must be a key is here, and one identity may read it.
// The keys themselves are made by scripts/keys.sh; no template and no setting ever holds one.
param name string
param location string
param tags object

@description('The identity that reads the secrets, or that wraps storage keys (own key).')
param readerId string

@allowed(['secrets', 'encryption'])
param purpose string = 'secrets'
param subnetId string
param zoneName string
param workspaceId string

var roles = loadJsonContent('../roles.json')
var role = purpose == 'secrets' ? 'Key Vault Secrets User' : 'Key Vault Crypto Service Encryption User'

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: purpose == 'encryption' ? 'premium' : 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    enabledForDeployment: false
    enabledForDiskEncryption: false
    enabledForTemplateDeployment: false
    publicNetworkAccess: 'Disabled'
    networkAcls: {
      // Storage fetches its own key as a trusted service, with the identity below.
      bypass: purpose == 'encryption' ? 'AzureServices' : 'None'
      defaultAction: 'Deny'
    }
  }
}

resource storageKey 'Microsoft.KeyVault/vaults/keys@2024-11-01' = if (purpose == 'encryption') {
  parent: vault
  name: 'storage'
  properties: {
    kty: 'RSA-HSM'
    keySize: 3072
    keyOps: ['wrapKey', 'unwrapKey']
    attributes: {
      enabled: true
    }
    rotationPolicy: {
      attributes: {
        expiryTime: 'P2Y'
      }
      lifetimeActions: [
        {
          action: {
            type: 'rotate'
          }
          trigger: {
            timeAfterCreate: 'P1Y'
          }
        }
        {
          action: {
            type: 'notify'
          }
          trigger: {
            timeBeforeExpiry: 'P30D'
          }
        }
      ]
    }
  }
}

resource reading 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, readerId, role)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[role])
    principalId: readerId
    principalType: 'ServicePrincipal'
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'sekisho'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'audit'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

module endpoint 'endpoint.bicep' = {
  name: 'endpoint-${name}'
  params: {
    name: '${name}-vault'
    location: location
    tags: tags
    subnetId: subnetId
    targetId: vault.id
    groupId: 'vault'
    zoneName: zoneName
  }
}

output name string = vault.name
output uri string = vault.properties.vaultUri
output keyName string = 'storage'
