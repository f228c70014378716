"""Checks of the signing keys (``configuration.md`` §5, item 10)."""

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from sentinel.checklist.facts import Facts
from sentinel.checklist.finding import Finding, check, refuse, warn
from sentinel.settings import Settings
from sentinel.tokens.keyring import ALGORITHM


@check("C-11", every_mode=True)
def usable_keys(facts: Facts) -> Iterator[Finding]:
    """K-2, K-12: without keys that can be used nothing is signed, in development neither."""
    settings = facts.settings
    if settings.jwt_algorithm != ALGORITHM:
        yield refuse(
            "jwt_key_invalid",
            seen=f"JWT_ALGORITHM is {settings.jwt_algorithm[:40]!r}",
            why=f"Tokens are signed and verified with {ALGORITHM} only.",
            remedy=f"JWT_ALGORITHM={ALGORITHM}",
        )
    if facts.keys.problem:
        yield refuse(
            "jwt_key_invalid",
            seen=facts.keys.problem,
            why="Tokens can be signed and verified only with an RSA pair of 2048 bits or more that belongs together.",
            remedy=_new_pair(settings),
        )


@check("C-12")
def production_keys(facts: Facts) -> Iterator[Finding]:
    keys, settings = facts.keys, facts.settings
    why = "The key is in use where people develop, and whoever has it can sign any token."
    if keys.development:
        yield refuse(
            "dev_jwt_key", seen=keys.development, why=why, remedy=_new_pair(settings), published=True
        )
    if keys.retired_development:
        yield warn(
            "dev_jwt_key",
            seen=f"JWT_PREVIOUS_PUBLIC_KEY_PATHS: {keys.retired_development}",
            why=why,
            remedy="JWT_PREVIOUS_PUBLIC_KEY_PATHS=",
        )
    if keys.readable_by_others:
        yield warn(
            "jwt_key_permissions",
            seen=f"{settings.jwt_private_key_path} can be read by group or others",
            why="Every account of this machine that reads the private key can sign any token.",
            remedy=f"chmod 600 {_quoted(settings.jwt_private_key_path)}",
        )


def _new_pair(settings: Settings) -> str:
    """A command that makes a fresh pair where the settings look for it, or beside it when something is there."""
    private, public = settings.jwt_private_key_path, settings.jwt_public_key_path
    variables = ""
    if os.path.exists(private) or os.path.exists(public):
        private, public = _beside(private), _beside(public)
        lines = (_quoted(f"JWT_PRIVATE_KEY_PATH={private}"), _quoted(f"JWT_PUBLIC_KEY_PATH={public}"))
        variables = f" && echo {' '.join(lines)}"
    return (
        f"sentinel keys generate --private-key {_quoted(private)} --public-key {_quoted(public)}{variables}"
    )


def _beside(path: Path) -> Path:
    return path.parent / f"production-{path.name or 'key.pem'}"


def _quoted(word: object) -> str:
    return shlex.quote(str(word))
