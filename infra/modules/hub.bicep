// Graph's notifications without an address of ours: Graph sends to this hub with its own identity.
// The namespace must be reachable for Graph, which is no trusted service and has no fixed addresses;
// nobody without the sender's role can send, and keys are off.
param name string
param location string
param tags object
param zoneRedundant bool
param partitions int

@description('Object id, in this tenant, of "Microsoft Graph Change Tracking" (0bf30f3b-4a52-48df-9a82-234910c4a086).')
param senderId string

@description('The identity that reads: the app with the intake.')
param readerId string
param subnetId string
param zoneName string
param workspaceId string

var roles = loadJsonContent('../roles.json')

resource namespace 'Microsoft.EventHub/namespaces@2024-01-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: 'Standard'
    tier: 'Standard'
    capacity: 1
  }
  properties: {
    disableLocalAuth: true
    isAutoInflateEnabled: true
    maximumThroughputUnits: 4
    minimumTlsVersion: '1.2'
    publicNetworkAccess: 'Enabled'
    zoneRedundant: zoneRedundant
  }
}

resource hub 'Microsoft.EventHub/namespaces/eventhubs@2024-01-01' = {
  parent: namespace
  name: 'graph'
  properties: {
    partitionCount: partitions
    retentionDescription: {
      cleanupPolicy: 'Delete'
      retentionTimeInHours: 168
    }
  }
}

resource sending 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hub.id, senderId, 'Azure Event Hubs Data Sender')
  scope: hub
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Azure Event Hubs Data Sender'])
    principalId: senderId
    principalType: 'ServicePrincipal'
  }
}

resource receiving 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hub.id, readerId, 'Azure Event Hubs Data Receiver')
  scope: hub
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Azure Event Hubs Data Receiver'])
    principalId: readerId
    principalType: 'ServicePrincipal'
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'sekisho'
  scope: namespace
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'allLogs'
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
    name: '${name}-namespace'
    location: location
    tags: tags
    subnetId: subnetId
    targetId: namespace.id
    groupId: 'namespace'
    zoneName: zoneName
  }
}

output namespaceHost string = '${namespace.name}.servicebus.windows.net'
output hubName string = hub.name
