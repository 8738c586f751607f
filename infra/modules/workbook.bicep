// One page for operations: what passes, what waits, what failed. Its queries are in workbook.json.
param location string
param tags object
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'sekisho-operations')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: '関所 Sekisho'
    category: 'workbook'
    version: 'Notebook/1.0'
    sourceId: workspaceId
    serializedData: loadTextContent('../workbook.json')
  }
}

output id string = workbook.id
