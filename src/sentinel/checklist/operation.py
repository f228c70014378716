"""Checks of what is running: log, apps, sign-in providers, admins; and two warnings beyond the numbered list."""

from collections.abc import Iterator

from pydantic import SecretStr

from sentinel.checklist.facts import Facts
from sentinel.checklist.finding import Finding, check, refuse, warn
from sentinel.settings import Settings

LONG_AUTHZ_MINUTES = 15

PROVIDER = (
    "GOOGLE_CLIENT_ID=<client id> and GOOGLE_CLIENT_SECRET=<client secret>, or those of another provider"
)


def sign_in_providers(settings: Settings) -> list[str]:
    """The providers that people can sign in through, as ``GET /auth/providers`` lists them."""
    return [name for name, parts in _providers(settings).items() if all(parts.values())]


def _providers(settings: Settings) -> dict[str, dict[str, bool]]:
    """Provider -> its variables -> whether each is set. ``test_oidc`` is no provider to sign in through."""
    needed: dict[str, dict[str, str | SecretStr]] = {
        "google": {
            "GOOGLE_CLIENT_ID": settings.google_client_id,
            "GOOGLE_CLIENT_SECRET": settings.google_client_secret,
        },
        "github": {
            "GITHUB_CLIENT_ID": settings.github_client_id,
            "GITHUB_CLIENT_SECRET": settings.github_client_secret,
        },
        "entra_id": {
            "ENTRA_CLIENT_ID": settings.entra_client_id,
            "ENTRA_CLIENT_SECRET": settings.entra_client_secret,
            "ENTRA_TENANT_ID": settings.entra_tenant_id,
        },
    }
    found = {
        name: {variable: bool(_plain(value)) for variable, value in parts.items()}
        for name, parts in needed.items()
    }
    # An incomplete OIDC issuer does not pass the settings.
    return found | {issuer.name: {"OIDC_PROVIDERS": True} for issuer in settings.oidc}


def _plain(value: str | SecretStr) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


@check("C-17")
def redaction(facts: Facts) -> Iterator[Finding]:
    if not facts.settings.log_pii_redaction:
        yield refuse(
            "pii_redaction_disabled",
            seen="LOG_PII_REDACTION is false",
            why="Names and addresses of people go to wherever the log goes.",
            remedy="LOG_PII_REDACTION=true",
        )


@check("C-18")
def service_apps(facts: Facts) -> Iterator[Finding]:
    """R2b: keys are made in the panel or by command, never by an environment variable."""
    if facts.database.active_service_app is False:
        yield warn(
            "no_active_service_app",
            seen="the database has no active service app"
            if facts.database.migrated
            else "the database has no tables yet, and so no active service app",
            why="In production every endpoint that takes a service key answers 401 until there is one.",
            remedy="sentinel apps create --name Documents --service-name documents",
        )


@check("C-19")
def trusted_test_issuer(facts: Facts) -> Iterator[Finding]:
    names = ("test_trusted_issuer_pubkey", "test_trusted_issuer", "test_trusted_audience")
    given = [name.upper() for name in names if getattr(facts.settings, name)]
    if given:
        yield refuse(
            "test_idp_enabled",
            seen=f"set: {', '.join(given)}",
            why="Whoever holds the key of the test issuer can be anybody.",
            remedy=f"unset {' '.join(given)}",
        )


@check("C-21")
def providers(facts: Facts) -> Iterator[Finding]:
    if facts.settings.tier == "internal" or sign_in_providers(facts.settings):
        return
    missing = [
        variable
        for parts in _providers(facts.settings).values()
        if any(parts.values())
        for variable, given in parts.items()
        if not given
    ]
    yield warn(
        "no_providers",
        seen="no sign-in provider is configured" + (f"; missing: {', '.join(missing)}" if missing else ""),
        why="Nobody can sign in, to the admin panel neither.",
        remedy=PROVIDER,
    )


@check("C-23")
def admins(facts: Facts) -> Iterator[Finding]:
    if facts.database.active_admin is False and not facts.settings.admin_emails:
        yield warn(
            "no_admin",
            seen="there is no active admin and ADMIN_EMAILS is empty",
            why="Nobody can open the admin panel.",
            remedy="ADMIN_EMAILS=you@example.com",
        )


# The X range is not part of the numbered list: the tables of configuration.md §2 ask for these two warnings and
# give them no number.


@check("X-1")
def authz_lifetime(facts: Facts) -> Iterator[Finding]:
    minutes = facts.settings.authz_token_expire_minutes
    if minutes > LONG_AUTHZ_MINUTES:
        yield warn(
            "authz_token_long",
            seen=f"AUTHZ_TOKEN_EXPIRE_MINUTES is {minutes}",
            why="An authorization token states roles as they were when it was made, and is believed until it ends.",
            remedy="AUTHZ_TOKEN_EXPIRE_MINUTES=5",
        )


@check("X-2")
def self_serve(facts: Facts) -> Iterator[Finding]:
    if facts.settings.self_serve_enabled and not sign_in_providers(facts.settings):
        yield warn(
            "self_serve_no_provider",
            seen="SELF_SERVE_ENABLED is true and no sign-in provider is configured",
            why="Self-serve begins with signing in, which nobody can.",
            remedy=f"{PROVIDER}; or SELF_SERVE_ENABLED=false",
        )
