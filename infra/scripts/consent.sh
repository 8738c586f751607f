#!/bin/sh
# Graph's application permissions for the apps' identities, where an Entra administrator consents by
# hand (entra/main.bicep does the same). Exactly infra/graph.json, no more; what is granted and not
# listed there is shown, and removed with --remove-others.
#   consent.sh [--cohort] [--remove-others]
# --cohort: the trial's way. Mailboxes and sites are not granted for the whole tenant: mail and
# calendar by Exchange's own roles (cohort.ps1), files by Sites.Selected for the sites you name.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
group=${AZURE_RESOURCE_GROUP:?set AZURE_RESOURCE_GROUP}
cohort= others=
for option in "$@"; do
    case $option in
    --cohort) cohort=1 ;;
    --remove-others) others=1 ;;
    *)
        echo "consent.sh [--cohort] [--remove-others]" >&2
        exit 2
        ;;
    esac
done

graph=https://graph.microsoft.com/v1.0
resource=$(az rest --method get --url "$graph/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')?\$select=id" --query id --output tsv)

wanted() { # role: one permission a line
    python3 - "$here/graph.json" "$1" "$cohort" <<'PYTHON'
import json, sys
path, role, cohort = sys.argv[1:]
names = json.load(open(path, encoding="utf-8")).get(role, [])
scoped = ("Mail.", "MailboxSettings.", "Calendars.", "Files.", "Sites.")
if cohort and names:
    names = [each for each in names if not each.startswith(scoped)] + ["Sites.Selected"]
print("\n".join(names))
PYTHON
}

for role in all intake scan; do
    principal=$(az identity list --resource-group "$group" \
        --query "[?starts_with(name, 'id-sekisho-$role-')].principalId | [0]" --output tsv)
    [ -n "$principal" ] || continue
    have=$(az rest --method get --url "$graph/servicePrincipals/$principal/appRoleAssignments" \
        --query "value[?resourceId=='$resource'].appRoleId" --output tsv)
    listed=
    for permission in $(wanted "$role"); do
        id=$(az rest --method get --url "$graph/servicePrincipals/$resource?\$select=appRoles" \
            --query "appRoles[?value=='$permission' && contains(allowedMemberTypes, 'Application')].id | [0]" --output tsv)
        [ -n "$id" ] || {
            echo "$permission: Graph does not know it" >&2
            exit 1
        }
        listed="$listed $id"
        case " $(echo "$have" | tr '\n\t' '  ') " in
        *" $id "*) echo "$role: $permission (already)" ;;
        *)
            az rest --method post --url "$graph/servicePrincipals/$resource/appRoleAssignedTo" --output none \
                --body "{\"principalId\":\"$principal\",\"resourceId\":\"$resource\",\"appRoleId\":\"$id\"}"
            echo "$role: $permission"
            ;;
        esac
    done
    for id in $have; do
        case " $listed " in
        *" $id "*) ;;
        *)
            echo "$role: granted beyond the list: $id" >&2
            [ -z "$others" ] || {
                assignment=$(az rest --method get --url "$graph/servicePrincipals/$principal/appRoleAssignments" \
                    --query "value[?appRoleId=='$id' && resourceId=='$resource'].id | [0]" --output tsv)
                az rest --method delete --url "$graph/servicePrincipals/$principal/appRoleAssignments/$assignment" --output none
            }
            ;;
        esac
    done
done
