"""A stand-in for an OpenID Connect issuer, with real signatures: ``Oidc``, on loopback."""

from local.oidc.issuer import Oidc

__all__ = ["Oidc"]
