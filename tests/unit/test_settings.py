"""``configuration.md`` §1 and §2: what is read, from where, and how a wrong value is refused."""

import base64
import os
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pydantic import SecretStr, ValidationError

from sentinel.settings import OidcProviderSettings, RateLimit, Settings, SettingsError, meanings

CANARY = "c4nary-s3cret-value"
OKTA = {
    "OIDC_PROVIDERS": "okta",
    "OIDC_OKTA_CLIENT_ID": "client",
    "OIDC_OKTA_CLIENT_SECRET": CANARY,
    "OIDC_OKTA_METADATA_URL": "https://okta.example/.well-known/openid-configuration",
}

# Every variable of §2 with its default; the values are those of the table, in the type the field has.
DEFAULTS: dict[str, Any] = {
    "DEBUG": False,
    "TIER": "all",
    "SERVICE_HOST": "127.0.0.1",
    "SERVICE_PORT": 9003,
    "WEB_CONCURRENCY": 1,
    "METRICS_PORT": 0,
    "METRICS_HOST": "127.0.0.1",
    "BASE_URL": "http://localhost:9003",
    "FRONTEND_URL": "http://localhost:3000",
    "ADMIN_URL": "http://localhost:9003/admin",
    "ADMIN_EMAILS": (),
    "DATABASE_URL": "sqlite+aiosqlite:///data/sentinel.db",
    "REDIS_URL": "",
    "REDIS_TLS_CA_CERT": None,
    "REDIS_TLS_VERIFY": "none",
    "JWT_PRIVATE_KEY_PATH": Path("keys/private.pem"),
    "JWT_PUBLIC_KEY_PATH": Path("keys/public.pem"),
    "JWT_PREVIOUS_PUBLIC_KEY_PATHS": (),
    "JWT_ALGORITHM": "RS256",
    "ACCESS_TOKEN_EXPIRE_MINUTES": 15,
    "REFRESH_TOKEN_EXPIRE_DAYS": 7,
    "ADMIN_TOKEN_EXPIRE_MINUTES": 60,
    "AUTHZ_TOKEN_EXPIRE_MINUTES": 5,
    "REFRESH_FAMILY_MAX_DAYS": 30,
    "REFRESH_REUSE_GRACE_SECONDS": 0,
    "GOOGLE_CLIENT_ID": "",
    "GOOGLE_CLIENT_SECRET": "",
    "GITHUB_CLIENT_ID": "",
    "GITHUB_CLIENT_SECRET": "",
    "ENTRA_CLIENT_ID": "",
    "ENTRA_CLIENT_SECRET": "",
    "ENTRA_TENANT_ID": "",
    "OIDC_PROVIDERS": (),
    "TEST_TRUSTED_ISSUER_PUBKEY": "",
    "TEST_TRUSTED_ISSUER": "",
    "TEST_TRUSTED_AUDIENCE": "",
    "SESSION_SECRET_KEY": "dev-only-change-me-in-production",
    "SESSION_SECRET_KEY_PREVIOUS": (),
    "COOKIE_SECURE": False,
    "ALLOWED_HOSTS": (),
    "CORS_ORIGINS": ("http://localhost:3000", "http://localhost:9101"),
    "BEHIND_PROXY": False,
    "TRUSTED_PROXY_COUNT": 1,
    "ALLOW_WORKSPACE_CREATE": True,
    "RATE_LIMIT_ENABLED": True,
    "RATE_LIMIT_DEFAULT": "120/minute",
    "RATE_LIMIT_AGGREGATE": "300/minute",
    "RATE_LIMIT_AUTH": "10/minute",
    "RATE_LIMIT_AUTH_ADMIN": "5/minute",
    "RATE_LIMIT_AUTHZ_RESOLVE": "60/minute",
    "RATE_LIMIT_READ": "60/minute",
    "RATE_LIMIT_ADMIN_WRITE": "10/minute",
    "RATE_LIMIT_SENSITIVE": "5/minute",
    "RATE_LIMIT_SERVICE": "6000/minute",
    "RATE_LIMIT_FAILED_AUTH": "30/minute",
    "SIGNALS_ENABLED": True,
    "SIGNAL_IMPOSSIBLE_TRAVEL_KMH": 900,
    "SIGNAL_STUFFING_WINDOW_MINUTES": 15,
    "SIGNAL_STUFFING_FAILURES": 10,
    "SIGNAL_STUFFING_DISTINCT_EMAILS": 5,
    "LOG_LEVEL": "INFO",
    "LOG_FORMAT": "json",
    "LOG_PII_REDACTION": True,
    "ACTIVITY_RETENTION_DAYS": 0,
    "SELF_SERVE_ENABLED": False,
    "SELF_SERVE_MAX_WORKSPACES_PER_USER": 1,
    "SELF_SERVE_MAX_CREATES_PER_HOUR": 30,
}
BOOLEANS = [name for name, default in DEFAULTS.items() if isinstance(default, bool)]
CONTAINERS_ONLY = ["POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "SENTINEL_PORT"]
SECRETS = [
    "SESSION_SECRET_KEY",
    "DATABASE_URL",
    "REDIS_URL",
    "GOOGLE_CLIENT_SECRET",
    "GITHUB_CLIENT_SECRET",
    "ENTRA_CLIENT_SECRET",
    "OIDC_OKTA_CLIENT_SECRET",
]
URLS = {"DATABASE_URL": f"postgresql+asyncpg://u:{CANARY}@db/name", "REDIS_URL": f"redis://:{CANARY}@cache/0"}


def load(**env: str) -> Settings:
    return Settings.load(env, env_file=None)


def refusal(**env: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(**env)
    return str(caught.value)


def shown(value: object) -> object:
    """A value as the table writes it: secrets revealed, limits in their written form."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value) if isinstance(value, RateLimit) else value


def secret_of(settings: Settings, name: str) -> str:
    if name == "OIDC_OKTA_CLIENT_SECRET":
        return settings.oidc[0].client_secret.get_secret_value()
    value: SecretStr = getattr(settings, name.lower())
    return value.get_secret_value()


# ── the table ──


def test_every_variable_has_the_default_of_the_table() -> None:
    settings = load()
    assert {name: shown(getattr(settings, name.lower())) for name in DEFAULTS} == DEFAULTS


def test_there_is_no_variable_beside_the_table() -> None:
    assert {name.upper() for name in Settings.model_fields} - {"OIDC"} == set(DEFAULTS)
    assert not {name.lower() for name in CONTAINERS_ONLY} & set(Settings.model_fields)


def test_every_variable_is_documented_in_one_sentence() -> None:
    texts = meanings()
    assert texts.keys() == Settings.model_fields.keys()
    assert [name for name, text in texts.items() if not text.endswith(".") or ". " in text] == []


# ── where values come from (§1.1) ──


def test_load_without_arguments_reads_the_process_environment_and_the_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in os.environ:
        if name.upper() in DEFAULTS:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("SERVICE_PORT=9010\nTIER=internal\n")
    monkeypatch.setenv("TIER", "public")
    settings = Settings.load()
    assert (settings.service_port, settings.tier) == (9010, "public")


def test_an_explicit_environment_hides_the_process_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("TIER=public\n")
    monkeypatch.setenv("TIER", "internal")
    monkeypatch.setenv("SESSION_SECRET_KEY_FILE", "/does/not/exist")
    assert load().tier == "all"
    assert Settings().tier == "all"
    assert Settings(tier="internal", debug=True).tier == "internal"


def test_names_are_case_insensitive_and_the_upper_case_one_counts() -> None:
    assert load(tIeR="public").tier == "public"
    assert load(tier="internal", TIER="public").tier == "public"
    assert load(TIER="public", tier="internal").tier == "public"


def test_unknown_names_are_ignored_in_the_environment() -> None:
    assert load(TYPO="x", OIDC="x", POSTGRES_PASSWORD="x", OIDC_OTHER_CLIENT_ID="x") == load()


def test_an_unknown_keyword_is_refused() -> None:
    with pytest.raises(ValidationError, match="debgu"):
        Settings(debgu=True)


def test_env_file_is_taken_literally(tmp_path: Path) -> None:
    file = tmp_path / "some.env"
    file.write_text(
        "\ufeff# a comment\n"
        "export debug=yes\n"
        "GOOGLE_CLIENT_ID='quoted # value'\n"
        'GITHUB_CLIENT_ID="a b"   # remark\n'
        "SESSION_SECRET_KEY=with-${HOME}-and-$dollar\n"
        "ENTRA_CLIENT_ID=\n"
        "WITHOUT_VALUE\n"
    )
    settings = Settings.load({}, env_file=file)
    assert settings.debug is True
    assert settings.google_client_id == "quoted # value"
    assert settings.github_client_id == "a b"
    assert settings.session_secret_key.get_secret_value() == "with-${HOME}-and-$dollar"
    assert settings.entra_client_id == ""


def test_a_missing_env_file_or_a_directory_of_that_name_is_fine(tmp_path: Path) -> None:
    assert Settings.load({}, env_file=tmp_path / "none.env") == load()
    assert Settings.load({}, env_file=tmp_path) == load()


def test_an_env_file_that_cannot_be_understood_is_refused_with_the_lines(tmp_path: Path) -> None:
    file = tmp_path / "bad.env"
    file.write_text(f"TIER=public\nCOOKIE SECURE=true\nSESSION_SECRET_KEY='{CANARY}\n'unbalanced\n=x\n")
    with pytest.raises(SettingsError) as caught:
        Settings.load({}, env_file=file)
    assert "line 2 cannot be understood" in str(caught.value)
    assert CANARY not in str(caught.value)
    file.write_bytes(b"TIER=\xff\n")
    with pytest.raises(SettingsError, match="UTF-8"):
        Settings.load({}, env_file=file)


# ── booleans, numbers, choices, lists (§1.2) ──


@pytest.mark.parametrize("text", ["true", "1", "yes", "TRUE", "Yes", " true "])
def test_booleans_true(text: str) -> None:
    assert load(COOKIE_SECURE=text).cookie_secure is True


@pytest.mark.parametrize("text", ["false", "0", "no", "FALSE", "No"])
def test_booleans_false(text: str) -> None:
    assert load(RATE_LIMIT_ENABLED=text).rate_limit_enabled is False


@pytest.mark.parametrize("name", BOOLEANS)
@pytest.mark.parametrize("text", ["", "on", "off", "t", "y", "n", "2", "enabled", "none"])
def test_booleans_refuse_anything_else(name: str, text: str) -> None:
    assert re.fullmatch(rf"{name}: .* is neither yes nor no; use true or false", refusal(**{name: text}))


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("SERVICE_PORT", 0, 65535),
        ("WEB_CONCURRENCY", 1, None),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", 1, 60),
        ("REFRESH_TOKEN_EXPIRE_DAYS", 1, 90),
        ("ADMIN_TOKEN_EXPIRE_MINUTES", 5, 720),
        ("AUTHZ_TOKEN_EXPIRE_MINUTES", 1, 60),
        ("REFRESH_FAMILY_MAX_DAYS", 0, None),
        ("REFRESH_REUSE_GRACE_SECONDS", 0, 60),
        ("TRUSTED_PROXY_COUNT", 1, 10),
        ("SIGNAL_IMPOSSIBLE_TRAVEL_KMH", 1, None),
        ("SIGNAL_STUFFING_WINDOW_MINUTES", 1, None),
        ("SIGNAL_STUFFING_FAILURES", 1, None),
        ("SIGNAL_STUFFING_DISTINCT_EMAILS", 1, None),
        ("ACTIVITY_RETENTION_DAYS", 0, None),
        ("SELF_SERVE_MAX_WORKSPACES_PER_USER", 0, None),
        ("SELF_SERVE_MAX_CREATES_PER_HOUR", 1, None),
    ],
)
def test_numbers_have_a_range(name: str, low: int, high: int | None) -> None:
    top = high if high is not None else 100_000
    assert getattr(load(**{name: str(low)}), name.lower()) == low
    assert getattr(load(**{name: f" {top} "}), name.lower()) == top
    assert refusal(**{name: str(low - 1)}).startswith(f"{name}: {low - 1} is out of range; give ")
    if high is not None:
        assert refusal(**{name: str(high + 1)}).startswith(f"{name}: {high + 1} is out of range; give ")


@pytest.mark.parametrize("text", ["", "x", "1.5", "1_0", "٣", "0x10", "1e3", "+5", "9" * 5000, "5 5"])
def test_numbers_are_whole_and_plain(text: str) -> None:
    message = refusal(WEB_CONCURRENCY=text)
    assert message.startswith("WEB_CONCURRENCY: ")
    assert "is not a number; give a whole number of 1 or more" in message
    assert len(message) < 200


@pytest.mark.parametrize("value", [True, 1.5, None])
def test_numbers_given_as_keywords_are_checked_too(value: object) -> None:
    with pytest.raises(ValidationError):
        Settings(web_concurrency=value)


@pytest.mark.parametrize("tier", ["all", "public", "internal"])
def test_C_20_known_tiers(tier: str) -> None:
    assert load(TIER=tier.upper()).tier == tier


@pytest.mark.parametrize("debug", ["true", "false"])
@pytest.mark.parametrize("tier", ["", "admin", "public,internal", "*"])
def test_C_20_an_unknown_tier_is_refused_in_every_mode(tier: str, debug: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(TIER=tier, DEBUG=debug)
    (problem,) = caught.value.problems
    assert (problem.variable, problem.reason) == ("TIER", "bad_tier")


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("REDIS_TLS_VERIFY", ["none", "required", "REQUIRED"], ["", "optional", "true"]),
        ("LOG_LEVEL", ["debug", "INFO", "Warning", "ERROR", "CRITICAL"], ["", "TRACE", "WARN", "10"]),
        ("LOG_FORMAT", ["json", "console", "JSON"], ["", "text", "logfmt"]),
    ],
)
def test_choices(name: str, good: list[str], bad: list[str]) -> None:
    for text in good:
        assert str(getattr(load(**{name: text}), name.lower())).lower() == text.lower()
    for text in bad:
        assert refusal(**{name: text}).startswith(f"{name}: {text!r} is not known; use one of ")


def test_lists_are_trimmed_and_empty_items_dropped() -> None:
    settings = load(
        CORS_ORIGINS=" https://a.example , ,https://b.example,, ",
        JWT_PREVIOUS_PUBLIC_KEY_PATHS="keys/a.pem, keys/b.pem,",
        SESSION_SECRET_KEY_PREVIOUS=f"{CANARY}-1, {CANARY}-2",
    )
    assert settings.cors_origins == ("https://a.example", "https://b.example")
    assert settings.jwt_previous_public_key_paths == (Path("keys/a.pem"), Path("keys/b.pem"))
    assert [key.get_secret_value() for key in settings.session_secret_key_previous] == [
        f"{CANARY}-1",
        f"{CANARY}-2",
    ]
    assert load(CORS_ORIGINS=" , ").cors_origins == ()


def test_admin_emails_are_lower_case_and_unique() -> None:
    assert load(ADMIN_EMAILS="Ann@Example.com, bob@example.com,ANN@example.com").admin_emails == (
        "ann@example.com",
        "bob@example.com",
    )
    assert Settings(admin_emails=["A@x.io"]).admin_emails == ("a@x.io",)


@pytest.mark.parametrize("text", ["ann", "ann@", "@example.com", "a@b@c", "a@x.io b@x.io", "a@x.io;b@x.io"])
def test_admin_emails_must_be_addresses(text: str) -> None:
    message = refusal(ADMIN_EMAILS=f"good@example.com,{text}")
    assert message == "ADMIN_EMAILS: entry 2 is not an e-mail address; separate addresses by commas"


# ── URLs (§1.5) ──


@pytest.mark.parametrize("name", ["BASE_URL", "FRONTEND_URL", "ADMIN_URL"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://auth.example.com", "https://auth.example.com"),
        ("https://auth.example.com/", "https://auth.example.com"),
        ("https://auth.example.com//", "https://auth.example.com"),
        (" https://auth.example.com/auth-service/ ", "https://auth.example.com/auth-service"),
        ("HTTPS://Auth.Example.COM/Path", "https://auth.example.com/Path"),
        ("http://sentinel:9003/a/b.c~d_e-f", "http://sentinel:9003/a/b.c~d_e-f"),
        ("http://[::1]:9003", "http://[::1]:9003"),
        ("http://my_service", "http://my_service"),
    ],
)
def test_urls_lose_the_trailing_slash_and_keep_the_path(name: str, text: str, expected: str) -> None:
    assert getattr(load(**{name: text}), name.lower()) == expected


@pytest.mark.parametrize("name", ["BASE_URL", "FRONTEND_URL", "ADMIN_URL"])
@pytest.mark.parametrize(
    "text",
    [
        "auth.example.com",
        "//auth.example.com",
        "ftp://auth.example.com",
        "https://",
        "https:///path",
        "https:auth.example.com",
        "https://auth.example.com?",
        "https://auth.example.com?a=b",
        "https://auth.example.com/#",
        "https://auth.example.com/#top",
        f"https://user:{CANARY}@auth.example.com",
        f"https://{CANARY}@auth.example.com",
        "https://auth.example.com:0",
        "https://auth.example.com:",
        "https://auth.example.com:99999",
        "https://auth.example.com:http",
        "https://auth example.com",
        "https://auth.example.com/a b",
        "https://auth.example.com\\path",
        "https://auth.example.com\tx",
        "https://bücher.example",
        "https://-.-",
        "https://auth.example.com/a//b",
        "https://auth.example.com/a/../b",
        "https://auth.example.com/.",
        "https://auth.example.com/a%2fb",
        "https://[::1",
        "*",
    ],
)
def test_urls_that_are_refused(name: str, text: str) -> None:
    message = refusal(**{name: text})
    assert message.startswith(f"{name}: ")
    assert CANARY not in message
    assert "\n" not in message


def test_an_empty_url_is_refused_except_for_the_admin_url() -> None:
    assert refusal(BASE_URL="").startswith("BASE_URL: is empty")
    assert refusal(FRONTEND_URL=" ").startswith("FRONTEND_URL: is empty")
    assert load(ADMIN_URL="", BASE_URL="https://a.example/x/").admin_url == "https://a.example/x/admin"


def test_the_admin_url_defaults_to_the_base_url() -> None:
    assert load(BASE_URL="https://a.example/").admin_url == "https://a.example/admin"
    assert load(BASE_URL="https://a.example", ADMIN_URL="https://b.example/").admin_url == "https://b.example"


@pytest.mark.parametrize("name", ["SERVICE_HOST", "JWT_PRIVATE_KEY_PATH", "JWT_PUBLIC_KEY_PATH"])
def test_values_that_must_not_be_empty(name: str) -> None:
    assert refusal(**{name: " "}).startswith(f"{name}: is empty; ")


# ── allowed hosts ──


def test_R4_allowed_hosts_are_lower_case_names() -> None:
    settings = load(ALLOWED_HOSTS="Auth.Example.com, localhost,10.0.0.1,[::1],auth.example.com")
    assert settings.allowed_hosts == ("auth.example.com", "localhost", "10.0.0.1", "[::1]")
    assert settings.effective_allowed_hosts == settings.allowed_hosts


def test_R4_effective_hosts_are_derived_from_the_urls() -> None:
    env = {"BASE_URL": "https://Auth.example.com:8443/x", "ADMIN_URL": "https://panel.example.com"}
    assert load(**env).effective_allowed_hosts == ("auth.example.com", "panel.example.com")
    assert load(BASE_URL="https://auth.example.com").effective_allowed_hosts == ("auth.example.com",)
    assert load(BASE_URL="http://[::1]:9003").effective_allowed_hosts == ("[::1]",)
    assert load(ALLOWED_HOSTS="*").effective_allowed_hosts == ("*",)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("auth.example.com:443", "has a port"),
        ("[::1]:9003", "has a port"),
        ("*.example.com", "is a pattern"),
        ("https://auth.example.com", "not a host name"),
        ("auth.example.com/x", "not a host name"),
        (f"user:{CANARY}@auth.example.com", "not a host name"),
        ("auth.example.com.", "not a host name"),
        ("a b", "not a host name"),
    ],
)
def test_R4_entries_that_are_no_host_name_are_refused(entry: str, said: str) -> None:
    message = refusal(ALLOWED_HOSTS=f"good.example.com,{entry}")
    assert message.startswith("ALLOWED_HOSTS: ")
    assert said in message
    assert CANARY not in message


# ── database and Redis ──


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "sqlite+aiosqlite:///data/sentinel.db"),
        (" ", "sqlite+aiosqlite:///data/sentinel.db"),
        ("postgres://u:p@db:5432/n", "postgresql+asyncpg://u:p@db:5432/n"),
        ("postgresql://u:p@db/n", "postgresql+asyncpg://u:p@db/n"),
        ("postgresql+asyncpg://u:p@db/n", "postgresql+asyncpg://u:p@db/n"),
        ("postgres://u:p%40%2Fx@db/n", "postgresql+asyncpg://u:p%40%2Fx@db/n"),
        ("postgresql://u:p@db/n?ssl=require", "postgresql+asyncpg://u:p@db/n?ssl=require"),
        ("postgresql://u:p@db/n?sslmode=verify-full", "postgresql+asyncpg://u:p@db/n?ssl=verify-full"),
        ("postgres://u:p@db/n?sslmode=require&ssl=require", "postgresql+asyncpg://u:p@db/n?ssl=require"),
        ("postgresql:///n?host=%2Frun%2Fpg", "postgresql+asyncpg:///n?host=%2Frun%2Fpg"),
        ("sqlite+aiosqlite:////srv/sentinel.db", "sqlite+aiosqlite:////srv/sentinel.db"),
        ("sqlite+aiosqlite://", "sqlite+aiosqlite://"),
    ],
)
def test_database_urls_are_normalised(text: str, expected: str) -> None:
    settings = load(DATABASE_URL=text)
    assert settings.database_url.get_secret_value() == expected
    assert settings.is_sqlite is expected.startswith("sqlite")
    assert Settings(database_url=SecretStr(text)).database_url == settings.database_url


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"mysql://u:{CANARY}@db/n", "scheme that is not supported"),
        (f"postgresql+psycopg://u:{CANARY}@db/n", "scheme that is not supported"),
        ("sqlite:///x.db", "scheme that is not supported"),
        (CANARY, "scheme that is not supported"),
        (f"postgresql://u:{CANARY}@db:port/n", "not a database URL"),
        (f"postgresql://u:{CANARY}@db/n?ssl=true", "unknown TLS option"),
        (f"postgresql://u:{CANARY}@db/n?sslmode=yes", "unknown TLS option"),
        (f"postgresql://u:{CANARY}@db/n?ssl=require&sslmode=disable", "unknown TLS option"),
        (f"postgresql://u:{CANARY}@db/n?ssl=require&ssl=disable", "unknown TLS option"),
    ],
)
def test_L27_a_refused_database_url_is_never_shown(text: str, said: str) -> None:
    message = refusal(DATABASE_URL=text)
    assert message.startswith("DATABASE_URL: ")
    assert said in message
    assert CANARY not in message


@pytest.mark.parametrize(
    "text", ["", "redis://cache", "redis://:p@cache:6379/0", "rediss://u:p@[::1]:6380/1"]
)
def test_redis_urls_are_kept(text: str) -> None:
    assert load(REDIS_URL=text).redis_url.get_secret_value() == text
    assert bool(load(REDIS_URL=text).redis_url) is bool(text)


@pytest.mark.parametrize(
    "text",
    [
        f"http://:{CANARY}@cache",
        CANARY,
        "redis://",
        f"redis://:{CANARY}@cache:port",
        f"redis://:a/{CANARY}@cache",
    ],
)
def test_L27_a_refused_redis_url_is_never_shown(text: str) -> None:
    message = refusal(REDIS_URL=text)
    assert message.startswith("REDIS_URL: is not a Redis URL; ")
    assert CANARY not in message


# ── secrets from files (§1.4) ──


def settings_with(name: str, value: str, tmp_path: Path) -> dict[str, str]:
    """An environment in which ``name`` comes from a file that holds ``value``."""
    file = tmp_path / "secret"
    file.write_text(value)
    base = {key: text for key, text in OKTA.items() if key != name} if name.startswith("OIDC") else {}
    return base | {f"{name}_FILE": str(file)}


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_may_come_from_a_file(name: str, ending: str, tmp_path: Path) -> None:
    value = URLS.get(name, f" {CANARY} with blanks")
    settings = load(**settings_with(name, value + ending, tmp_path))
    assert secret_of(settings, name) == (value.strip() if name.startswith("OIDC") else value)


def test_previous_session_keys_may_come_from_a_file(tmp_path: Path) -> None:
    settings = load(**settings_with("SESSION_SECRET_KEY_PREVIOUS", "first,second\n", tmp_path))
    assert [key.get_secret_value() for key in settings.session_secret_key_previous] == ["first", "second"]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_file_that_cannot_be_read_is_refused_naming_the_variable(name: str, tmp_path: Path) -> None:
    base = {key: text for key, text in OKTA.items() if key != name} if name.startswith("OIDC") else {}
    for path in (tmp_path / "missing" / CANARY, tmp_path):
        message = refusal(**base, **{f"{name}_FILE": str(path)})
        assert message.startswith(f"{name}_FILE: names a file that cannot be read")
        assert "\n" not in message
        assert CANARY not in message


def test_a_secret_file_must_hold_text(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"\xff\xfe\x00")
    assert refusal(DATABASE_URL_FILE=str(file)).startswith(
        "DATABASE_URL_FILE: names a file that cannot be read"
    )
    file.write_text("\n")
    assert refusal(DATABASE_URL_FILE=str(file)).startswith("DATABASE_URL_FILE: names an empty file")


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_given_twice_is_refused(name: str, tmp_path: Path) -> None:
    env = settings_with(name, URLS.get(name, CANARY), tmp_path) | {name: URLS.get(name, CANARY)}
    message = refusal(**env)
    assert message == f"{name}_FILE: is set beside {name}; remove one of them"


def test_an_empty_value_does_not_stand_in_the_way_of_a_file(tmp_path: Path) -> None:
    env = settings_with("SESSION_SECRET_KEY", CANARY, tmp_path) | {"SESSION_SECRET_KEY": ""}
    assert load(**env).session_secret_key.get_secret_value() == CANARY
    assert load(SESSION_SECRET_KEY_FILE="", SESSION_SECRET_KEY=CANARY).session_secret_key


def test_what_is_no_secret_has_no_file_form(tmp_path: Path) -> None:
    assert (
        load(**settings_with("BASE_URL", "https://a.example", tmp_path)).base_url == "http://localhost:9003"
    )


# ── providers ──


def test_oidc_providers_keep_their_order_and_get_a_label() -> None:
    settings = load(
        OIDC_PROVIDERS=" my_dex , okta",
        OIDC_MY_DEX_CLIENT_ID="dex-client",
        OIDC_MY_DEX_CLIENT_SECRET="dex-secret",
        OIDC_MY_DEX_METADATA_URL="http://dex:5556/.well-known/openid-configuration?p=1",
        **{key: value for key, value in OKTA.items() if key != "OIDC_PROVIDERS"},
        OIDC_OKTA_LABEL="Company login",
    )
    assert settings.oidc == (
        OidcProviderSettings(
            "my_dex",
            "dex-client",
            SecretStr("dex-secret"),
            "http://dex:5556/.well-known/openid-configuration?p=1",
            "My Dex",
        ),
        OidcProviderSettings(
            "okta", "client", SecretStr(CANARY), OKTA["OIDC_OKTA_METADATA_URL"], "Company login"
        ),
    )
    assert CANARY not in repr(settings.oidc)


def test_oidc_providers_may_be_given_as_objects() -> None:
    oidc = load(**OKTA).oidc
    settings = Settings(oidc=oidc)
    assert (settings.oidc, settings.oidc_providers) == (oidc, ("okta",))
    with pytest.raises(ValidationError, match="does not match OIDC_PROVIDERS"):
        Settings(oidc=oidc, oidc_providers="other")


@pytest.mark.parametrize("part", ["CLIENT_ID", "CLIENT_SECRET", "METADATA_URL"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_an_incomplete_oidc_provider_is_refused_naming_the_variable(part: str, value: str | None) -> None:
    name = f"OIDC_OKTA_{part}"
    env = {key: text for key, text in OKTA.items() if key != name} | (
        {name: value} if value is not None else {}
    )
    assert refusal(**env) == f"{name}: is missing; set it, or take 'okta' out of OIDC_PROVIDERS"


@pytest.mark.parametrize("name", ["Okta", "1okta", "_okta", "my-okta", "ok.ta", "öidc", "google", "github"])
def test_oidc_provider_names_are_checked(name: str) -> None:
    assert refusal(OIDC_PROVIDERS=name).startswith(f"OIDC_PROVIDERS: {name!r} is ")


@pytest.mark.parametrize("name", ["google", "github", "entra_id", "test_oidc", "admin"])
def test_oidc_provider_names_of_our_own_are_reserved(name: str) -> None:
    assert "a name of the service's own" in refusal(OIDC_PROVIDERS=name)


def test_oidc_provider_names_are_unique() -> None:
    assert refusal(**OKTA | {"OIDC_PROVIDERS": "okta,okta"}).startswith(
        "OIDC_PROVIDERS: names a provider twice"
    )


@pytest.mark.parametrize(
    "url", ["okta.example", "ftp://okta.example", f"https://u:{CANARY}@okta.example", "https://o/#x"]
)
def test_oidc_metadata_url_is_checked(url: str) -> None:
    message = refusal(**OKTA | {"OIDC_OKTA_METADATA_URL": url})
    assert message.startswith("OIDC_OKTA_METADATA_URL: ")
    assert CANARY not in message


@pytest.mark.parametrize("debug", ["true", "false"])
@pytest.mark.parametrize("tenant", ["common", "organizations", "consumers", " Common "])
def test_C_22_a_multi_tenant_entra_id_is_refused_in_every_mode(tenant: str, debug: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(ENTRA_TENANT_ID=tenant, DEBUG=debug)
    (problem,) = caught.value.problems
    assert (problem.variable, problem.reason) == ("ENTRA_TENANT_ID", "entra_multi_tenant")


def test_one_entra_tenant_is_taken() -> None:
    assert load(ENTRA_TENANT_ID=" contoso.example ").entra_tenant_id == "contoso.example"


@pytest.fixture(scope="module")
def public_pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_C_19_the_test_issuer_key_is_pem_or_base64_of_it(public_pem: str) -> None:
    rest = {"TEST_TRUSTED_ISSUER": "https://test.example", "TEST_TRUSTED_AUDIENCE": "sentinel"}
    for text in (public_pem, base64.b64encode(public_pem.encode()).decode()):
        settings = load(TEST_TRUSTED_ISSUER_PUBKEY=text, **rest)
        assert settings.test_trusted_issuer_pubkey == public_pem.strip()


@pytest.mark.parametrize("given", ["PUBKEY", "ISSUER", "AUDIENCE", "no PUBKEY", "no ISSUER", "no AUDIENCE"])
def test_C_19_the_test_issuer_is_whole_or_absent(public_pem: str, given: str) -> None:
    values = {"ISSUER_PUBKEY": public_pem, "ISSUER": "https://test.example", "AUDIENCE": "sentinel"}
    wanted = given.removeprefix("no ").replace("PUBKEY", "ISSUER_PUBKEY")
    missing = {wanted} if given.startswith("no ") else set(values) - {wanted}
    message = refusal(**{f"TEST_TRUSTED_{key}": value for key, value in values.items() if key not in missing})
    assert {line.partition(":")[0] for line in message.splitlines()} == {
        f"TEST_TRUSTED_{key}" for key in missing
    }
    assert "is missing; set all three" in message


def test_C_19_the_test_issuer_key_must_be_a_public_key() -> None:
    private = (
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        .decode()
    )
    for text in (
        private,
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        "not base64!",
        "QUJD",
    ):
        message = refusal(TEST_TRUSTED_ISSUER_PUBKEY=text, TEST_TRUSTED_ISSUER="x", TEST_TRUSTED_AUDIENCE="y")
        assert message.startswith("TEST_TRUSTED_ISSUER_PUBKEY: ")
        assert message.count("\n") == 0
        assert private.splitlines()[1] not in message


# ── rate limits ──

LIMITS = [name for name in DEFAULTS if name.startswith("RATE_LIMIT_") and name != "RATE_LIMIT_ENABLED"]
MAY_BE_OFF = ["RATE_LIMIT_DEFAULT", "RATE_LIMIT_AGGREGATE"]


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize(("per", "seconds"), [("second", 1), ("minute", 60), ("hour", 3600), ("day", 86400)])
def test_rate_limits_are_parsed(name: str, per: str, seconds: int) -> None:
    limit = getattr(load(**{name: f" 7/{per} "}), name.lower())
    assert limit == RateLimit(7, per)
    assert (limit.seconds, str(limit)) == (seconds, f"7/{per}")
    assert getattr(Settings(**{name.lower(): limit}), name.lower()) is limit


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize(
    "text",
    [
        "0/minute",
        "-1/minute",
        "1/week",
        "1/minutes",
        "1/Minute",
        "1",
        "/minute",
        "1/",
        "1.5/minute",
        "1 / minute",
        "1/1/minute",
        "10 per minute",
        "1/minute;2/hour",
        "1/minute\n2/hour",
        "9999999999/minute",
        "off",
        "٣/minute",
    ],
)
def test_rate_limits_that_are_malformed_are_refused(name: str, text: str) -> None:
    message = refusal(**{name: text})
    assert message.startswith(f"{name}: ")
    assert message.endswith("write <n>/<second|minute|hour|day>, such as 60/minute")
    assert "\n" not in message


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("debug", ["true", "false"])
def test_only_the_default_limits_may_be_empty(name: str, debug: str) -> None:
    if name in MAY_BE_OFF:
        assert getattr(load(**{name: "", "DEBUG": debug}), name.lower()) is None
        assert getattr(Settings(**{name.lower(): None}), name.lower()) is None
    else:
        assert refusal(**{name: "", "DEBUG": debug}).startswith(f"{name}: '' is not a rate limit")


def test_rate_limits_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        RateLimit(1, "minute").count = 2  # type: ignore[misc]


# ── all problems at once, and never a secret ──


def test_every_problem_is_told_at_once() -> None:
    message = refusal(
        DEBUG="on",
        TIER="x",
        BASE_URL="nowhere",
        DATABASE_URL="mysql://x",
        OIDC_PROVIDERS="okta,dex",
        TEST_TRUSTED_ISSUER="x",
        RATE_LIMIT_AUTH="",
        WEB_CONCURRENCY="0",
        REDIS_URL_FILE="/does/not/exist",
    )
    assert sorted(line.partition(": ")[0] for line in message.splitlines()) == [
        "BASE_URL",
        "DATABASE_URL",
        "DEBUG",
        "OIDC_DEX_CLIENT_ID",
        "OIDC_DEX_CLIENT_SECRET",
        "OIDC_DEX_METADATA_URL",
        "OIDC_OKTA_CLIENT_ID",
        "OIDC_OKTA_CLIENT_SECRET",
        "OIDC_OKTA_METADATA_URL",
        "RATE_LIMIT_AUTH",
        "REDIS_URL_FILE",
        "TEST_TRUSTED_AUDIENCE",
        "TEST_TRUSTED_ISSUER_PUBKEY",
        "TIER",
        "WEB_CONCURRENCY",
    ]
    assert all("; " in line for line in message.splitlines()), "each line says how to mend it"


def test_L27_settings_never_show_a_secret() -> None:
    settings = load(
        **OKTA,
        **URLS,
        SESSION_SECRET_KEY=CANARY,
        SESSION_SECRET_KEY_PREVIOUS=CANARY,
        GOOGLE_CLIENT_SECRET=CANARY,
        GITHUB_CLIENT_SECRET=CANARY,
        ENTRA_CLIENT_SECRET=CANARY,
    )
    for text in (repr(settings), str(settings), f"{settings!r:}", repr(settings.model_dump())):
        assert CANARY not in text
    assert CANARY not in settings.model_dump_json()


def test_L27_a_refusal_carries_no_secret_in_its_causes() -> None:
    with pytest.raises(SettingsError) as caught:
        load(**OKTA, **URLS, SESSION_SECRET_KEY=CANARY, TIER="x")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    with pytest.raises(ValidationError) as invalid:
        Settings(database_url=f"mysql://u:{CANARY}@db", google_client_secret=[CANARY])
    assert CANARY not in str(invalid.value)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        load().debug = True  # type: ignore[misc]


def test_the_algorithm_is_kept_as_given() -> None:
    """C-11 refuses it at start, together with the keys; parsing does not."""
    assert load(JWT_ALGORITHM="HS256").jwt_algorithm == "HS256"
