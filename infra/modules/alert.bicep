// One alert: a query over the workspace that should find nothing.
param name string
param location string
param tags object
param title string
param query string

@description('0 critical … 4 verbose.')
param severity int

@description('ISO 8601: how often it is looked, and how far back.')
param every string
param window string
param workspaceId string
param actionGroups array

resource alert 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: name
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: title
    description: title
    enabled: true
    severity: severity
    evaluationFrequency: every
    windowSize: window
    scopes: [workspaceId]
    autoMitigate: true
    // Tables that nothing was written to yet do not exist; the rule shall not fail for that.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: query
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: {
      actionGroups: actionGroups
    }
  }
}
