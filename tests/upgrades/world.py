"""A filled world and questions about it: what has to be the same after an upgrade, or after a restore.

``scripts/store_release.py`` runs this with the code of the release that it stores, so it asks for nothing of the stage
but what every release has had.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.audit.models import SignInMemory
from sentinel.core.database import Base
from sentinel.roles.models import GroupRole, Role, RoleAction, ServiceAction, UserRole
from sentinel.tokens.models import RevokedToken
from tests.stage import Pkce, Stage, bearer

PEOPLE = ("ada", "grace", "linus", "gone")
SECRETS = UUID("5f1c7d0e-7c55-4b8e-9f0a-2b8f1f6f2f11")
"""The name space of the resource ids, which are the same in every world."""


@dataclass(frozen=True)
class World:
    """What a client of the service knows: credentials, which work in this world only, and what it was answered."""

    asked_at: datetime
    base_url: str
    credentials: dict[str, str] = field(repr=False)
    questions: list[dict[str, Any]]
    answers: list[dict[str, Any]]

    def dump(self) -> dict[str, Any]:
        """As JSON. Credentials are wrapped: a search of this project for leaked ones is to find none that counts."""
        return {
            "asked_at": self.asked_at.isoformat(),
            "base_url": self.base_url,
            "credentials": {
                name: base64.b64encode(value.encode()).decode() for name, value in self.credentials.items()
            },
            "questions": self.questions,
            "answers": self.answers,
        }

    @classmethod
    def load(cls, stored: Mapping[str, Any]) -> "World":
        return cls(
            asked_at=datetime.fromisoformat(stored["asked_at"]),
            base_url=stored["base_url"],
            credentials={
                name: base64.b64decode(value).decode() for name, value in stored["credentials"].items()
            },
            questions=stored["questions"],
            answers=stored["answers"],
        )


async def furnish(stage: Stage) -> World:
    """Fill the world of ``stage`` through its API where it has one, and take down what it answers."""
    people = {}
    for name in PEOPLE:
        user = await stage.user(f"{name.title()} Élan", email=f"{name}@example.com")
        await stage.link(user, subject=f"sub-{name}")
        people[name] = user
    ada, grace, linus, gone = (people[name] for name in PEOPLE)
    organization = await stage.organization("example.com", slug="example")
    workspace = await stage.workspace(ada, slug="acme", name="Acme · Österreich")
    elsewhere = await stage.workspace(grace, slug="elsewhere")
    for user, role in ((grace, "admin"), (linus, "viewer"), (gone, "editor")):
        await stage.join(workspace, user, role)
    await stage.restrict(elsewhere, organization)
    service = await stage.service("notes")
    await stage.service("tasks", realm=await stage.realm())
    app = await stage.login_app()
    credentials = {"service": service.key}

    sessions = {}
    for name in PEOPLE:
        pkce = Pkce()
        person = stage.person(f"{name}@example.com", sub=f"sub-{name}", name=people[name].name)
        code = await stage.code(person, app, pkce)
        proof = {"code": code, "code_verifier": pkce.verifier, "workspace_id": str(workspace.id)}
        sessions[name] = _good(await stage.client.post("/auth/token", json=proof))
        credentials[f"{name}.access"] = sessions[name]["access_token"]
    as_ada = bearer(credentials["ada.access"])

    # Ada's session goes on, Linus's has been used once, what is left of Gone's is revoked.
    credentials["ada.refresh"] = sessions["ada"]["refresh_token"]
    credentials["linus.used"] = sessions["linus"]["refresh_token"]
    _good(await stage.client.post("/auth/refresh", json={"refresh_token": credentials["linus.used"]}))
    _good(await stage.client.post("/auth/logout", headers=bearer(credentials["gone.access"])))
    await stage.execute(
        sa.insert(RevokedToken).values(jti=uuid5(SECRETS, "jti"), expires_at=stage.clock.now())
    )
    await stage.execute(
        sa.insert(SignInMemory).values(
            user_id=ada.id,
            kind="country",
            value="AT",
            first_seen=stage.clock.now(),
            last_seen=stage.clock.now(),
        )
    )

    groups = f"/workspaces/{workspace.id}/groups"
    group = _good(await stage.client.post(groups, headers=as_ada, json={"name": "Writers"}))
    _good(await stage.client.post(f"{groups}/{group['id']}/members/{linus.id}", headers=as_ada))

    both = service.headers | as_ada
    resources = [str(uuid5(SECRETS, str(number))) for number in range(6)]
    for number, resource in enumerate(resources):
        wish = {
            "service_name": "notes",
            "resource_type": "document",
            "resource_id": resource,
            "workspace_id": str(workspace.id),
            "owner_id": str(ada.id),
            "visibility": "private" if number else "workspace",
        }
        registered = _good(await stage.client.post("/permissions/register", headers=both, json=wish))
        for grantee in _shares(number, str(grace.id), str(group["id"])):
            path = f"/permissions/{registered['id']}/share"
            _good(await stage.client.post(path, headers=both, json=grantee))

    wishes = [{"action": action, "description": f"To {action}"} for action in ("export", "publish", "erase")]
    body = {"service_name": "notes", "actions": wishes}
    _good(await stage.client.post("/roles/actions/register", headers=service.headers, json=body))
    actions = {row.action: row for row in await stage.all(ServiceAction)}
    press, office = (
        Role(
            workspace_id=workspace.id,
            name=name,
            description="…",
            created_by=ada.id,
            created_at=stage.clock.now(),
        )
        for name in ("Press", "Office")
    )
    await stage.add(press, office)
    await stage.add(
        RoleAction(role_id=press.id, service_action_id=actions["publish"].id),
        RoleAction(role_id=office.id, service_action_id=actions["export"].id),
        UserRole(user_id=ada.id, role_id=office.id, assigned_by=ada.id, assigned_at=stage.clock.now()),
        GroupRole(
            group_id=UUID(group["id"]), role_id=press.id, assigned_by=ada.id, assigned_at=stage.clock.now()
        ),
    )

    questions = _questions(str(workspace.id), group["id"], resources)
    asked = World(stage.clock.now(), stage.settings.base_url, credentials, questions, [])
    answers = [await ask(stage, asked, question) for question in questions]
    # A world that answers everything with a refusal would be equal to any other broken one.
    assert {answer["status"] for answer in answers} == {200, 401}, answers
    return World(asked.asked_at, asked.base_url, credentials, questions, answers)


async def ask(stage: Stage, world: World, question: Mapping[str, Any]) -> dict[str, Any]:
    """What the service answers to one question."""
    headers = bearer(world.credentials[f"{question['by']}.access"])
    if question["service"]:
        headers |= {"X-Service-Key": world.credentials["service"]}
    answer = await stage.client.request(
        question["method"], question["path"], json=question["body"], headers=headers
    )
    return {"status": answer.status_code, "body": answer.json()}


async def hold(stage: Stage, world: World) -> None:
    """Every answer is what it was, and sessions go on: an open one refreshes, a used token ends its own."""
    for question, expected in zip(world.questions, world.answers, strict=True):
        found = await ask(stage, world, question)
        assert contains(found, expected), (question, expected, found)
    refresh = "/auth/refresh"
    renewed = await stage.client.post(refresh, json={"refresh_token": world.credentials["ada.refresh"]})
    assert renewed.status_code == 200, renewed.text
    me = await stage.client.get("/users/me", headers=bearer(renewed.json()["access_token"]))
    assert me.json()["email"] == "ada@example.com"
    for spent in ("ada.refresh", "linus.used"):
        again = await stage.client.post(refresh, json={"refresh_token": world.credentials[spent]})
        assert again.status_code == 401, (spent, again.text)


def contains(found: Any, expected: Any) -> bool:
    """Whether ``found`` says what ``expected`` says; an answer may have got further members meanwhile."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            name in found and contains(found[name], value) for name, value in expected.items()
        )
    if isinstance(expected, list):
        return isinstance(found, list) and len(found) == len(expected) and all(map(contains, found, expected))
    return bool(found == expected)


