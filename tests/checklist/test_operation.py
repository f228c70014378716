"""C-17 to C-23 of ``configuration.md`` §3, the two warnings beyond the list, and the modes of judging."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from sentinel import checklist
from sentinel.checklist.operation import sign_in_providers
from sentinel.core.clock import Clock
from sentinel.core.outbound import Outbound
from sentinel.providers import Providers
from sentinel.settings import Settings, SettingsError

from .conftest import Pair, add, found, judged, load, person, reasons, service_app

pytestmark = pytest.mark.anyio

Variables = Mapping[str, str]

NO_PROVIDER = {"GOOGLE_CLIENT_ID": "", "GOOGLE_CLIENT_SECRET": ""}
OKTA = {
    "OIDC_PROVIDERS": "okta",
    "OIDC_OKTA_CLIENT_ID": "client",
    "OIDC_OKTA_CLIENT_SECRET": "secret",
    "OIDC_OKTA_METADATA_URL": "https://okta.example/.well-known/openid-configuration",
}


async def test_a_configuration_ready_for_production_has_no_finding(production: Variables) -> None:
    assert await found(production) == []
    assert all(satisfied for _, _, satisfied in checklist.summary([], load(production)))


def test_C_17_redaction_off() -> None:
    findings = judged(Settings(log_pii_redaction=False))
    assert ("pii_redaction_disabled", "refuse") in {(one.reason, one.verdict) for one in findings}
    assert "C-17" not in {one.id for one in judged(Settings())}


async def test_C_19_test_issuer(production: Variables, pair: Pair) -> None:
    [one] = await found(
        production,
        TEST_TRUSTED_ISSUER_PUBKEY=pair.public.read_text(),
        TEST_TRUSTED_ISSUER="https://test.example",
        TEST_TRUSTED_AUDIENCE="tests",
    )
    assert (one.id, one.reason, one.verdict) == ("C-19", "test_idp_enabled", "refuse")
    assert "TEST_TRUSTED_AUDIENCE" in one.seen and "BEGIN" not in one.seen


@pytest.mark.parametrize("debug", ["true", "false"])
@pytest.mark.parametrize(
    ("change", "id", "reason"),
    [
        ({"TIER": "edge"}, "C-20", "bad_tier"),
        ({"ENTRA_TENANT_ID": "common"}, "C-22", "entra_multi_tenant"),
        ({"ENTRA_TENANT_ID": "organizations"}, "C-22", "entra_multi_tenant"),
        ({"ENTRA_TENANT_ID": "consumers"}, "C-22", "entra_multi_tenant"),
        ({"RATE_LIMIT_READ": ""}, "X-3", "invalid_value"),
    ],
)
def test_C_20_and_C_22_refused_in_every_mode(
    debug: str, change: dict[str, str], id: str, reason: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load({"DEBUG": debug}, **change)
    [one] = checklist.from_settings_error(caught.value)
    assert (one.id, one.reason, one.verdict) == (id, reason, "refuse")
    assert one.seen.startswith(next(iter(change))) and one.remedy


def test_every_problem_of_the_settings_is_a_finding_in_the_order_of_the_list() -> None:
    with pytest.raises(SettingsError) as caught:
        load({"RATE_LIMIT_READ": "x", "ENTRA_TENANT_ID": "common", "TIER": "edge", "DEBUG": "perhaps"})
    findings = checklist.from_settings_error(caught.value)
    assert [one.id for one in findings] == ["C-20", "C-22", "X-3", "X-3"]
    assert checklist.refusals(findings) == findings


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"GOOGLE_CLIENT_ID": "a"},
        {"GOOGLE_CLIENT_ID": "a", "GOOGLE_CLIENT_SECRET": "b"},
        {"GITHUB_CLIENT_ID": "a", "GITHUB_CLIENT_SECRET": "b", "GOOGLE_CLIENT_SECRET": "b"},
        {"ENTRA_CLIENT_ID": "a", "ENTRA_CLIENT_SECRET": "b"},
        {"ENTRA_CLIENT_ID": "a", "ENTRA_CLIENT_SECRET": "b", "ENTRA_TENANT_ID": "acme.example"},
        OKTA,
    ],
)
async def test_C_21_counts_the_providers_that_are_offered(variables: dict[str, str]) -> None:
    config = load(variables)
    outbound = Outbound()
    assert sign_in_providers(config) == Providers(config, outbound, Clock()).names()
    await outbound.aclose()


async def test_C_21_no_provider(production: Variables) -> None:
    [one] = await found(production, **NO_PROVIDER)
    assert (one.id, one.reason, one.verdict) == ("C-21", "no_providers", "warn")
    [one] = await found(production, GOOGLE_CLIENT_SECRET="")
    assert one.seen.endswith("missing: GOOGLE_CLIENT_SECRET")
    assert await found(production, **NO_PROVIDER, **OKTA) == []


async def test_long_authorization_tokens_are_told(production: Variables) -> None:
    assert await reasons(production, AUTHZ_TOKEN_EXPIRE_MINUTES="16") == [("X-1", "authz_token_long", "warn")]
    assert await found(production, AUTHZ_TOKEN_EXPIRE_MINUTES="15") == []


async def test_self_serve_without_provider_is_told(production: Variables) -> None:
    assert await reasons(production, SELF_SERVE_ENABLED="true", **NO_PROVIDER) == [
        ("C-21", "no_providers", "warn"),
        ("X-2", "self_serve_no_provider", "warn"),
    ]
    assert await found(production, SELF_SERVE_ENABLED="true") == []


async def test_with_debug_refusals_become_warnings_except_the_keys(
    production: Variables, tmp_path: Path
) -> None:
    changes = {"DEBUG": "true", "COOKIE_SECURE": "false", "RATE_LIMIT_ENABLED": "false"}
    config = load(production, JWT_PRIVATE_KEY_PATH=str(tmp_path / "none.pem"), **changes)
    verdicts = {one.id: one.verdict for one in await checklist.run(config)}
    assert verdicts == {"C-2": "warn", "C-11": "refuse", "C-16": "warn"}
    strict = {one.id: one.verdict for one in await checklist.run(config, as_production=True)}
    assert strict == dict.fromkeys(verdicts, "refuse")


def test_every_check_of_the_contract_is_there() -> None:
    assert (*(f"C-{n}" for n in range(1, 24)), "X-1", "X-2", "X-3") == checklist.IDS


# ── what the database holds ──


async def test_C_18_and_C_23_on_both_databases(bare: Variables, database_url: str) -> None:
    async def missing() -> list[str]:
        findings = await found(bare, DATABASE_URL=database_url)
        assert {one.verdict for one in findings} <= {"warn"}
        return [one.reason for one in findings if one.id in ("C-18", "C-23")]

    assert await missing() == ["no_active_service_app", "no_admin"]
    # A deactivated app or admin is as good as none, and an active person is no admin.
    admin = person(is_active=False)
    await add(database_url, service_app(is_active=False), admin)
    assert await missing() == ["no_active_service_app", "no_admin"]
    other = person(is_admin=False)
    other.email = "carla@acme.example"
    another_app = service_app()
    another_app.service_name = "invoices"
    await add(database_url, other, another_app)
    assert await missing() == ["no_admin"]
    last = person()
    last.email = "dora@acme.example"
    await add(database_url, last)
    assert await missing() == []


async def test_C_23_addresses_of_admins_are_enough(bare: Variables) -> None:
    assert await reasons(bare, ADMIN_EMAILS="edith@acme.example") == [
        ("C-18", "no_active_service_app", "warn")
    ]


async def test_C_18_and_C_23_before_the_first_migration(bare: Variables, empty_database_url: str) -> None:
    findings = await found(bare, DATABASE_URL=empty_database_url)
    assert [one.id for one in findings if one.reason != "db_sqlite"] == ["C-18", "C-23"]
    assert "no tables yet" in findings[-2].seen
