"""The state and the configuration of the installation over the JSON API of the panel (``admin.md`` §3)."""

import json
import socket
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from sentinel.apps.models import ServiceApp
from sentinel.audit.activity import SYSTEM_TARGET
from sentinel.tokens.keyring import generate_pair
from sentinel.tokens.models import RevokedToken
from tests.stage import Keys, Stage, open_stage

pytestmark = pytest.mark.anyio

HEALTH = "/admin/api/system/health"
SETTINGS = "/admin/api/system/settings"

SECRETS: dict[str, Any] = {
    "session_secret_key": "a-very-secret-session-key-of-the-stage",
    "session_secret_key_previous": "an-older-secret-session-key-of-the-stage",
    "google_client_id": "google-id",
    "google_client_secret": "google-secret-value",
    "github_client_secret": "github-secret-value",
    "entra_client_id": "entra-id",
    "entra_client_secret": "entra-secret-value",
}


@pytest.fixture
async def secretive(database_url: str, stage_keys: Keys, tmp_path: Path) -> AsyncIterator[Stage]:
    """An installation with a secret of every kind, and a retired key."""
    generate_pair(tmp_path / "old.pem", tmp_path / "old-public.pem", bits=2048)
    async with open_stage(
        database_url,
        stage_keys,
        **SECRETS,
        jwt_previous_public_key_paths=str(tmp_path / "old-public.pem"),
        admin_emails="boss@example.com",
        cors_origins="https://app.example.com",
        rate_limit_default="",
    ) as opened:
        yield opened


async def settings(stage: Stage) -> dict[str, Any]:
    async with stage.panel() as http:
        answer = await http.get(SETTINGS)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("path", [HEALTH, SETTINGS])
async def test_admin_system_is_for_administrators_alone(stage: Stage, path: str) -> None:
    assert (await stage.client.get(path)).status_code == 401
    assert await stage.activities("view_system_settings") == []


# ── health ──


async def test_admin_health_of_a_healthy_installation(stage: Stage) -> None:
    stage.clock.advance(3600)
    async with stage.panel() as http:
        with stage.statements() as seen:
            found = (await http.get(HEALTH)).json()
    assert found["status"] == "healthy"
    assert found["checks"]["database"]["status"] == "healthy"
    assert found["checks"]["database"]["latency_ms"] > 0
    assert found["checks"]["database"]["error"] is None
    assert found["checks"]["redis"] == {"status": "not_configured", "latency_ms": None, "error": None}
    assert found["uptime_seconds"] >= 3600
    assert set(found) == {"status", "checks", "uptime_seconds", "version", "warnings"}
    assert len(seen) <= 6, seen.texts


async def test_admin_health_warns_as_the_checklist_does(stage: Stage) -> None:
    async with stage.panel() as http:
        before = {row["id"]: row for row in (await http.get(HEALTH)).json()["warnings"]}
        await stage.service()
        after = {row["id"] for row in (await http.get(HEALTH)).json()["warnings"]}
    assert before["C-18"]["reason"] == "no_active_service_app"
    assert set(before["C-18"]) == {"id", "reason", "verdict", "seen", "why", "remedy"}
    assert before["C-18"]["remedy"].startswith("sentinel apps create")
    assert "C-2" in after and "C-18" not in after


async def test_admin_health_of_redis(database_url: str, stage_keys: Keys, redis_url: str) -> None:
    async with open_stage(database_url, stage_keys, redis_url=redis_url) as stage, stage.panel() as http:
        found = (await http.get(HEALTH)).json()
    assert found["status"] == "healthy"
    assert found["checks"]["redis"]["status"] == "healthy" and found["checks"]["redis"]["latency_ms"] > 0


async def test_admin_health_with_redis_away_is_degraded_and_names_the_kind_of_error_alone(
    database_url: str, stage_keys: Keys
) -> None:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"redis://someone:hunter2@127.0.0.1:{probe.getsockname()[1]}/0"
        async with open_stage(database_url, stage_keys, redis_url=url) as stage, stage.panel() as http:
            answer = await http.get(HEALTH)
    found = answer.json()
    assert found["status"] == "degraded" and found["checks"]["database"]["status"] == "healthy"
    assert found["checks"]["redis"] == {
        "status": "unhealthy",
        "latency_ms": None,
        "error": "ConnectionError",
    }
    assert "hunter2" not in answer.text
    assert "C-16" in {row["id"] for row in found["warnings"]}


async def test_admin_health_without_the_database_is_503(stage: Stage) -> None:
    async with stage.panel() as http, stage.without_database():
        assert (await http.get(HEALTH)).status_code == 503


# ── settings ──


