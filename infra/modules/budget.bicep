// Somebody is told before the month's budget (in the subscription's currency) is spent.
param amount int
param startDate string
param addresses array

resource budget 'Microsoft.Consumption/budgets@2023-11-01' = if (!empty(addresses)) {
  name: 'sekisho'
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: {
      startDate: startDate
    }
    notifications: {
      forecast: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: addresses
      }
      spent: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: addresses
      }
    }
  }
}
