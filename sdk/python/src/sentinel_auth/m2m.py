"""What a token between services says (``tokens.md`` §9)."""

from collections.abc import Mapping
from typing import Any

from sentinel_auth.errors import SentinelError
from sentinel_auth.types import SystemAuth


def system_of(claims: Mapping[str, Any], *, effective_scope: str, service_name: str) -> SystemAuth:
    """The caller of a verified m2m token.

    Raises SentinelError: 403 for a token of another realm, or for another service; 401 for claims that cannot be
    used.
    """
    svc, caller, actions, target = (claims.get(name) for name in ("svc", "caller", "actions", "aud_target"))
    if svc != effective_scope:
        raise SentinelError("m2m token belongs to another realm", 403)
    if target is not None and target != service_name:
        raise SentinelError("m2m token is meant for another service", 403)
    if not isinstance(caller, str) or not isinstance(actions, list):
        raise SentinelError("Invalid m2m token", 401)
    return SystemAuth(
        caller=caller, actions=[one for one in actions if isinstance(one, str)], svc=effective_scope
    )
