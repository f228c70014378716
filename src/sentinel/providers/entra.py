"""Microsoft Entra ID, one tenant: OpenID Connect without ``email_verified`` (EV-2, EV-3, L34)."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import SecretStr

from sentinel.core.clock import Clock
from sentinel.core.outbound import Outbound
from sentinel.providers.claims import PROFILE_CLAIMS, not_verified
from sentinel.providers.metadata import WELL_KNOWN
from sentinel.providers.oidc import OidcProvider
from sentinel.providers.provider import Identity

MULTI_TENANT = frozenset({"common", "organizations", "consumers"})


class Entra(OidcProvider):
    """Sign-in with the accounts of one Entra tenant, given by its id.

    The tenant administers its people's addresses, and an operator who names a tenant trusts it with that. Therefore
    an address counts when ``tid`` is that tenant and ``xms_edov`` (the domain's owner is verified) is not denied.
    """

    profile_claims = (*PROFILE_CLAIMS, "tid")
    asks_userinfo = False  # Graph's address carries no word about who vouches for it

    def __init__(
        self, *, client_id: str, client_secret: SecretStr, tenant_id: str, outbound: Outbound, clock: Clock
    ) -> None:
        if tenant_id.lower() in MULTI_TENANT or not re.fullmatch(
            r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", tenant_id
        ):
            raise ValueError("ENTRA_TENANT_ID must be the id of one tenant, not of all (EV-3)")
        super().__init__(
            name="entra_id",
            label="Microsoft",
            client_id=client_id,
            client_secret=client_secret,
            metadata_url=f"https://login.microsoftonline.com/{tenant_id}/v2.0{WELL_KNOWN}",
            outbound=outbound,
            clock=clock,
        )
        self._tenant_id = tenant_id

    def _require_verified(self, claims: Mapping[str, Any]) -> None:
        # Entra sends no email_verified; if it ever does, it must agree.
        if claims.get("tid") != self._tenant_id or claims.get("email_verified", True) is not True:
            raise not_verified()
        if not _is_true(claims.get("xms_edov", True)):
            raise not_verified()

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        identity = super()._identity(claims)
        if claims.get("xms_edov") is True:
            identity.profile["xms_edov"] = "true"  # self-serve wants it stated, not merely undenied
        return identity


def _is_true(value: object) -> bool:
    """EV-2: boolean true, 1, "1" or "true"; Entra has sent all of them."""
    return value is True or (type(value) is int and value == 1) or value in ("1", "true")
