"""The database goes away and comes back (``http-api.md`` §0.2 rule 2): 503, never a pass, and no restart needed."""

from typing import Any

import asyncpg  # type: ignore[import-untyped]
import pytest

from sentinel.core.database import is_outage
from sentinel.migrations import upgrade
from tests import servers
from tests.stage import Keys, Pkce, open_stage

pytestmark = pytest.mark.anyio


async def test_VR_14_database_gone_is_503_and_recovery_needs_no_restart(
    anyio_backend: Any, stage_keys: Keys
) -> None:
    """Rules: VR-14."""
    with servers.start_private_postgres() as postgres:
        url = postgres.url_for(postgres.create_database())
        await upgrade(url)
        async with open_stage(url, stage_keys) as stage:
            owner = await stage.user()
            workspace = await stage.workspace(owner)
            service = await stage.service()
            app = await stage.login_app()
            resource = await stage.resource(workspace, owner)
            tokens = await stage.session(owner, workspace, app)
            headers = service.headers | await stage.as_user(owner, workspace)
            question = {
                "service_name": "notes",
                "resource_type": "document",
                "resource_id": str(resource.resource_id),
                "action": "edit",
            }

            async def ask() -> dict[str, int]:
                sent = {
                    "check": stage.client.post(
                        "/permissions/check", headers=headers, json={"checks": [question]}
                    ),
                    "me": stage.client.get("/users/me", headers=headers),
                    "members": stage.client.get(f"/workspaces/{workspace.id}/members", headers=headers),
                    "code": stage.client.post(
                        "/auth/token",
                        json={
                            "code": "x",
                            "code_verifier": Pkce().verifier,
                            "workspace_id": str(workspace.id),
                        },
                    ),
                    "ready": stage.client.get("/health/ready"),
                    "health": stage.client.get("/health"),
                    "jwks": stage.client.get("/.well-known/jwks.json"),
                }
                answers = {name: await request for name, request in sent.items()}
                for answer in answers.values():
                    if answer.status_code == 503 and answer.request.url.path != "/health/ready":
                        assert answer.json() == {"detail": "Service temporarily unavailable"}
                        assert int(answer.headers["Retry-After"]) > 0
                return {name: answer.status_code for name, answer in answers.items()}

            fine = {
                "check": 200,
                "me": 200,
                "members": 200,
                "code": 400,
                "ready": 200,
                "health": 200,
                "jwks": 200,
            }
            gone = {
                "check": 503,
                "me": 503,
                "members": 503,
                "code": 503,
                "ready": 503,
                "health": 200,
                "jwks": 200,
            }
            assert await ask() == fine
            postgres.stop()
            assert await ask() == gone
            refused = await stage.client.post("/auth/refresh", json={"refresh_token": tokens.refresh.token})
            assert refused.status_code == 503
            page = await stage.start(app, Pkce())
            assert page.status_code == 503
            assert "text/html" in page.headers["content-type"]
            postgres.start()
            # Connections of the pool that died with the server are found out one by one, never answered wrongly.
            for _ in range(50):
                if await ask() == fine:
                    break
            assert await ask() == fine
            # The refresh that met the outage was not counted as a use.
            again = await stage.client.post("/auth/refresh", json={"refresh_token": tokens.refresh.token})
            assert again.status_code == 200


def test_what_the_driver_says_when_the_server_goes_in_the_middle_of_a_statement_is_an_outage() -> None:
    """Seen under load while PostgreSQL was restarted: the request is answered 503, not 500."""
    assert is_outage(
        asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")
    )
    assert is_outage(asyncpg.InterfaceError("connection is closed"))
    assert not is_outage(asyncpg.UndefinedColumnError("column does not exist"))
