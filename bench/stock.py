"""What clients show and ask: tokens, keys and questions about a world, each with the answer that the law gives."""

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

from bench.data import PROVIDER, SERVICES, SHOWROOM_TYPE, TYPES, World
from bench.driver import request
from bench.servers import all_cores
from sentinel.core.clock import Clock
from sentinel.identity.models import PUBLIC_ORGANIZATION_ID
from sentinel.permissions.decide import Action, decide, has_full_access
from sentinel.tokens.claims import OrganizationClaims, TokenSubject
from sentinel.tokens.issue import Issuer, Lifetimes
from sentinel.tokens.keyring import FileKeyring

BASE_URL = "http://localhost:9003"
KEY_OF_SCOPE = {realm or name: name for name, realm in reversed(SERVICES)}
"""A service that speaks for each scope."""

Judge = Callable[[int, bytes], bool]
"""Whether status and body are the right answer."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One request and the judge of its answer."""

    method: str
    path: str
    body: Any
    headers: dict[str, str]
    judge: Judge

    def wire(self) -> bytes:
        """The request as it goes to the service."""
        return request(self.method, self.path, self.body, self.headers)

    def ceiling(self, path: str) -> bytes:
        """The same request, sent to the ceiling instead."""
        return request(self.method, path, self.body, self.headers)


