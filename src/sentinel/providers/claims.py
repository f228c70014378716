"""From the claims of a provider to an :class:`Identity`: whose address counts, and what is kept of a profile."""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from sentinel.providers.errors import IdentityRefused, TokenRejected
from sentinel.providers.provider import Identity

MAX_SUBJECT = 255
MAX_NAME = 255
MAX_EMAIL = 320  # 64 for the local part, @, 255 for the domain
MAX_AVATAR_URL = 2048

PROFILE_CLAIMS = ("given_name", "family_name", "preferred_username", "locale")


def oidc_identity(
    provider: str, claims: Mapping[str, Any], *, profile_claims: Iterable[str] = PROFILE_CLAIMS
) -> Identity:
    """The identity in verified OIDC claims. Does *not* check whether the address is verified.

    Raises :class:`TokenRejected` for an unusable ``sub`` and :class:`IdentityRefused` without an address (EV-4).
    """
    subject = subject_of(claims)
    email = email_of(claims)
    return Identity(
        provider=provider,
        subject=subject,
        idp_sub=subject,
        email=email,
        name=display_name(claims.get("name"), email),
        avatar_url=avatar_url(claims.get("picture")),
        profile=profile({key: claims.get(key) for key in profile_claims}),
    )


def subject_of(claims: Mapping[str, Any]) -> str:
    """The ``sub`` claim; raises :class:`TokenRejected` unless it is 1 to 255 characters without control ones."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT or _clean(subject) != subject:
        raise TokenRejected("The identity token names no usable subject", reason="bad_subject")
    return subject


def require_verified(claims: Mapping[str, Any]) -> None:
    """EV-1: ``email_verified`` must be the JSON boolean true; raises :class:`IdentityRefused`."""
    if claims.get("email_verified") is not True:
        raise not_verified()


def not_verified() -> IdentityRefused:
    """The refusal of an address that the provider does not vouch for."""
    return IdentityRefused(
        "The e-mail address is not verified; verify it at the identity provider and try again"
    )


def no_email() -> IdentityRefused:
    """The refusal of a person without an address."""
    return IdentityRefused("The identity provider gave no e-mail address", reason="no_email_claim")


def email_of(claims: Mapping[str, Any]) -> str:
    """EV-4: ``email``, else ``preferred_username``, else ``upn``; raises :class:`IdentityRefused`.

    A present ``email`` that is no address is not passed over: it is what ``email_verified`` speaks of.
    """
    email = claims.get("email")
    if email is None or (isinstance(email, str) and not email.strip()):
        candidates = (claims.get("preferred_username"), claims.get("upn"))
        email = next((text for text in candidates if isinstance(text, str) and text.count("@") == 1), None)
    return plain_email(email)


def plain_email(value: object) -> str:
    """``value`` stripped and in lower case (ID-6); raises :class:`IdentityRefused` unless it is one address."""
    if not isinstance(value, str):
        raise no_email()
    email = value.strip().lower()
    local, _, domain = email.partition("@")
    if not local or not domain or "@" in domain or len(email) > MAX_EMAIL:
        raise no_email()
    if " " in email or not email.isprintable():
        raise no_email()
    return email


def display_name(value: object, email: str) -> str:
    """The name as given, without control characters; the local part of ``email`` if nothing is left."""
    name = _clean(value).strip() if isinstance(value, str) else ""
    return (name or email.partition("@")[0])[:MAX_NAME]


def avatar_url(value: object) -> str | None:
    """``value`` if it is an http or https URL of bearable length (ID-2)."""
    if not isinstance(value, str) or len(value) > MAX_AVATAR_URL or not value.isprintable() or " " in value:
        return None
    try:
        url = urlsplit(value)
        return value if url.scheme in ("http", "https") and url.hostname else None
    except ValueError:
        return None


def profile(fields: Mapping[str, object]) -> dict[str, str]:
    """The fields that are short texts, without control characters."""
    texts = {key: _clean(value) for key, value in fields.items() if isinstance(value, str)}
    return {key: text for key, text in texts.items() if 0 < len(text) <= MAX_NAME}


def _clean(text: str) -> str:
    """Without control characters and lone surrogates, which no database stores (L29)."""
    return "".join(char for char in text if unicodedata.category(char) not in ("Cc", "Cs"))
