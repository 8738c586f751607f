#Requires -Modules ExchangeOnlineManagement
<#
.SYNOPSIS
  The trial's scope: the apps reach the mailboxes of one group, and the sites that are named, alone.
.DESCRIPTION
  Exchange: "RBAC for Applications". The roles below are given to the identities for the members of
  one mail-enabled security group. What Entra ID grants tenant-wide is added to it, so the tenant-wide
  Mail.*, MailboxSettings.* and Calendars.* must be gone: consent.sh --cohort --remove-others.
  SharePoint and OneDrive: Sites.Selected; each site is opened with write.
  Nothing here is removed: docs/how-to/remove.md.
.EXAMPLE
  Connect-ExchangeOnline; Connect-MgGraph -Scopes Sites.FullControl.All
  ./cohort.ps1 -Group trial@example.lg.jp -Sites (Get-Content sites.txt) `
    -Intake @{ AppId = '…'; ObjectId = '…' } -Scan @{ AppId = '…'; ObjectId = '…' }
#>
param(
    [Parameter(Mandatory)] [string] $Group,
    [Parameter(Mandatory)] [hashtable] $Intake,
    [Parameter(Mandatory)] [hashtable] $Scan,
    [string[]] $Sites = @()
)
$ErrorActionPreference = 'Stop'

$roles = @{
    Intake = 'Application Mail.Read', 'Application Calendars.Read'
    Scan   = 'Application Mail.ReadWrite', 'Application MailboxSettings.ReadWrite', 'Application Calendars.ReadWrite'
}
$name = 'Sekisho trial'
$members = (Get-DistributionGroup -Identity $Group).DistinguishedName
if (-not (Get-ManagementScope -Identity $name -ErrorAction SilentlyContinue)) {
    New-ManagementScope -Name $name -RecipientRestrictionFilter "MemberOfGroup -eq '$members'" | Out-Null
}

foreach ($app in @{ Role = 'Intake'; Identity = $Intake }, @{ Role = 'Scan'; Identity = $Scan }) {
    $id = $app.Identity
    if (-not (Get-ServicePrincipal -Identity $id.ObjectId -ErrorAction SilentlyContinue)) {
        New-ServicePrincipal -AppId $id.AppId -ObjectId $id.ObjectId -DisplayName "Sekisho $($app.Role)" | Out-Null
    }
    foreach ($role in $roles[$app.Role]) {
        $assignment = "Sekisho $($app.Role) $role"
        if (-not (Get-ManagementRoleAssignment -Identity $assignment -ErrorAction SilentlyContinue)) {
            New-ManagementRoleAssignment -Name $assignment -App $id.ObjectId -Role $role -CustomResourceScope $name | Out-Null
        }
    }
    Test-ServicePrincipalAuthorization -Identity $id.ObjectId | Format-Table RoleName, GrantedPermissions, AllowedResourceScope
}

foreach ($site in $Sites) {
    $uri = [uri] $site
    $found = Invoke-MgGraphRequest -Method GET -Uri "v1.0/sites/$($uri.Host):$($uri.AbsolutePath)?`$select=id"
    foreach ($id in $Intake, $Scan) {
        $body = @{ roles = @('write'); grantedToIdentities = @(@{ application = @{ id = $id.AppId; displayName = 'Sekisho' } }) }
        Invoke-MgGraphRequest -Method POST -Uri "v1.0/sites/$($found.id)/permissions" -Body ($body | ConvertTo-Json -Depth 5) | Out-Null
    }
    Write-Host "$site"
}
