"""Service keys (``tokens.md`` §8): made once, shown once, kept as a hash."""

import hashlib
import secrets
from dataclasses import dataclass

PREFIX = "sk_"
LONGEST = 256
"""Longer values are refused before they are hashed; a key has 46 characters."""


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """A fresh key: ``plaintext`` leaves the program in one answer and nowhere else (SK-1, SK-2)."""

    plaintext: str
    hash: str
    prefix: str

    def __repr__(self) -> str:
        return f"ServiceKey({self.prefix})"


def generate() -> ServiceKey:
    """A key of 32 random bytes: ``sk_`` and 43 base64url characters."""
    plaintext = PREFIX + secrets.token_urlsafe(32)
    return ServiceKey(plaintext, hash_key(plaintext), f"{plaintext[: len(PREFIX) + 4]}****")


def hash_key(plaintext: str) -> str:
    """The form in which keys are stored and looked up. A plain hash is enough: the key itself is random (SK-8)."""
    return hashlib.sha256(plaintext.encode("utf-8", "surrogatepass")).hexdigest()
