"""Asking the service everything about a world, over HTTP, and holding the answers against :mod:`world_law`."""

from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID, uuid4

from sentinel.tokens.claims import TokenSubject
from tests.contract.world_law import ACTIONS, RANK, App, Kept, Person, Thing, Workspace, World
from tests.stage import Stage, bearer

KINDS = ("document", "image")
NAMES = ("read", "write", "publish")
"""Actions that services register."""
UNKNOWN = "unknown"


class Watch:
    """What a comparison can vary is chosen by lot, from ``seed``, so that a few of them see all of it."""

    def __init__(self, stage: Stage, world: World, seed: int) -> None:
        self._stage = stage
        self._world = world
        self._lots = Random(seed)  # noqa: S311 - nothing is kept secret by it

    # ── tokens ──

    def access(self, person: Person, workspace: Workspace) -> Kept:
        """A fresh access token; the role that it claims is any, for claims decide nothing."""
        subject = self.subject(person, workspace)
        return Kept(self._stage.state.issuer.access(subject).token, person, workspace, person.epoch)

    def authz(self, person: Person, workspace: Workspace, scope: str) -> Kept:
        """A fresh authz token, bound to a scope."""
        token = self._stage.state.issuer.authz(
            self.subject(person, workspace), idp_subject="sub-1", scope=scope, actions=list(NAMES)
        )
        return Kept(token.token, person, workspace, person.epoch, scope=scope)

    def subject(self, person: Person, workspace: Workspace) -> TokenSubject:
        claimed = self._any(list(RANK))
        return TokenSubject(
            person.id, person.email, "Ada Example", person.epoch, workspace.id, workspace.slug, claimed
        )

    # ── comparing ──

    async def everything(self) -> None:
        """Every person in every workspace, every resource, every token that somebody has kept."""
        for person in self._world.people:
            for workspace in self._world.workspaces:
                await self.person(person, workspace)
        for thing in self._world.things:
            await self.thing(thing)
        for kept in self._world.kept:
            await self.kept(kept)

    async def something(self, touched: Person | None, where: Workspace | None) -> None:
        """Whom the last step has touched, and something of everything else."""
        world = self._world
        person = touched or self._any(world.people)
        await self.person(person, where or self._any(world.workspaces))
        for kept in world.kept:
            if kept.person is person:
                await self.kept(kept)
        if world.things:
            await self.thing(self._any(world.things))

    async def person(self, person: Person, workspace: Workspace) -> None:
        """Every way of asking what a person may do in a workspace, with a fresh token of his."""
        app = self._any(self._world.apps)
        scope = self._world.scope(app)
        token = self.access(person, workspace)
        if self._any((False, True)):
            token = self.authz(person, workspace, scope)
        things = [thing for thing in self._world.things if thing.scope == scope]
        await self._checks(token, app, things)
        for action in ACTIONS:
            await self._accessible(token, app, self._any(KINDS), action)
        near = [thing for thing in things if thing.workspace is workspace]
        await self._explain(token, app, self._any([*near, *near, *things, None]))
        await self._grants(token, app, self._any(NAMES))

    async def kept(self, kept: Kept) -> None:
        """A token of earlier days: is it still good, with each key?"""
        app = self._any(self._world.apps)
        things = [thing for thing in self._world.things if thing.scope == self._world.scope(app)]
        await self._checks(kept, app, things)

    async def thing(self, thing: Thing) -> None:
        """The record, and who may do it, page by page; only a service of the scope is told."""
        path = "/permissions/resource/" + "/".join(thing.name.values())
        told = False
        for app in self._world.apps:
            headers = {"X-Service-Key": app.key}
            if self._world.scope(app) != thing.scope:
                refused = await self._stage.client.get(path, headers=headers)
                assert refused.status_code == 403, "another scope is told about a resource"
            elif not told:
                await self._record(thing, path, headers)
                await self._subjects(thing, path, headers)
                told = True

    async def _record(self, thing: Thing, path: str, headers: dict[str, str]) -> None:
        answer = await self._stage.client.get(path, headers=headers)
        assert answer.status_code == 200, answer.text
        record = answer.json()
        seen = (record["workspace_id"], record["owner_id"], record["visibility"])
        assert seen == (str(thing.workspace.id), str(thing.owner.id), thing.visibility)
        shares = [(UUID(each["grantee_id"]), each["permission"]) for each in record["shares"]]
        given = [
            *((person.id, level) for person, level in thing.people.items()),
            *((group.id, level) for group, level in thing.groups.items()),
        ]
        assert sorted(shares) == sorted(given), ("record", thing)

    async def _subjects(self, thing: Thing, path: str, headers: dict[str, str]) -> None:
        action = self._any(ACTIONS)
        query: dict[str, Any] = {"action": action, "limit": self._any((2, 200))}
        found: list[tuple[UUID, int]] = []
        while True:
            answer = await self._stage.client.get(f"{path}/subjects", headers=headers, params=query)
            assert answer.status_code == 200, answer.text
            found += [(UUID(row["user_id"]), row["step"]) for row in answer.json()["subjects"]]
            if answer.json()["next_cursor"] is None:
                break
            query["cursor"] = answer.json()["next_cursor"]
        assert found == self._world.subjects(thing, action), ("subjects", thing, action)

    # ── one question ──

    async def _checks(self, token: Kept, app: App, things: list[Thing]) -> None:
        asked = [(thing, action) for thing in things for action in ACTIONS]
        questions = [thing.name | {"action": action} for thing, action in asked]
        questions.append(self._nothing(app))
        answer = await self._ask(token, app, "/permissions/check", {"checks": questions})
        if answer is None:
            return
        allowed = [
            self._world.verdict(token.person, token.workspace, thing, action).allowed
            for thing, action in asked
        ]
        assert [each["allowed"] for each in answer["results"]] == [*allowed, False], ("check", token, app)

    async def _accessible(self, token: Kept, app: App, kind: str, action: str) -> None:
        limit = self._any((None, 1, None, 2, 100))
        body = {
            "service_name": self._world.scope(app),
            "resource_type": kind,
            "action": action,
            "workspace_id": str(token.workspace.id),
        }
        body |= {"limit": limit} if limit else {}
        answer = await self._ask(token, app, "/permissions/accessible", body)
        if answer is None:
            return
        things = self._world.reached(token.person, token.workspace, self._world.scope(app), kind, action)
        full = self._world.has(token.person, token.workspace, "admin")
        expected = [] if full and limit is None else [str(thing.resource_id) for thing in things[:limit]]
        seen = (answer["resource_ids"], answer["has_full_access"])
        assert seen == (expected, full), ("accessible", token, app, body)

    async def _explain(self, token: Kept, app: App, thing: Thing | None) -> None:
        action = self._any(ACTIONS)
        question = thing.name | {"action": action} if thing else self._nothing(app)
        answer = await self._ask(token, app, "/permissions/explain", question)
        if answer is None:
            return
        verdict = self._world.verdict(token.person, token.workspace, thing, action)
        via = answer["via"] and (answer["via"]["type"], UUID(answer["via"]["id"]))
        seen = (answer["allowed"], answer["step"], via)
        assert seen == (verdict.allowed, verdict.step, verdict.via), ("explain", token, app, question)

    async def _grants(self, token: Kept, app: App, action: str) -> None:
        scope, world = self._world.scope(app), self._world
        where = {"service_name": scope, "workspace_id": str(token.workspace.id)}
        answer = await self._ask(token, app, "/roles/check-action", where | {"action": action})
        if answer is not None:
            roles = world.granting_roles(token.person, token.workspace, scope, action)
            assert answer == {"allowed": bool(roles), "roles": roles}, ("check-action", token, app, action)
        answer = await self._ask(token, app, "/roles/user-actions", where, method="GET")
        if answer is not None:
            granted = world.granted(token.person, token.workspace, scope)
            assert answer == {"actions": granted}, ("user-actions", token, app)

    async def _ask(
        self, token: Kept, app: App, path: str, body: dict[str, Any], *, method: str = "POST"
    ) -> Any:
        """The answer, or None when the law refuses the question and so did the service."""
        answer = await self._stage.client.request(
            method,
            path,
            headers={"X-Service-Key": app.key} | bearer(token.text),
            json=body if method == "POST" else None,
            params=body if method == "GET" else None,
        )
        expected = self._world.refusal(token, app) or 200
        assert answer.status_code == expected, (path, answer.status_code, expected, token, app, answer.text)
        return answer.json() if expected == 200 else None

    def _nothing(self, app: App) -> dict[str, str]:
        """A question about what nobody has registered."""
        return {
            "service_name": self._world.scope(app),
            "resource_type": UNKNOWN,
            "resource_id": str(uuid4()),
            "action": "view",
        }

    def _any(self, choices: Sequence[Any]) -> Any:
        return self._lots.choice(choices)


def moment(text: str) -> datetime:
    """A time as the service writes it."""
    return datetime.fromisoformat(text)
