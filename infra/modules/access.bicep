// What one identity may do in one storage account: exactly the entries of access.json, each where it says.
param accountName string
param principalId string

@description('Entries of access.json: kind (account, containers, queues, tables), name, role.')
param entries array

var roles = loadJsonContent('../roles.json')
var accountEntries = filter(entries, entry => entry.kind == 'account')
var containerEntries = filter(entries, entry => entry.kind == 'containers')
var queueEntries = filter(entries, entry => entry.kind == 'queues')
var tableEntries = filter(entries, entry => entry.kind == 'tables')

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: accountName
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' existing = [for entry in containerEntries: {
  name: '${accountName}/default/${entry.name}'
}]

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2024-01-01' existing = [for entry in queueEntries: {
  name: '${accountName}/default/${entry.name}'
}]

resource table 'Microsoft.Storage/storageAccounts/tableServices/tables@2024-01-01' existing = [for entry in tableEntries: {
  name: '${accountName}/default/${entry.name}'
}]

resource onAccount 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for entry in accountEntries: {
  name: guid(account.id, principalId, entry.role)
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[entry.role])
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}]

resource onContainer 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (entry, i) in containerEntries: {
  name: guid(account.id, 'containers', entry.name, principalId, entry.role)
  scope: container[i]
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[entry.role])
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}]

resource onQueue 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (entry, i) in queueEntries: {
  name: guid(account.id, 'queues', entry.name, principalId, entry.role)
  scope: queue[i]
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[entry.role])
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}]

resource onTable 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (entry, i) in tableEntries: {
  name: guid(account.id, 'tables', entry.name, principalId, entry.role)
  scope: table[i]
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[entry.role])
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}]
