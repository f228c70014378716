"""Health and keys: H1 to H4."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from sentinel.tokens.keyring import generate_pair
from tests.stage import Keys, Stage, open_stage

pytestmark = pytest.mark.anyio

EVIL = {"Host": "evil.example.net"}
PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


@pytest.fixture
def stage_settings() -> Mapping[str, Any]:
    """Limits as tight as they can be, so that whoever counts in one is refused at once."""
    return {"rate_limit_enabled": True, "rate_limit_default": "1/minute", "rate_limit_aggregate": "1/minute"}


async def test_H1_health_is_static(stage: Stage) -> None:
    async with stage.without_database():
        with stage.events() as lines, stage.statements() as statements:
            answers = [await stage.client.get("/health", headers=EVIL) for _ in range(3)]
    for answer in answers:
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        assert answer.headers["server"] == "sentinel"
    assert not lines, "health is not logged"
    assert len(statements) == 0
    assert (await stage.client.post("/health")).status_code == 405
    assert (await stage.client.get("/health/")).status_code == 404


async def test_H2_ready_means_reachable_and_migrated(stage: Stage) -> None:
    async def ready() -> tuple[int, Any]:
        answer = await stage.client.get("/health/ready", headers=EVIL)
        return answer.status_code, answer.json()

    unavailable = (503, {"status": "unavailable"})
    assert await ready() == (200, {"status": "ok"})
    async with stage.without_database():
        assert await ready() == unavailable
    assert await ready() == (200, {"status": "ok"})
    revision = (await stage.execute(sa.text("SELECT version_num FROM alembic_version")))[0][0]
    await stage.execute(sa.text("UPDATE alembic_version SET version_num = '0000'"))
    assert await ready() == unavailable
    await stage.execute(sa.text("DELETE FROM alembic_version"))
    assert await ready() == unavailable
    await stage.execute(sa.text("DROP TABLE alembic_version"))
    assert await ready() == unavailable
    await stage.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
    await stage.execute(sa.text("INSERT INTO alembic_version VALUES (:it)").bindparams(it=revision))
    assert await ready() == (200, {"status": "ok"})


async def test_H3_the_current_key_stands_first(sqlite_url: str, stage_keys: Keys, tmp_path: Path) -> None:
    old = tmp_path / "old-public.pem"
    generate_pair(tmp_path / "old.pem", old, bits=2048)
    previous = [old, stage_keys.public, old]
    async with open_stage(sqlite_url, stage_keys, jwt_previous_public_key_paths=previous) as stage:
        async with stage.without_database():
            answer = await stage.client.get("/.well-known/jwks.json")
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=300"
        assert answer.headers["content-type"] == "application/json"
        assert answer.json().keys() == {"keys"}
        keys = answer.json()["keys"]
        assert len(keys) == 2, "the old key once, the current key once"
        assert keys[0]["kid"] == stage.state.keyring.kid
        for key in keys:
            assert key.keys() == {"kty", "n", "e", "use", "alg", "kid"}
            assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")
            assert not PRIVATE_MEMBERS & key.keys()


async def test_H3_the_keys_are_never_limited_and_not_logged(stage: Stage) -> None:
    with stage.events() as lines:
        answers = {(await stage.client.get("/.well-known/jwks.json")).status_code for _ in range(4)}
    assert answers == {200}
    assert not lines
    assert (await stage.client.get("/.well-known/jwks.json", headers=EVIL)).status_code == 400


async def test_H4_no_documentation_outside_development(sqlite_url: str, stage_keys: Keys) -> None:
    async with open_stage(sqlite_url, stage_keys) as production:
        for path in ("/docs", "/redoc", "/openapi.json", "/docs/reference.js"):
            answer = await production.client.get(path)
            assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"}), path
    async with open_stage(sqlite_url, stage_keys, debug=True) as development:
        for path in ("/docs", "/redoc"):
            answer = await development.client.get(path)
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/html")
            # Everything comes from here: no other host is named, and no script stands in the page.
            assert "//" not in answer.text.replace("</", "") and "<script>" not in answer.text
            assert "script-src 'self';" in (rules := answer.headers["content-security-policy"])
            assert "http" not in rules and rules.startswith("default-src 'none'")
            for name in re.findall(r'(?:src|href)="(docs/[^"]+)"', answer.text):
                file = await development.client.get(f"/{name}")
                assert file.status_code == 200 and len(file.content) > 100, name
                assert file.headers["content-type"].split(";")[0] in ("text/javascript", "text/css")
        for name in ("vendor", "reference.html", "..%2freference.py", "LICENSES.txt"):
            assert (await development.client.get(f"/docs/{name}")).status_code == 404
        described = (await development.client.get("/openapi.json")).json()
        assert "/auth/token" in described["paths"]


async def test_H4_the_documentation_counts_in_the_default_limit(sqlite_url: str, stage_keys: Keys) -> None:
    tight: dict[str, Any] = {"rate_limit_enabled": True, "rate_limit_default": "1/minute"}
    async with open_stage(sqlite_url, stage_keys, debug=True, **tight) as development:
        for path in ("/docs", "/redoc", "/openapi.json"):
            statuses = [(await development.client.get(path)).status_code for _ in range(2)]
            assert statuses == [200, 429], path
