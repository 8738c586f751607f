#!/bin/sh
# After azd has deployed. Where uploads are pushed (SEKISHO_LANDING=push), Event Grid is given the
# blob trigger's address, which exists only now and holds a key of the platform; in the private
# default (queue) there is nothing to do. Then: is every app healthy?
set -eu
group=${AZURE_RESOURCE_GROUP:?run by azd, or set AZURE_RESOURCE_GROUP}

if [ "${SEKISHO_LANDING:-queue}" = push ]; then
    app=${SEKISHO_APP_INTAKE:?}
    key=$(az functionapp keys list --name "$app" --resource-group "$group" \
        --query systemKeys.blobs_extension --output tsv)
    topic=$(az eventgrid system-topic list --resource-group "$group" \
        --query "[?starts_with(name, 'evgt-sekisho-')].name | [0]" --output tsv)
    work=$(az storage account show --name "${SEKISHO_WORK_ACCOUNT:?}" --resource-group "$group" --query id --output tsv)
    az eventgrid system-topic event-subscription create --name landing --resource-group "$group" \
        --system-topic-name "$topic" --endpoint-type webhook \
        --endpoint "https://$app.azurewebsites.net/runtime/webhooks/blobs?functionName=Host.Functions.landing&code=$key" \
        --included-event-types Microsoft.Storage.BlobCreated \
        --subject-begins-with /blobServices/default/containers/landing/blobs/ \
        --deadletter-identity systemassigned \
        --deadletter-identity-endpoint "$work/blobServices/default/containers/eventgrid-deadletters" \
        --max-delivery-attempts 30 --event-ttl 1440 --output none
fi

for app in "${SEKISHO_APP_INTAKE:?}" "${SEKISHO_APP_SCAN:?}" "${SEKISHO_APP_AUDIT:?}" "${SEKISHO_APP_CONSOLE:?}"; do
    # Reached from inside the network alone: elsewhere this says so and nothing more.
    curl --silent --max-time 20 "https://$app.azurewebsites.net/api/health" ||
        echo "$app: ここからは届きません（庁内網から確認してください） / not reachable from here; look from inside"
    echo
done