async def test_admin_settings_have_the_shape_of_the_contract(stage: Stage) -> None:
    service = await stage.service("notes")
    found = await settings(stage)
    assert set(found) == {
        "oauth_providers", "jwt", "security", "rate_limits", "service_keys", "service", "self_serve",
    }  # fmt: skip
    assert found["oauth_providers"] == [
        {"name": "google", "configured": False},
        {"name": "github", "configured": False},
        {"name": "entra_id", "configured": False},
        {"name": "corp", "configured": True},
    ]
    jwt = found["jwt"]
    assert jwt.pop("public_key_preview") and jwt.pop("kid") == stage.state.keyring.kid
    assert jwt == {
        "algorithm": "RS256",
        "access_token_expire_minutes": 15,
        "refresh_token_expire_days": 7,
        "denylist_count": 0,
        "authz_token_expire_minutes": 5,
        "admin_token_expire_minutes": 60,
        "previous_kids": [],
    }
    assert found["security"] == {
        "cookie_secure": False,
        "allowed_hosts": ["localhost"],
        "cors_origins": list(stage.settings.cors_origins),
        "session_secret_configured": True,
        "admin_emails": [],
    }
    assert found["service"] == {
        "base_url": stage.settings.base_url,
        "frontend_url": stage.settings.frontend_url,
        "admin_url": stage.settings.admin_url,
    }
    assert found["service_keys"] == [{"name": "Notes", "preview": service.app.key_prefix}]
    assert found["self_serve"] == {
        "enabled": False,
        "max_workspaces_per_user": 1,
        "max_creates_per_hour": 30,
    }


async def test_admin_settings_name_every_provider_that_is_configured(secretive: Stage) -> None:
    named = {row["name"]: row["configured"] for row in (await settings(secretive))["oauth_providers"]}
    providers = (await secretive.client.get("/auth/providers")).json()["providers"]
    assert [name for name, configured in named.items() if configured] == providers == ["google", "corp"]


async def test_admin_settings_show_no_secret_and_no_part_of_a_key(secretive: Stage) -> None:
    service = await secretive.service("notes")
    found = await settings(secretive)
    text = json.dumps(found)
    for value in (*(value for key, value in SECRETS.items() if not key.endswith("_id")), service.key):
        assert value not in text
    (row,) = await secretive.all(ServiceApp)
    assert row.key_hash not in text
    # What is shown of a service key is what its list shows.
    assert found["service_keys"][0]["preview"] == row.key_prefix
    assert "PRIVATE" not in text
    private = secretive.settings.jwt_private_key_path.read_text().split("\n")
    assert not any(line in text for line in private if len(line) > 40)
    assert found["security"]["admin_emails"] == ["boss@example.com"]
    assert len(found["jwt"]["previous_kids"]) == 1


async def test_admin_settings_preview_tells_keys_apart(
    secretive: Stage, tmp_path: Path, stage_keys: Keys
) -> None:
    preview = (await settings(secretive))["jwt"]["public_key_preview"].removesuffix("…")
    assert len(preview) >= 16
    assert preview in "".join(stage_keys.public.read_text().split("\n"))
    assert preview not in "".join((tmp_path / "old-public.pem").read_text().split("\n"))


async def test_admin_settings_tell_that_the_session_key_is_the_published_one(
    database_url: str, stage_keys: Keys
) -> None:
    async with open_stage(
        database_url, stage_keys, session_secret_key="dev-only-change-me-in-production"
    ) as stage:
        assert (await settings(stage))["security"]["session_secret_configured"] is False


async def test_admin_settings_count_the_denylist_without_what_is_over(stage: Stage) -> None:
    now = stage.clock.now()
    for life in (60, 3600, -60):
        await stage.add(RevokedToken(jti=uuid4(), expires_at=now + timedelta(seconds=life)))
    await stage.service("notes")
    assert (await settings(stage))["jwt"]["denylist_count"] == 2


async def test_admin_settings_show_the_limits_as_they_are(secretive: Stage, stage: Stage) -> None:
    assert all(row["limit"] == "off" for row in (await settings(stage))["rate_limits"])
    async with open_stage(
        secretive.settings.database_url.get_secret_value(),
        Keys(secretive.settings.jwt_private_key_path, secretive.settings.jwt_public_key_path, None),  # type: ignore[arg-type]
        rate_limit_enabled=True,
        rate_limit_default="",
        rate_limit_sensitive="7/hour",
    ) as limited:
        rows = {row["endpoint"]: row["limit"] for row in (await settings(limited))["rate_limits"]}
    assert rows["default"] == "off" and rows["sensitive"] == "7/hour" and rows["read"] == "60/minute"
    assert list(rows) == [
        "default", "aggregate", "auth", "auth-admin", "resolve", "read", "admin-write", "sensitive", "service",
        "failed-auth",
    ]  # fmt: skip


async def test_admin_settings_each_view_is_an_activity_of_who_looked(stage: Stage) -> None:
    boss = await stage.user("Boss", is_admin=True)
    async with stage.panel(boss) as http:
        with stage.events() as events:
            assert (await http.get(SETTINGS)).status_code == 200
            assert (await http.get(SETTINGS)).status_code == 200
    rows = await stage.activities("view_system_settings")
    assert [(row.actor_id, row.target_type, row.target_id) for row in rows] == [
        (boss.id, "system", SYSTEM_TARGET)
    ] * 2
    assert [event.get("action") for event in events if event["event"] == "audit.activity"] == [
        "view_system_settings"
    ] * 2


async def test_admin_settings_are_not_shown_when_the_view_cannot_be_recorded(stage: Stage) -> None:
    await stage.forbid_inserts("activity_logs")
    async with stage.panel() as http:
        answer = await http.get(SETTINGS)
    assert answer.status_code in (409, 500) and set(answer.json()) == {"detail"}
