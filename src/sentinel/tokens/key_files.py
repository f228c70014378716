"""How old the signing keys are, told by their files."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from joserfc.errors import JoseError
from joserfc.jwk import RSAKey


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A public key file: the ``kid`` in it, and when it was written. The first one of a list is the current key's.

    ``kid`` and ``written_at`` are None for a file that cannot be read now.
    """

    path: Path
    kid: str | None
    written_at: datetime | None
    is_current: bool


def describe(public_path: Path, previous_paths: Sequence[Path]) -> list[KeyFile]:
    """The public key files as they lie there now, the current one first. Reads files; never raises."""
    return [
        _describe(path, is_current=not position)
        for position, path in enumerate((public_path, *previous_paths))
    ]


def preview(public_path: Path) -> str | None:
    """The beginning of a public key's PEM text, enough to tell it from another; None when it cannot be read."""
    try:
        lines = public_path.read_text(encoding="ascii").split("\n")
    except (OSError, ValueError):
        return None
    body = "".join(line.strip() for line in lines if line and not line.startswith(("-", "#")))
    # The first 44 letters say RSA and the size: they are the same for every key of one size.
    return f"{body[44:76]}…" if body else None


def _describe(path: Path, *, is_current: bool) -> KeyFile:
    try:
        kid = RSAKey.import_key(path.read_bytes()).thumbprint()
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except (OSError, ValueError, JoseError):
        return KeyFile(path, None, None, is_current)
    return KeyFile(path, kid, written, is_current)
