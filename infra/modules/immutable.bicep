// What is in this container can be added to, and neither changed nor removed, until it is old enough.
// Deployed unlocked, so that a trial can be taken down; docs/how-to/deploy.md says how it is locked.
param accountName string
param containerName string

@minValue(1)
@maxValue(146000)
param days int

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' existing = {
  name: '${accountName}/default/${containerName}'
}

resource policy 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2024-01-01' = {
  parent: container
  name: 'default'
  properties: {
    immutabilityPeriodSinceCreationInDays: days
    // The chain is append blobs: blocks are added while nothing that is there can change.
    allowProtectedAppendWrites: true
  }
}
