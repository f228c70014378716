"""Google: an ordinary OpenID Connect issuer at a fixed place."""

from pydantic import SecretStr

from sentinel.core.clock import Clock
from sentinel.core.outbound import Outbound
from sentinel.providers.claims import PROFILE_CLAIMS
from sentinel.providers.metadata import WELL_KNOWN
from sentinel.providers.oidc import OidcProvider

ISSUER = "https://accounts.google.com"


class Google(OidcProvider):
    """Sign-in with Google. ``hd`` is the Workspace domain of the account."""

    profile_claims = (*PROFILE_CLAIMS, "hd")

    def __init__(self, *, client_id: str, client_secret: SecretStr, outbound: Outbound, clock: Clock) -> None:
        super().__init__(
            name="google",
            label="Google",
            client_id=client_id,
            client_secret=client_secret,
            metadata_url=ISSUER + WELL_KNOWN,
            outbound=outbound,
            clock=clock,
        )
