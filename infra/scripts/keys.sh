#!/bin/sh
# After azd has provisioned: every key that is missing is made, here, by openssl, and put into the
# vault of the app that uses it. Through the management plane, since the vaults have no public
# network. A key that is there is never touched (rotating one: docs/how-to/rotate.md).
#   keys.sh            every missing key
#   keys.sh NAME       a new version of one key
#   keys.sh NAME -     the same, its value from standard input
set -eu
umask 077

group=${AZURE_RESOURCE_GROUP:?run by azd, or set AZURE_RESOURCE_GROUP}
subscription=${AZURE_SUBSCRIPTION_ID:-$(az account show --query id --output tsv)}
version=2024-11-01
body=$(mktemp)
trap 'rm -f "$body"' EXIT INT TERM

# infra/settings.json says which role has which key: a line "key role needed|optional" each.
table=$(python3 - "$(dirname "$0")/../settings.json" <<'PYTHON'
import json, sys
for role, each in json.load(open(sys.argv[1], encoding="utf-8")).items():
    if role != "all":
        for kind, word in (("keys", "needed"), ("optionalKeys", "optional")):
            for key in each[kind].values():
                print(key, role, word)
PYTHON
)
needed=$(echo "$table" | awk '$3 == "needed" { print $1 }')

role_of() {
    echo "$table" | awk -v key="$1" '$1 == key { print $2; found = 1; exit } END { exit !found }' || {
        echo "$1: no such key" >&2
        return 1
    }
}

vault_of() {
    role=$(role_of "$1")
    az keyvault list --resource-group "$group" \
        --query "[?starts_with(name, 'kv-$role-') || starts_with(name, 'kv-all-')].name | [0]" --output tsv
}

secrets() { # of the vault that may hold a key
    echo "https://management.azure.com/subscriptions/$subscription/resourceGroups/$group/providers/Microsoft.KeyVault/vaults/$(vault_of "$1")/secrets"
}

put() { # name value: the value goes by a file that only we can read, never by the command line
    printf '{"properties":{"value":"%s"}}' "$2" >"$body"
    az rest --method put --url "$(secrets "$1")/$1?api-version=$version" --body "@$body" --output none
    : >"$body"
    echo "$1: written"
}

fresh() {
    case $1 in
    signing-key) openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt | base64 | tr -d '\n' ;;
    *) printf 'k%s:%s' "$(date -u +%Y%m%d)" "$(openssl rand -base64 32 | tr -d '\n')" ;;
    esac
}

if [ $# -gt 0 ]; then
    role_of "$1" >/dev/null
    if [ "${2:-}" = - ]; then value=$(cat); else value=$(fresh "$1"); fi
    put "$1" "$value"
    exit 0
fi
for name in $needed; do
    # What cannot be looked up stops everything: a key must never be made anew by mistake.
    there=$(az rest --method get --url "$(secrets "$name")?api-version=$version" --query "value[].name" --output tsv)
    case " $(echo "$there" | tr '\n\t' '  ') " in
    *" $name "*) ;;
    *) put "$name" "$(fresh "$name")" ;;
    esac
done
