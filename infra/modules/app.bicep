// One app: the functions of one duty, as one identity, from the one package.
param name string
param location string
param tags object

@description('Memory in MB, most instances, and what is always ready: an entry of sizes.json.')
param instances object
param zoneRedundant bool
param identity object

@description('The app\'s own account of the host: packages, leases, function keys.')
param hostAccount object
param subnetId string
param endpointsSubnetId string
param zoneName string
param workspaceId string

@description('App settings: those of settings.bicep for this role.')
param settings object

@description('Whether the functions are reached from outside: Graph\'s webhooks.')
param open bool

@description('Addresses that may reach the functions, and those that may deploy, from outside; usually none.')
param allowedAddresses array
param deployAddresses array

var reachable = open || !empty(allowedAddresses) || !empty(deployAddresses)
var allowRules = [for (address, i) in allowedAddresses: {
  name: 'allowed-${i}'
  action: 'Allow'
  priority: 100 + i
  ipAddress: address
}]
var deployRules = [for (address, i) in deployAddresses: {
  name: 'deploy-${i}'
  action: 'Allow'
  priority: 100 + i
  ipAddress: address
}]

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    keyVaultReferenceIdentity: identity.id
    publicNetworkAccess: reachable ? 'Enabled' : 'Disabled'
    virtualNetworkSubnetId: subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      remoteDebuggingEnabled: false
      ipSecurityRestrictions: allowRules
      ipSecurityRestrictionsDefaultAction: open ? 'Allow' : 'Deny'
      scmIpSecurityRestrictions: deployRules
      scmIpSecurityRestrictionsDefaultAction: 'Deny'
      scmIpSecurityRestrictionsUseMain: false
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${hostAccount.blobUrl}packages'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identity.id
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.13'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instances.memory
        maximumInstanceCount: instances.maximum
        alwaysReady: instances.ready
      }
    }
  }
}

resource appSettings 'Microsoft.Web/sites/config@2024-04-01' = {
  parent: app
  name: 'appsettings'
  properties: union(settings, {
    AzureWebJobsStorage__accountName: hostAccount.name
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identity.clientId
  })
}

resource noFtpPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource noDeployPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'sekisho'
  scope: app
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'FunctionAppLogs'
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
    name: '${name}-sites'
    location: location
    tags: tags
    subnetId: endpointsSubnetId
    targetId: app.id
    groupId: 'sites'
    zoneName: zoneName
  }
}

output id string = app.id
output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
