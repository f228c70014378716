"""Identity providers: who is this person, says Google, GitHub, Entra ID or any OpenID Connect issuer.

Knows no HTTP framework, no database and nothing of our own users.
"""

from sentinel.providers.errors import (
    ExchangeFailed,
    IdentityRefused,
    ProviderNotConfigured,
    ProviderUnavailable,
    TokenRejected,
)
from sentinel.providers.github import AUTHZ_SCOPE, GitHub
from sentinel.providers.provider import Identity, Provider
from sentinel.providers.registry import Providers

__all__ = [
    "AUTHZ_SCOPE",
    "ExchangeFailed",
    "GitHub",
    "Identity",
    "IdentityRefused",
    "Provider",
    "ProviderNotConfigured",
    "ProviderUnavailable",
    "Providers",
    "TokenRejected",
]
