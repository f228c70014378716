"""Service keys (``tokens.md`` §8): made once, shown once, kept as a hash, and told apart from look-alikes.

``docs/decisions/service-key-checksum.md`` says why the checksum lies inside the 43 characters.
"""

import base64
import binascii
import hashlib
import re
import secrets
from dataclasses import dataclass

PREFIX = "sk_"
LONGEST = 256
"""Longer values are refused before they are hashed; a key has 46 characters."""
RANDOM_BYTES = 28
CHECKSUM_BYTES = 4
SHAPE = re.compile(r"(?<![A-Za-z0-9])sk_[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")
"""What looks like a service key in a text. :func:`has_checksum` says whether it is one of ours."""

_PURPOSE = b"sentinel service key\0"


@dataclass(frozen=True, slots=True)
class ServiceKey:
    """A fresh key: ``plaintext`` leaves the program in one answer and nowhere else (SK-1, SK-2)."""

    plaintext: str
    hash: str
    prefix: str

    def __repr__(self) -> str:
        return f"ServiceKey({self.prefix})"


def generate() -> ServiceKey:
    """A key of 32 bytes behind ``sk_``, as 43 base64url characters: 28 random ones and their checksum (SK-1)."""
    random = secrets.token_bytes(RANDOM_BYTES)
    plaintext = PREFIX + _encoded(random + _checksum(random))
    return ServiceKey(plaintext, hash_key(plaintext), f"{plaintext[: len(PREFIX) + 4]}****")


def has_checksum(plaintext: str) -> bool:
    """Whether this is a key of ours beyond doubt: of 4,300 million look-alikes one passes by chance.

    Keys from before the checksum fail here and are as valid as ever: whether a key opens anything is for its hash
    alone to say (SK-8), so nothing that authenticates may ask this.
    """
    if not SHAPE.fullmatch(plaintext):
        return False
    text = plaintext.removeprefix(PREFIX)
    try:
        content = base64.urlsafe_b64decode(text + "=")
    except binascii.Error:
        return False
    # The last character has two bits to spare; only one of the four ways to write them is a key that was made.
    return _checksum(content[:RANDOM_BYTES]) == content[RANDOM_BYTES:] and _encoded(content) == text


def hash_key(plaintext: str) -> str:
    """The form in which keys are stored and looked up. A plain hash is enough: the key itself is random (SK-8)."""
    return hashlib.sha256(plaintext.encode("utf-8", "surrogatepass")).hexdigest()


def _checksum(random: bytes) -> bytes:
    return hashlib.sha256(_PURPOSE + random).digest()[:CHECKSUM_BYTES]


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
