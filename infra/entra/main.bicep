// What Entra ID must know: the Graph permissions of each app's identity, and the console's sign-in.
// A template of its own, because whoever may deploy in Azure is seldom who may consent in Entra ID:
//   az deployment group create -g <group> --template-file infra/entra/main.bicep --parameters …
// The same by hand, for tenants without the extension: scripts/consent.sh.
extension microsoftGraphV1

@description('Name of the environment, as in main.bicep.')
param environmentName string

@description('The apps\' identities: role (all, intake, scan) and principalId, from main.bicep\'s outputs.')
param identities array

@description('The console\'s address (output SEKISHO_CONSOLE_ADDRESS) and the identity of its app.')
param consoleUrl string
param consolePrincipalId string

var grants = loadJsonContent('../graph.json')
var wanted = flatten(map(identities, each => map(grants[each.role], permission => {
  principalId: each.principalId
  permission: permission
})))

resource graph 'Microsoft.Graph/servicePrincipals@v1.0' existing = {
  appId: '00000003-0000-0000-c000-000000000000'
}

resource grant 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [for each in wanted: {
  appRoleId: filter(graph.appRoles, role => role.value == each.permission)[0].id
  principalId: each.principalId
  resourceId: graph.id
}]

resource console 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: 'sekisho-console-${environmentName}'
  displayName: '関所 Sekisho (${environmentName})'
  signInAudience: 'AzureADMyOrg'
  web: {
    redirectUris: ['${consoleUrl}/api/console/login/back']
    implicitGrantSettings: {
      enableIdTokenIssuance: false
      enableAccessTokenIssuance: false
    }
  }
  appRoles: [
    {
      id: guid('sekisho', 'viewer')
      value: 'viewer'
      displayName: '閲覧者 Viewer'
      description: '件数と状況を見る / sees counts and states'
      allowedMemberTypes: ['User']
      isEnabled: true
    }
    {
      id: guid('sekisho', 'reviewer')
      value: 'reviewer'
      displayName: '確認者 Reviewer'
      description: '事案を確認し、判断する / looks at incidents and decides'
      allowedMemberTypes: ['User']
      isEnabled: true
    }
    {
      id: guid('sekisho', 'admin')
      value: 'admin'
      displayName: '管理者 Administrator'
      description: '運用する / operates'
      allowedMemberTypes: ['User']
      isEnabled: true
    }
    {
      id: guid('sekisho', 'auditor')
      value: 'auditor'
      displayName: '監査者 Auditor'
      description: '監査記録を読む / reads the record'
      allowedMemberTypes: ['User']
      isEnabled: true
    }
  ]
}

// Only who was given a role gets in at all.
resource consolePrincipal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: console.appId
  appRoleAssignmentRequired: true
}

// The console's app proves itself by its managed identity: there is no client secret.
resource federation 'Microsoft.Graph/applications/federatedIdentityCredentials@v1.0' = {
  name: '${console.uniqueName}/console-identity'
  audiences: ['api://AzureADTokenExchange']
  issuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
  subject: consolePrincipalId
}

output SEKISHO_CONSOLE_CLIENT_ID string = console.appId
