"""Whoever has no credentials hears nothing about his question, malformed or not: 401 comes before 422 (§0.7).

The hot calls answer a question and judge its credentials in one statement, so there this needs a test of its own.
"""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.contract.test_budget import watched
from tests.stage import Keys, Stage, bearer, open_stage

pytestmark = pytest.mark.anyio

HOT = (
    "POST /permissions/check",
    "POST /permissions/accessible",
    "POST /permissions/explain",
    "POST /roles/check-action",
    "GET /roles/user-actions",
)
JSON = {"Content-Type": "application/json"}
NONSENSE: list[tuple[bytes, dict[str, str]]] = [
    (b"", {}),
    (b"{", JSON),
    (b"\xff\xfe", JSON),
    (b"[]", JSON),
    (b"null", JSON),
    (b"{}", JSON),
    (b'{"checks": 7, "action": 7, "service_name": "NO", "limit": 0, "workspace_id": "x"}', JSON),
    (b'{"checks": [], "service_name": "notes"}', {"Content-Type": "text/plain"}),
]


async def ask(
    stage: Stage, operation: str, headers: dict[str, str], body: bytes = b"{}", query: Any = None
) -> httpx.Response:
    method, path = operation.split()
    return await stage.client.request(method, path, headers=headers, content=body, params=query)


@pytest.mark.parametrize("operation", HOT)
async def test_P1_and_P2_and_R2_and_R3_a_stranger_gets_401_whatever_he_says(
    stage: Stage, operation: str
) -> None:
    """And it costs one statement at most, as any refusal does. Rules: P1, P2, R2, R3."""
    notes, boss = await stage.service(), await stage.user()
    workspace, other = await stage.workspace(boss), await stage.workspace()
    access = await stage.as_user(boss, workspace)
    foreign = bearer(await stage.authz_token(boss, workspace, "wiki"))
    cases: list[tuple[dict[str, str], int, str]] = [
        ({}, 401, "missing_token"),
        (notes.headers, 401, "missing_token"),
        (access, 401, "missing_service_key"),
        (access | {"X-Service-Key": "sk_" + "x" * 43}, 401, "unknown_service_key"),
        (notes.headers | foreign, 403, "scope_mismatch"),
        (notes.headers | bearer(await stage.access_token(boss, other, "owner")), 403, "not_a_member"),
    ]
    for body, kind in NONSENSE:
        for headers, status, reason in cases:
            with stage.events() as events:
                async with watched(stage) as spent:
                    answer = await ask(stage, operation, headers | kind, body)
            case = (body, headers, answer.text)
            assert answer.status_code == status, case
            assert set(answer.json()) == {"detail"} and isinstance(answer.json()["detail"], str), case
            assert len(spent.statements) <= 1, case
            refusals = [line for line in events if line["event"] == "auth.guard.rejected"]
            assert [(one["guard"], one["reason"]) for one in refusals] == [("service_and_user", reason)], case
        with stage.events() as events:
            async with watched(stage) as spent:
                answer = await ask(stage, operation, notes.headers | access | kind, body)
        # Not every parser calls broken text broken in the same way.
        assert answer.status_code == 422 or (body, answer.status_code) == (b"\xff\xfe", 400), answer.text
        assert len(spent.statements) == 1
        [line] = [line for line in events if line["event"] == "http.access"]
        assert (line["caller_service"], line["actor"]) == ("notes", str(boss.id))


async def test_R3_a_stranger_gets_401_for_a_malformed_query(stage: Stage) -> None:
    notes, boss = await stage.service(), await stage.user()
    workspace = await stage.workspace(boss)
    good = notes.headers | await stage.as_user(boss, workspace)
    right = {"service_name": "notes", "workspace_id": str(workspace.id)}
    for query in (
        {},
        {"service_name": "notes"},
        right | {"workspace_id": "x"},
        right | {"service_name": "NO"},
    ):
        assert (await ask(stage, "GET /roles/user-actions", {}, query=query)).status_code == 401
        assert (await ask(stage, "GET /roles/user-actions", notes.headers, query=query)).status_code == 401
        assert (await ask(stage, "GET /roles/user-actions", good, query=query)).status_code == 422
    assert (await ask(stage, "GET /roles/user-actions", good, query=right)).status_code == 200


@pytest.mark.parametrize("operation", HOT)
async def test_questions_without_sense_are_counted_for_the_service(
    sqlite_url: str, stage_keys: Keys, operation: str
) -> None:
    """§0.8, like every other request of it; and guesses at keys for the address, however they are wrapped."""
    limits: dict[str, Any] = {
        "rate_limit_enabled": True,
        "rate_limit_service": "2/minute",
        "rate_limit_failed_auth": "2/minute",
    }
    async with open_stage(sqlite_url, stage_keys, **limits) as stage:
        notes, boss = await stage.service(), await stage.user()
        access = await stage.as_user(boss, await stage.workspace(boss))
        for status in (422, 422, 429):
            assert (await ask(stage, operation, notes.headers | access)).status_code == status
        for status in (401, 401, 429):
            guess = access | {"X-Service-Key": f"sk_{uuid4().hex}"}
            assert (await ask(stage, operation, guess)).status_code == status
