"""Authz tokens minted on the way in, for callers that bring only the identity provider's token."""

import time
from collections.abc import Callable
from uuid import UUID

from sentinel_auth.authz import AuthzClient
from sentinel_auth.errors import SentinelError
from sentinel_auth.minted import MintedTokens


class AutoResolve:
    """Mints authz tokens at ``/authz/resolve``, kept by (IdP subject, workspace) for 80 % of their life.

    The caller has verified the IdP token, and verifies the answer as if the browser had sent it.
    """

    def __init__(
        self, client: Callable[[], AuthzClient], provider: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._provider = provider
        self._tokens = MintedTokens(clock=clock)

    def forget(self) -> None:
        """Forget every token."""
        self._tokens.forget()

    async def authz_token(self, idp_token: str, subject: str, workspace_id: UUID) -> str:
        """An authz token of this person for this workspace. Raises what AuthzClient.resolve raises."""

        async def mint() -> tuple[str, float]:
            answer = await self._client().resolve(idp_token, self._provider, workspace_id)
            token, life = answer.get("authz_token"), answer.get("expires_in")
            if not isinstance(token, str) or not isinstance(life, int | float):
                raise SentinelError("Sentinel's answer holds no authz token")
            return token, life

        return await self._tokens.get((subject, workspace_id), mint)
