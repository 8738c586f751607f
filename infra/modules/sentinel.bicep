// The record in the workspace, where Microsoft Sentinel reads it: a table of its own, and the rule by
// which rows come in. sentinel.json is made of the columns that the code sends (`python -m local.docs`).
param workspaceName string
param ruleName string
param endpointName string
param location string
param tags object

@description('The identity that sends the record, and nobody else.')
param publisherId string

var roles = loadJsonContent('../roles.json')
var record = loadJsonContent('../sentinel.json')

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {
  name: workspaceName
}

resource table 'Microsoft.OperationalInsights/workspaces/tables@2022-10-01' = {
  parent: workspace
  name: record.table.name
  properties: {
    plan: 'Analytics'
    schema: record.table
  }
}

// It takes rows from our identity alone, over the way that traces and counts take.
resource endpoint 'Microsoft.Insights/dataCollectionEndpoints@2022-06-01' = {
  name: endpointName
  location: location
  tags: tags
  properties: {
    networkAcls: {
      publicNetworkAccess: 'Enabled'
    }
  }
}

resource rule 'Microsoft.Insights/dataCollectionRules@2022-06-01' = {
  name: ruleName
  location: location
  tags: tags
  properties: {
    dataCollectionEndpointId: endpoint.id
    streamDeclarations: record.streams
    destinations: {
      logAnalytics: [
        {
          name: 'workspace'
          workspaceResourceId: workspace.id
        }
      ]
    }
    dataFlows: [
      {
        streams: [record.stream]
        destinations: ['workspace']
        transformKql: 'source'
        outputStream: record.stream
      }
    ]
  }
  dependsOn: [table]
}

resource publishing 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(rule.id, publisherId, 'Monitoring Metrics Publisher')
  scope: rule
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles['Monitoring Metrics Publisher'])
    principalId: publisherId
    principalType: 'ServicePrincipal'
  }
}

output endpoint string = endpoint.properties.logsIngestion.endpoint
output rule string = rule.properties.immutableId
