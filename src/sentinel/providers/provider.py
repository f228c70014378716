"""What a provider is, and what it says about a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as a provider vouches for them, in one form for all providers."""

    provider: str
    subject: str
    """The provider's own id of the person; with ``provider`` the key of a social account (ID-1, ID-7)."""
    idp_sub: str
    """What becomes the ``idp_sub`` claim: the OIDC ``sub`` unchanged, for GitHub ``github|<id>``."""
    email: str
    """Verified (EV-1 to EV-5), stripped, in lower case (ID-6)."""
    name: str
    """The display name as the person wrote it (may hold HTML), at most 255 characters; never empty."""
    avatar_url: str | None
    """http or https, at most 2048 characters."""
    profile: dict[str, str]
    """Harmless profile fields from an allow-list; never a token."""


class Provider(Protocol):
    """One identity provider. Every method may raise :class:`ProviderUnavailable`."""

    name: str
    label: str
    uses_nonce: bool
    uses_pkce: bool

    async def authorization_url(
        self,
        *,
        redirect_uri: str,
        state: str,
        nonce: str | None,
        code_verifier: str | None,
        prompt: str | None = None,
    ) -> str:
        """Where to send the browser (A2). The caller keeps ``state``, ``nonce`` and ``code_verifier`` (RO-3).

        ``nonce`` and ``code_verifier`` are required where ``uses_nonce`` and ``uses_pkce`` say so, else ValueError.
        """
        ...

    async def exchange(
        self, *, code: str, redirect_uri: str, nonce: str | None, code_verifier: str | None
    ) -> Identity:
        """The person behind an authorization code (A3). The caller has already compared ``state``.

        Raises :class:`ExchangeFailed` or :class:`IdentityRefused`.
        """
        ...

    async def identify(
        self, token: str, *, audiences: Sequence[str] | None = None, nonce: str | None = None
    ) -> Identity:
        """The person behind a token that an application obtained by itself (Z1).

        ``audiences``: the calling application's own ``allowed_idp_audiences``; None or empty means the deployment's
        client id (EV-7). ``nonce``: what the token must carry (EV-10); None means it is not compared.
        Raises :class:`TokenRejected` or :class:`IdentityRefused`.
        """
        ...
