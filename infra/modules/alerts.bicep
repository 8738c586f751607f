// Who is told of what: the queries of alerts.json, and what Event Grid could not deliver.
param location string
param tags object
param workspaceId string

@description('The system topic whose dead letters are watched.')
param topicId string

@description('Mail addresses; none: alerts are shown and nobody is told.')
param addresses array

var rules = loadJsonContent('../alerts.json')

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-sekisho'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'sekisho'
    enabled: true
    emailReceivers: [for (address, i) in addresses: {
      name: 'mail-${i}'
      emailAddress: address
      useCommonAlertSchema: true
    }]
  }
}

module alert 'alert.bicep' = [for rule in rules: {
  name: 'alert-${rule.name}'
  params: {
    name: 'sekisho-${rule.name}'
    location: location
    tags: tags
    title: rule.title
    query: rule.query
    severity: rule.severity
    every: rule.every
    window: rule.window
    workspaceId: workspaceId
    actionGroups: [group.id]
  }
}]

resource undelivered 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'sekisho-undelivered'
  location: 'global'
  tags: tags
  properties: {
    description: 'Event Grid がアップロードの通知を届けられませんでした / Event Grid could not tell of an upload'
    enabled: true
    severity: 1
    scopes: [topicId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'dead-lettered'
          metricName: 'DeadLetteredCount'
          metricNamespace: 'Microsoft.EventGrid/systemTopics'
          operator: 'GreaterThan'
          threshold: 0
          timeAggregation: 'Total'
        }
      ]
    }
    actions: [
      {
        actionGroupId: group.id
      }
    ]
  }
}
