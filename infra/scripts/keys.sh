#!/bin/sh
# After azd has provisioned: every key that is missing is made, here, by openssl, and put into the
# vault of the app that uses it. Through the management plane, since the vaults have no public
# network. A key that is there is never touched (rotating one: docs/how-to/rotate.md).
#   keys.sh                 every missing key
#   keys.sh NAME [VALUE]    a new version of one key; VALUE from standard input if it is "-"
set -eu
umask 077

group=${AZURE_RESOURCE_GROUP:?run by azd, or set AZURE_RESOURCE_GROUP}
subscription=${AZURE_SUBSCRIPTION_ID:-$(az account show --query id --output tsv)}
version=2024-11-01
body=$(mktemp)
trap 'rm -f "$body"' EXIT INT TERM

# The vault that may hold a key, by the role whose vault it is; "all" has them all.
vault_of() {
    case $1 in
    client-state-key | rich-certificates) role=intake ;;
    fingerprint-key | marker-key | notice-webhook) role=scan ;;
    signing-key) role=audit ;;
    console-key) role=console ;;
    *)
        echo "$1: no such key" >&2
        return 1
        ;;
    esac
    az keyvault list --resource-group "$group" \
        --query "[?starts_with(name, 'kv-$role-') || starts_with(name, 'kv-all-')].name | [0]" --output tsv
}

address() {
    echo "https://management.azure.com/subscriptions/$subscription/resourceGroups/$group/providers/Microsoft.KeyVault/vaults/$(vault_of "$1")/secrets/$1?api-version=$version"
}

exists() {
    az rest --method get --url "$(address "$1")" --output none 2>/dev/null
}

put() { # name value: the value goes by a file that only we can read, never by the command line
    printf '{"properties":{"value":"%s"}}' "$2" >"$body"
    az rest --method put --url "$(address "$1")" --body "@$body" --output none
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
    value=${2:-$(fresh "$1")}
    [ "$value" != - ] || value=$(cat)
    put "$1" "$value"
    exit 0
fi
for name in client-state-key fingerprint-key marker-key signing-key console-key; do
    exists "$name" || put "$name" "$(fresh "$name")"
done