@dataclass
class Stock:
    """A world's people with their credentials. ``keys`` are the private and public key files of the service."""

    world: World
    keys: tuple[Path, Path]
    chance: Random = field(default_factory=lambda: Random(7))  # noqa: S311 - the same questions every time

    def __post_init__(self) -> None:
        self._issuer = issuer(self.keys)
        self._tokens: dict[tuple[int, int], str] = {}
        self._places: dict[int, list[int]] = {}

    # ── credentials ──

    def subject(self, person: int, workspace: int) -> TokenSubject:
        """What goes into somebody's token."""
        world, organization = self.world, self.world.organization(person)
        return TokenSubject(
            user_id=world.uuid("user", person),
            email=world.email(person),
            name=world.name(person),
            epoch=0,
            workspace_id=world.uuid("workspace", workspace),
            workspace_slug=f"workspace-{workspace}",
            workspace_role=world.roles_of_members[workspace][person],
            group_ids=tuple(world.uuid("group", group) for group in world.groups_of_person.get(person, ())),
            organization=OrganizationClaims(PUBLIC_ORGANIZATION_ID, "public", True)
            if organization is None
            else OrganizationClaims(
                world.uuid("organization", organization), f"org-{organization}", is_public=False
            ),
        )

    def token(self, person: int, workspace: int) -> str:
        """Somebody's access token; the same one whenever he is asked again."""
        pair = (person, workspace)
        if pair not in self._tokens:
            self._tokens[pair] = self._issuer.access(self.subject(*pair)).token
        return self._tokens[pair]

    def admin_token(self) -> str:
        """The token of the panel, of the first person, who is an administrator."""
        world = self.world
        signed = self._issuer.admin(
            user_id=world.uuid("user", 0), email=world.email(0), name=world.name(0), epoch=0
        )
        return signed.token

    def fresh_tokens(self, pairs: Sequence[tuple[int, int]]) -> list[str]:
        """A new token for each person and workspace. Signing takes a millisecond, so all processors help."""
        subjects = [self.subject(*pair) for pair in pairs]
        step = max(1, len(subjects) // 16)
        parts = [subjects[at : at + step] for at in range(0, len(subjects), step)]
        cores = all_cores()
        with ProcessPoolExecutor(len(cores), get_context("spawn"), os.sched_setaffinity, (0, cores)) as pool:
            signed = pool.map(_sign, [self.keys] * len(parts), parts)
            return [token for part in signed for token in part]

    def key(self, scope: str) -> dict[str, str]:
        """The header of a service that speaks for ``scope``."""
        return {"X-Service-Key": self.world.service_key(KEY_OF_SCOPE[scope])}

    def both(self, scope: str, person: int, workspace: int) -> dict[str, str]:
        """Service key and token of a person."""
        return self.key(scope) | {"Authorization": f"Bearer {self.token(person, workspace)}"}

    # ── people and places ──

    def seats(self, count: int) -> list[tuple[int, int]]:
        """Active people, each in a workspace of his; large workspaces more often, as it is."""
        world = self.world
        found: list[tuple[int, int]] = []
        while len(found) < count:
            person = self.chance.randrange(world.size.people)
            workspace = self.chance.choice(world.workspaces_of[person])
            if world.is_active(person):
                found.append((person, workspace))
        return found

    def resources_of(self, workspace: int) -> list[int]:
        """All resources of a workspace outside the showroom, in the order of their creation."""
        if not self._places:
            self._places = self.world.places()
        return self._places.get(workspace, [])

    # ── questions ──

    def item(self, number: int, action: Action) -> dict[str, str]:
        """A question about one resource."""
        facts = self.world.resource(number)
        return {
            "service_name": facts.scope,
            "resource_type": facts.kind,
            "resource_id": str(self.world.uuid("thing", number)),
            "action": action.value,
        }

    def allowed(self, person: int, workspace: int, number: int, action: Action) -> bool:
        """The law's answer."""
        world = self.world
        return decide(world.asker(person, workspace), world.record(person, number), action).allowed

    def check(self, person: int, workspace: int, number: int, token: str | None = None) -> Shot:
        """A single check by somebody, with a token of his."""
        action = self.chance.choice((Action.VIEW, Action.VIEW, Action.EDIT))
        item = self.item(number, action)
        right = {"results": [item | {"allowed": self.allowed(person, workspace, number, action)}]}
        token = token or self.token(person, workspace)
        headers = self.key(item["service_name"]) | {"Authorization": f"Bearer {token}"}
        return Shot("POST", "/permissions/check", {"checks": [item]}, headers, equals(right))

    def checks(self, count: int, people: int = 500) -> list[Shot]:
        """Single checks by a crowd of people: most about resources of their own workspaces, some about others."""
        world = self.world
        shots: list[Shot] = []
        seats = self.seats(people)
        while len(shots) < count:
            number = self.chance.randrange(world.size.resources)
            facts = world.resource(number)
            person, workspace = self.chance.choice(seats)
            if self.chance.random() < 0.9 and (mine := self._narrowed(workspace, facts.scope)):
                number = self.chance.choice(mine)
            shots.append(self.check(person, workspace, number))
        return shots

    def _narrowed(self, workspace: int, scope: str) -> list[int]:
        return [n for n in self.resources_of(workspace)[:200] if self.world.resource(n).scope == scope]

    def batches(self, count: int, size: int = 100) -> list[Shot]:
        """Checks of ``size`` resources of one workspace and service at once."""
        shots = []
        for person, workspace in self._in_large_places(count, size):
            numbers = [n for n in self.resources_of(workspace)[: size * 20] if self._scope(n) == "notes"]
            chosen = [self.chance.choice(numbers) for _ in range(size)]
            items = [self.item(number, self.chance.choice(list(Action))) for number in chosen]
            right = [
                item | {"allowed": self.allowed(person, workspace, number, Action(item["action"]))}
                for item, number in zip(items, chosen, strict=True)
            ]
            headers = self.both("notes", person, workspace)
            shots.append(
                Shot("POST", "/permissions/check", {"checks": items}, headers, equals({"results": right}))
            )
        return shots

    def listings(self, count: int, limit: int = 100) -> list[Shot]:
        """The first ``limit`` documents that somebody may view."""
        shots = []
        for person, workspace in self._in_large_places(count, limit):
            shots.append(self._listing(person, workspace, TYPES["notes"], limit))
        return shots

    def whole_showroom(self) -> list[Shot]:
        """Everything of the showroom, without a limit."""
        return [self._listing(self.world.visitor(), 0, SHOWROOM_TYPE, None)]

    def _listing(self, person: int, workspace: int, kind: str, limit: int | None) -> Shot:
        world = self.world
        full = has_full_access(world.roles_of_members[workspace][person])
        of_kind = range(world.showroom) if kind == SHOWROOM_TYPE else self.resources_of(workspace)
        right: list[str] = []
        for number in of_kind:
            facts = world.resource(number)
            if facts.kind == kind and self.allowed(person, workspace, number, Action.VIEW):
                right.append(str(world.uuid("thing", number)))
                if limit is not None and len(right) > limit:
                    break
        if full and limit is None:
            right = []
        cut = limit is not None and len(right) > limit

        def judge(status: int, body: bytes) -> bool:
            found = json.loads(body) if status == 200 else {}
            return (
                found.get("resource_ids") == (right[:limit] if cut else right)
                and found.get("has_full_access") is full
                and ("next_cursor" in found) is cut
            )

        body = {
            "service_name": "notes",
            "resource_type": kind,
            "action": "view",
            "workspace_id": str(world.uuid("workspace", workspace)),
        }
        if limit is not None:
            body |= {"limit": limit}  # type: ignore[dict-item]
        return Shot("POST", "/permissions/accessible", body, self.both("notes", person, workspace), judge)

    def _scope(self, number: int) -> str:
        return self.world.resource(number).scope

    def _in_large_places(self, count: int, least: int) -> list[tuple[int, int]]:
        """People of workspaces that have at least ``least`` documents; not of the first, which is like no other."""
        world = self.world
        large = [
            workspace
            for workspace in range(1, min(60, world.size.workspaces))
            if sum(self._scope(n) == "notes" for n in self.resources_of(workspace)[: least * 4]) > least
        ] or [1]
        found: list[tuple[int, int]] = []
        while len(found) < count:
            workspace = self.chance.choice(large)
            person = self.chance.choice(world.members[workspace])
            if world.is_active(person):
                found.append((person, workspace))
        return found

    def action_checks(self, count: int) -> list[Shot]:
        """May somebody perform an action of a service? Half of the questions are about one that he may perform."""
        shots = []
        for person, workspace in self.seats(count):
            scope = self.chance.choice(("notes", "drive", "suite"))
            granted = self.world.granted(person, workspace, scope)
            asked = self.chance.choice(sorted(granted)) if granted else self.chance.choice(self.world.actions)
            roles = granted.get(asked, [])
            body = {
                "service_name": scope,
                "action": asked,
                "workspace_id": str(self.world.uuid("workspace", workspace)),
            }
            right = {"allowed": bool(roles), "roles": roles}
            shots.append(
                Shot("POST", "/roles/check-action", body, self.both(scope, person, workspace), equals(right))
            )
        return shots

    def action_lists(self, count: int) -> list[Shot]:
        """Everything that somebody may perform."""
        shots = []
        for person, workspace in self.seats(count):
            scope = self.chance.choice(("notes", "drive", "suite"))
            right = {"actions": sorted(self.world.granted(person, workspace, scope))}
            path = f"/roles/user-actions?service_name={scope}&workspace_id={self.world.uuid('workspace', workspace)}"
            shots.append(Shot("GET", path, None, self.both(scope, person, workspace), equals(right)))
        return shots

    def profiles(self, count: int) -> list[Shot]:
        """Who am I?"""
        shots = []
        for person, workspace in self.seats(count):
            right = {
                "id": str(self.world.uuid("user", person)),
                "email": self.world.email(person),
                "name": self.world.name(person),
            }
            headers = {"Authorization": f"Bearer {self.token(person, workspace)}"}
            shots.append(Shot("GET", "/users/me", None, headers, contains(right)))
        return shots

    def resolutions(self, count: int, id_token: Callable[[int], str]) -> list[Shot]:
        """An identity provider's token for an authz token of ours."""
        shots = []
        for person, workspace in self.seats(count):
            world = self.world
            organization = world.organization(person)
            if organization is not None and not world.is_enabled(organization):
                continue
            body = {
                "idp_token": id_token(person),
                "provider": PROVIDER,
                "workspace_id": str(world.uuid("workspace", workspace)),
            }
            user = {
                "id": str(world.uuid("user", person)),
                "email": world.email(person),
                "name": world.name(person),
            }
            role = {"role": world.roles_of_members[workspace][person]}

            def judge(
                status: int, answer: bytes, user: dict[str, str] = user, role: dict[str, str] = role
            ) -> bool:
                found: dict[str, Any] = json.loads(answer) if status == 200 else {}
                place: dict[str, Any] = found.get("workspace") or {}
                return bool(found.get("user") == user) and role.items() <= place.items()

            shots.append(Shot("POST", "/authz/resolve", body, self.key("notes"), judge))
        return shots

    def key_sets(self) -> list[Shot]:
        """The public keys."""
        right = FileKeyring(*self.keys, [], clock=Clock()).jwks()
        return [Shot("GET", "/.well-known/jwks.json", None, {}, equals(right))]


def issuer(keys: tuple[Path, Path]) -> Issuer:
    """Signs as the service does; tokens live for a day."""
    day = timedelta(days=1)
    clock = Clock()
    return Issuer(FileKeyring(*keys, [], clock=clock), BASE_URL, Lifetimes(day, day, day, day), clock)


def _sign(keys: tuple[Path, Path], subjects: Sequence[TokenSubject]) -> list[str]:
    signing = issuer(keys)
    return [signing.access(subject).token for subject in subjects]


def equals(right: Any) -> Judge:
    """200 and exactly this document."""
    known: set[bytes] = set()

    def judge(status: int, body: bytes) -> bool:
        if status != 200:
            return False
        if body not in known:
            if json.loads(body) != right:
                return False
            known.add(body)
        return True

    return judge


def contains(right: dict[str, Any]) -> Judge:
    """200 and a document with these members among others."""

    def judge(status: int, body: bytes) -> bool:
        found: dict[str, Any] = json.loads(body) if status == 200 else {}
        return right.items() <= found.items()

    return judge
