"""A stateful stand-in for Microsoft Graph v1.0: users, mail, OneDrive files, subscriptions, delta.

``routes`` (paths to state) · ``wire`` (JSON, MIME, OData) · ``state`` (what a tenant holds) ·
``faults`` (what goes wrong on demand). A development server: it checks that a token is there, not
whose it is. It knows nothing of the product that talks to it.
"""
