"""From verified claims to the person they speak of."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sentinel_auth.types import AuthenticatedUser
from sentinel_auth.verification import TokenRefused


def user_of_access_token(claims: Mapping[str, Any]) -> AuthenticatedUser:
    """The person of an access token. Raises TokenRefused for claims that cannot be used."""
    groups = claims.get("groups") or []
    if not isinstance(groups, list):
        raise TokenRefused("claim groups")
    return _user(claims, text(claims, "email"), text(claims, "name"), [_uuid(one) for one in groups])


def user_of_authz_token(claims: Mapping[str, Any], idp_claims: Mapping[str, Any]) -> AuthenticatedUser:
    """The person of an authz token; address and name come from the identity provider's token."""
    email, name = (
        value if isinstance(value := idp_claims.get(key), str) else "" for key in ("email", "name")
    )
    return _user(claims, email, name, [])


def _user(claims: Mapping[str, Any], email: str, name: str, groups: list[UUID]) -> AuthenticatedUser:
    organization = claims.get("oid")
    slug = claims.get("oslug")
    return AuthenticatedUser(
        user_id=_uuid(claims.get("sub")),
        email=email,
        name=name,
        workspace_id=_uuid(claims.get("wid")),
        workspace_slug=text(claims, "wslug"),
        workspace_role=text(claims, "wrole"),
        groups=groups,
        org_id=_uuid(organization) if organization is not None else None,
        org_slug=slug if isinstance(slug, str) else None,
        org_is_public=claims.get("opub") is True,
    )


def text(claims: Mapping[str, Any], name: str) -> str:
    """A claim that must be a text. Raises TokenRefused."""
    value = claims.get(name)
    if not isinstance(value, str):
        raise TokenRefused(f"claim {name}")
    return value


def _uuid(value: Any) -> UUID:
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError):
        raise TokenRefused("claim that names somebody") from None