async def rows(session: AsyncSession) -> dict[str, int]:
    """How many rows each table has; what the database works out for itself is left out."""
    return {
        table.name: (await session.execute(sa.select(sa.func.count()).select_from(table))).scalar_one()
        for table in Base.metadata.sorted_tables
        if table.name != "resource_share_counts"
    }


def _shares(number: int, person: str, group: str) -> list[dict[str, str]]:
    view_of_person = {"grantee_type": "user", "grantee_id": person, "permission": "view"}
    edit_of_group = {"grantee_type": "group", "grantee_id": group, "permission": "edit"}
    return {2: [view_of_person], 3: [edit_of_group], 4: [view_of_person, edit_of_group]}.get(number, [])


def _questions(workspace: str, group: str, resources: list[str]) -> list[dict[str, Any]]:
    of = {"service_name": "notes", "resource_type": "document"}
    checks = [
        of | {"resource_id": resource, "action": action}
        for resource in (*resources, str(uuid5(SECRETS, "unknown")))
        for action in ("view", "edit")
    ]
    asked: list[tuple[bool, str, str, Any]] = [
        (False, "GET", "/users/me", None),
        (False, "GET", "/workspaces", None),
        (False, "GET", f"/workspaces/{workspace}/members", None),
        (False, "GET", f"/workspaces/{workspace}/groups/{group}/members", None),
        (True, "POST", "/permissions/check", {"checks": checks}),
        *(
            (True, "POST", "/permissions/accessible", of | {"action": action, "workspace_id": workspace})
            for action in ("view", "edit")
        ),
        *(
            (
                True,
                "POST",
                "/roles/check-action",
                {"service_name": "notes", "action": action, "workspace_id": workspace},
            )
            for action in ("export", "publish", "erase")
        ),
        (True, "GET", f"/roles/user-actions?service_name=notes&workspace_id={workspace}", None),
    ]
    return [
        {"by": name, "service": service, "method": method, "path": path, "body": body}
        for name in PEOPLE
        for service, method, path, body in asked
    ]


def _good(answer: Any) -> Any:
    assert answer.status_code in (200, 201), f"{answer.request.url.path}: {answer.status_code} {answer.text}"
    return answer.json()
