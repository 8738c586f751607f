#!/bin/sh
# Before azd provisions: what the template needs to know of the tenant. Changes nothing but the
# registration of resource providers, and (event hub) the service principal that Graph sends as.
set -eu

for provider in Microsoft.App Microsoft.EventGrid Microsoft.EventHub Microsoft.Insights \
    Microsoft.KeyVault Microsoft.Network Microsoft.OperationalInsights Microsoft.Storage Microsoft.Web; do
    az provider register --namespace "$provider" --only-show-errors
done

[ "${SEKISHO_NOTIFICATIONS:-eventhub}" = eventhub ] || exit 0

# "Microsoft Graph Change Tracking": the same application id in every tenant.
change_tracking=0bf30f3b-4a52-48df-9a82-234910c4a086
if [ -z "${SEKISHO_GRAPH_CHANGE_TRACKING_ID:-}" ]; then
    id=$(az ad sp show --id "$change_tracking" --query id --output tsv 2>/dev/null) ||
        id=$(az ad sp create --id "$change_tracking" --query id --output tsv) || {
        echo "Microsoft Graph Change Tracking ($change_tracking) がテナントになく、作成する権限もありません。" >&2
        echo "An Entra administrator must run: az ad sp create --id $change_tracking" >&2
        exit 1
    }
    azd env set SEKISHO_GRAPH_CHANGE_TRACKING_ID "$id"
fi
if [ -z "${SEKISHO_TENANT_DOMAIN:-}" ]; then
    domain=$(az rest --method get --url 'https://graph.microsoft.com/v1.0/domains?$select=id,isDefault' \
        --query 'value[?isDefault].id | [0]' --output tsv)
    azd env set SEKISHO_TENANT_DOMAIN "$domain"
fi
