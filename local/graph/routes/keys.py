"""The keys that sign validation tokens, where the identity platform publishes its own."""

from __future__ import annotations

from aiohttp import web

from local.graph import context
from local.graph.wire import odata

KEYS = "/common/discovery/v2.0/keys"


async def get_keys(request: web.Request) -> web.Response:
    """GET the JSON Web Key Set."""
    return web.json_response(request.app[context.SIGNER].jwks())


async def get_configuration(request: web.Request) -> web.Response:
    """GET the OpenID configuration: where the keys are."""
    uri = f"{odata.origin(request)}{KEYS}"
    issuer = "https://sts.windows.net/{tenantid}/"
    return web.json_response({"issuer": issuer, "jwks_uri": uri})


async def rotate(request: web.Request) -> web.Response:
    """POST _admin/keys: tokens are signed by a new key from now on."""
    return web.json_response({"kid": request.app[context.SIGNER].rotate()})


async def name_tenant(request: web.Request) -> web.Response:
    """POST _admin/tenant {tenant_id?, application_id?}: whose they are, as tokens say."""
    world, body = context.world(request), await odata.json_body(request)
    world.tenant_id = str(body.get("tenant_id") or world.tenant_id)
    world.application_id = str(body.get("application_id") or world.application_id)
    named = {"tenant_id": world.tenant_id, "application_id": world.application_id}
    return web.json_response(named)


ROUTES = [
    web.get(KEYS, get_keys, allow_head=False),
    web.get("/common/.well-known/openid-configuration", get_configuration, allow_head=False),
    web.post("/_admin/keys", rotate),
    web.post("/_admin/tenant", name_tenant),
]
