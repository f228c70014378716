"""The files of a development installation: keys, secrets and the sample applications' credentials in one folder.

Nothing in it is fit for production, and production refuses it: the signing key is marked as a development key.
"""

import json
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import RSAKey

from sentinel.settings import Settings
from sentinel.tokens.keyring import generate_pair, write_private

PROVIDER = "dev"
NOTES = "dev.json"
FROM_ENVIRONMENT = ("GOOGLE_", "GITHUB_", "ENTRA_", "LOG_")
"""The only variables that development takes from the environment: never a database or a key of elsewhere."""


class NotADevelopmentFolder(Exception):
    """The folder holds something, but nothing that ``sentinel dev`` has made."""


@dataclass
class Notes:
    """What has to survive a restart. Ids and the service key are filled in when the sample data is made.

    The provider knows two clients: Sentinel itself, and the sample application, which signs people in on its own
    when it works in authz mode.
    """

    session_secret: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    idp_client_id: str = "sentinel"
    idp_client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    app_client_id: str = "team-notes"
    app_client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    service_key: str = field(default="", repr=False)
    login_app_id: str = ""
    base_url: str = ""


@dataclass(frozen=True)
class Installation:
    """A development installation in ``folder``, answering at ``base_url``."""

    folder: Path
    base_url: str
    notes: Notes
    settings: Settings
    idp_key: RSAKey

    @property
    def idp_issuer(self) -> str:
        return f"{self.base_url}/dev/idp"

    @property
    def redirect_uri(self) -> str:
        return f"{self.base_url}/dev/app/callback"

    def save(self) -> None:
        """Write the notes, readable by their owner alone."""
        path = self.folder / NOTES
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        write_private(fresh, json.dumps(asdict(self.notes), indent=2).encode())
        fresh.replace(path)


def open_installation(
    folder: Path, *, host: str, port: int, environment: Mapping[str, str] | None = None
) -> Installation:
    """Open the installation in ``folder``, or make a new one there.

    ``environment`` may bring settings of real providers (Google, GitHub, Entra ID) and of the log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    notes = read_notes(folder) or Notes()
    notes.base_url = f"http://localhost:{port}"
    private, public = folder / "keys" / "private.pem", folder / "keys" / "public.pem"
    if not private.exists():
        public.unlink(missing_ok=True)
        generate_pair(private, public, bits=2048, development=True)
    installation = Installation(
        folder=folder,
        base_url=notes.base_url,
        notes=notes,
        settings=_settings(folder, notes, host, port, environment or {}),
        idp_key=_idp_key(folder / "keys" / "idp.pem"),
    )
    installation.save()
    return installation


def read_notes(folder: Path) -> Notes | None:
    """The notes of an installation, None where there is none."""
    try:
        found: dict[str, Any] = json.loads((folder / NOTES).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    known = asdict(Notes())
    return Notes(**{key: str(value) for key, value in found.items() if key in known})


def reset(folder: Path) -> None:
    """Delete a development installation: its database, keys and notes, and nothing else.

    Raises :class:`NotADevelopmentFolder` when the folder has a database without our notes beside it.
    """
    if not (folder / NOTES).exists():
        if (folder / "sentinel.db").exists():
            raise NotADevelopmentFolder(
                f"{folder} holds a database that 'sentinel dev' did not make; choose another folder with --data"
            )
        return
    for path in (*folder.glob("sentinel.db*"), folder / NOTES):
        path.unlink(missing_ok=True)
    shutil.rmtree(folder / "keys", ignore_errors=True)


def _settings(folder: Path, notes: Notes, host: str, port: int, environment: Mapping[str, str]) -> Settings:
    chosen = {name: value for name, value in environment.items() if name.upper().startswith(FROM_ENVIRONMENT)}
    defaults = {"LOG_FORMAT": "console", "LOG_LEVEL": "INFO"}
    return Settings.load(
        env={
            **defaults,
            **chosen,
            "DEBUG": "true",
            "SERVICE_HOST": host,
            "SERVICE_PORT": str(port),
            "BASE_URL": notes.base_url,
            "DATABASE_URL": f"sqlite+aiosqlite:///{(folder / 'sentinel.db').absolute()}",
            "JWT_PRIVATE_KEY_PATH": str(folder / "keys" / "private.pem"),
            "JWT_PUBLIC_KEY_PATH": str(folder / "keys" / "public.pem"),
            "SESSION_SECRET_KEY": notes.session_secret,
            "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
            "RATE_LIMIT_AUTH": "60/minute",
            "OIDC_PROVIDERS": PROVIDER,
            "OIDC_DEV_CLIENT_ID": notes.idp_client_id,
            "OIDC_DEV_CLIENT_SECRET": notes.idp_client_secret,
            "OIDC_DEV_METADATA_URL": f"{notes.base_url}/dev/idp/.well-known/openid-configuration",
            "OIDC_DEV_LABEL": "Sample people",
        },
        env_file=None,
    )


def _idp_key(path: Path) -> RSAKey:
    if not path.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write_private(path, pem)
    return RSAKey.import_key(path.read_bytes())
