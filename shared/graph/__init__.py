"""Microsoft Graph: credential, client, webhook validation, subscriptions, delta."""
