"""Service keys (``tokens.md`` §8), and how secrets are compared and errors made (L26, L28)."""

import hashlib
import json
import re
import secrets
import string
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

import sentinel
from sentinel.app import flush_books
from sentinel.apps import authentication, keys, service_apps
from sentinel.apps.authentication import Credentials
from sentinel.apps.models import Realm, ServiceApp
from sentinel.core.errors import Unprocessable
from tests.stage import Service, Stage, bearer, open_stage

pytestmark = pytest.mark.anyio

ORIGIN = "https://notes.example.com"
SOURCE = Path(sentinel.__file__).parent


@dataclass(frozen=True)
class World:
    """A member of a workspace and a service that asks for him."""

    stage: Stage
    access: dict[str, str]
    workspace_id: str
    notes: Service

    async def works(self, key: str, *, scope: str = "notes") -> bool:
        """Whether a key opens what takes a service alone and what takes a service with a person."""
        shown = {"X-Service-Key": key}
        alone = await self.stage.client.get(
            f"/permissions/resource/{scope}/document/{uuid4()}", headers=shown
        )
        wish = {
            "service_name": scope,
            "resource_type": "document",
            "action": "view",
            "workspace_id": self.workspace_id,
        }
        both = await self.stage.client.post("/permissions/accessible", headers=shown | self.access, json=wish)
        outcome = alone.status_code, both.status_code
        assert outcome in ((404, 200), (401, 401), (403, 403)), (alone.text, both.text)
        return outcome == (404, 200)

    async def refused(self, key: str) -> None:
        """401 for the key itself, not for its scope."""
        answer = await self.stage.client.get(
            f"/permissions/resource/notes/document/{uuid4()}", headers={"X-Service-Key": key}
        )
        assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid or missing service key"})
        assert not await self.works(key)

    async def do(self, case: Any, *arguments: Any, **options: Any) -> Any:
        async with self.stage.state.database.transaction() as session:
            return await case(session, *arguments, actor_id=None, now=self.stage.clock.now(), **options)

    async def rotate(self, minutes: int = 0) -> str:
        _, key = await self.do(service_apps.rotate_key, self.notes.app.id, overlap=timedelta(minutes=minutes))
        return str(key.plaintext)

    async def row(self) -> ServiceApp:
        (app,) = await self.stage.all(ServiceApp, ServiceApp.id == self.notes.app.id)
        assert isinstance(app, ServiceApp)
        return app


@pytest.fixture
async def world(stage: Stage) -> World:
    user = await stage.user()
    workspace = await stage.workspace(user)
    access = await stage.as_user(user, workspace)
    return World(stage, access, str(workspace.id), await stage.service("notes", allowed_origins=[ORIGIN]))


# --- the key ---------------------------------------------------------------------------------------------------


def test_SK_1_a_key_is_32_bytes_behind_a_prefix() -> None:
    made = [keys.generate() for _ in range(50)]
    assert len({key.plaintext for key in made}) == 50
    for key in made:
        assert re.fullmatch(r"sk_[A-Za-z0-9_-]{43}", key.plaintext)
        assert key.hash == hashlib.sha256(key.plaintext.encode()).hexdigest()
        assert key.prefix == f"{key.plaintext[:7]}****"


def test_SK_1_a_key_can_be_told_from_what_only_looks_like_one() -> None:
    for _ in range(200):
        key = keys.generate().plaintext
        assert keys.has_checksum(key) and keys.SHAPE.findall(f"X-Service-Key: {key}\n") == [key]
        # One letter, in whatever place, is enough.
        place = 3 + secrets.randbelow(43)
        for letter in string.ascii_letters + string.digits + "_-":
            other = key[:place] + letter + key[place + 1 :]
            assert keys.has_checksum(other) is (other == key)
        for other in (key[:-1], f"{key}A", key.removeprefix("sk_"), f"sk_{key}", f"{key}\n", key.upper()):
            assert not keys.has_checksum(other)
    old = [f"sk_{secrets.token_urlsafe(32)}" for _ in range(1000)]
    assert [key for key in old if keys.has_checksum(key)] == []
    assert keys.SHAPE.findall("risk_" + "x" * 43 + " sk_" + "x" * 44) == []


async def test_SK_1_and_SK_8_keys_without_checksum_go_on_working(world: World) -> None:
    old = f"sk_{secrets.token_urlsafe(32)}"
    assert not keys.has_checksum(old)
    await world.stage.execute(
        sa.update(ServiceApp)
        .where(ServiceApp.id == world.notes.app.id)
        .values(key_hash=keys.hash_key(old), key_prefix=f"{old[:7]}****")
    )
    assert await world.works(old) and not await world.works(world.notes.key)


async def test_SK_1_and_SK_2_and_T2_the_database_has_the_hash_and_the_prefix_alone(world: World) -> None:
    """Rules: L27."""
    with world.stage.events() as lines:
        key = await world.rotate(minutes=10)
        assert await world.works(key) and await world.works(world.notes.key)
        await world.refused(key[:-1])
    row = await world.row()
    assert row.key_hash == hashlib.sha256(key.encode()).hexdigest()
    assert row.key_prefix == f"{key[:7]}****"
    everything = json.dumps(await world.stage.snapshot()) + str(lines)
    for secret in (key, world.notes.key):
        assert secret not in everything and secret[3:] not in everything
    # Whatever hands out an app later has nothing more to give.
    (_, shown) = await world.do(service_apps.rotate_key, world.notes.app.id, overlap=timedelta())
    assert shown.plaintext not in repr(shown)
    async with world.stage.state.database.reading() as session:
        (listed,) = await service_apps.list_all(session)
    assert {name for name in vars(listed) if "key" in name} == {
        "key_hash",
        "key_prefix",
        "previous_key_hash",
        "previous_key_expires_at",
    }


async def test_SK_3_a_rotated_key_fails_from_the_next_request_on(world: World) -> None:
    new = await world.rotate()
    await world.refused(world.notes.key)
    assert await world.works(new)
    row = await world.row()
    assert (row.previous_key_hash, row.previous_key_expires_at) == (None, None)
    (activity,) = await world.stage.activities("service_app_key_rotated")
    assert activity.detail is not None and activity.detail["overlap_minutes"] == 0


async def test_SK_3_an_overlap_keeps_the_old_key_for_its_minutes(world: World) -> None:
    second = await world.rotate(minutes=10)
    world.stage.clock.advance(599)
    assert await world.works(world.notes.key) and await world.works(second)
    world.stage.clock.advance(1)
    await world.refused(world.notes.key)
    assert await world.works(second)
    # Only one key overlaps: the next rotation ends the one before the last, and one without overlap both.
    third = await world.rotate(minutes=1440)
    fourth = await world.rotate(minutes=10)
    await world.refused(second)
    assert await world.works(third) and await world.works(fourth)
    fifth = await world.rotate()
    await world.refused(third)
    await world.refused(fourth)
    assert await world.works(fifth)
    for minutes in (-1, 1441):
        with pytest.raises(Unprocessable):
            await world.rotate(minutes=minutes)
    assert await world.works(fifth)


async def test_SK_4_the_key_of_an_inactive_app_is_refused_at_once(world: World) -> None:
    new = await world.rotate(minutes=10)
    for active in (False, True, False):
        await world.do(service_apps.set_active, world.notes.app.id, active)
        for key in (new, world.notes.key):
            assert await world.works(key) is active


async def test_SK_5_every_change_acts_on_the_next_request_of_every_worker(
    world: World, database_url: str, stage_keys: Any
) -> None:
    """Rules: SB-6."""
    async with open_stage(database_url, stage_keys, clock=world.stage.clock) as worker:
        elsewhere = World(worker, world.access, world.workspace_id, world.notes)
        assert await elsewhere.works(world.notes.key)
        fresh = await world.stage.service("tasks")
        assert await elsewhere.works(fresh.key, scope="tasks")
        rotated = await world.rotate()
        await elsewhere.refused(world.notes.key)
        realm = await world.stage.realm("suite")
        by_id = ServiceApp.id == world.notes.app.id
        for realm_id, scope, other in ((realm.id, "suite", "notes"), (None, "notes", "suite")):
            await world.stage.execute(sa.update(ServiceApp).where(by_id).values(realm_id=realm_id))
            assert await elsewhere.works(rotated, scope=scope)
            assert not await elsewhere.works(rotated, scope=other)
        await world.stage.execute(sa.update(ServiceApp).where(by_id).values(realm_id=realm.id))
        await world.stage.execute(sa.delete(Realm))
        assert await elsewhere.works(rotated)
        await world.do(service_apps.delete, world.notes.app.id)
        await elsewhere.refused(rotated)
        assert await elsewhere.works(fresh.key, scope="tasks")


async def test_SK_6_a_key_is_found_by_index_among_many(world: World) -> None:
    """However many apps there are, one key is one look-up: for a known and for an unknown one."""
    now, many = world.stage.clock.now(), 3000
    rows = [
        {
            "id": uuid4(),
            "name": f"app {number}",
            "service_name": f"app-{number}",
            "key_hash": hashlib.sha256(f"key {number}".encode()).hexdigest(),
            "key_prefix": "sk_abcd****",
            "previous_key_hash": hashlib.sha256(f"old {number}".encode()).hexdigest(),
            "previous_key_expires_at": now,
            "is_active": True,
            "allowed_origins": [],
            "allowed_idp_audiences": [],
        }
        for number in range(many)
    ]
    async with world.stage.state.database.transaction() as session:
        await session.execute(sa.insert(ServiceApp), rows)
    await world.stage.execute(sa.text("ANALYZE service_apps"))
    sqlite = world.stage.state.database.is_sqlite
    parameters = authentication.parameters(Credentials(world.notes.app.key_hash), now)
    async with world.stage.state.database.reading() as session:
        dialect = session.get_bind().dialect
        statement = authentication._STATEMENT.params(parameters)
        text = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
        explain = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
        plan = [
            str(row[-1]) for row in await session.execute(sa.text(f"{explain} {text}".replace(":", "\\:")))
        ]
    scans = [line for line in plan if re.search(r"SCAN service_apps|Seq Scan on service_apps", line)]
    # The question whether any app is active stops at the first row, so only it may look at the table itself.
    found = [line for line in plan if "key_hash" in line]
    assert len(found) >= 2, plan
    assert len(scans) <= 1, plan


async def test_SK_6_unknown_keys_count_to_the_failed_auth_limit(database_url: str, stage_keys: Any) -> None:
    async with open_stage(
        database_url, stage_keys, rate_limit_enabled=True, rate_limit_failed_auth="3/minute"
    ) as stage:
        notes = await stage.service("notes")
        path = f"/permissions/resource/notes/document/{uuid4()}"

        async def status(key: str | None) -> int:
            headers = {} if key is None else {"X-Service-Key": key}
            return (await stage.client.get(path, headers=headers)).status_code

        # No key at all, and one that cannot be any, are no guesses; good keys and their callers are none either.
        assert [await status(None) for _ in range(5)] == [401] * 5
        assert [await status(notes.key) for _ in range(5)] == [404] * 5
        assert [await status(f"sk_{number}") for number in range(3)] == [401] * 3
        with stage.statements() as seen:
            assert [await status("sk_more"), await status(notes.key)] == [429, 429]
        assert len(seen) == 0, "refused before anything is looked up"
        stage.clock.advance(60)
        assert [await status("sk_more"), await status(notes.key)] == [401, 404]


async def test_SK_7_the_last_use_is_noted_once_a_minute_and_costs_the_request_nothing(world: World) -> None:
    stage = world.stage
    assert (await world.row()).last_used_at is None
    with stage.statements() as seen:
        assert await world.works(world.notes.key)
    assert not [text for text in seen.texts if text.startswith("UPDATE")]
    assert (await world.row()).last_used_at is None
    await flush_books(stage.state)
    first = (await world.row()).last_used_at
    assert first == stage.clock.now()
    stage.clock.advance(59)
    assert await world.works(world.notes.key)
    with stage.statements() as seen:
        await flush_books(stage.state)
    assert (len(seen), (await world.row()).last_used_at) == (0, first)
    stage.clock.advance(1)
    assert await world.works(world.notes.key)
    await flush_books(stage.state)
    assert (await world.row()).last_used_at == stage.clock.now()
    # A key that was refused was not used.
    stage.clock.advance(120)
    await world.do(service_apps.set_active, world.notes.app.id, False)
    await world.refused(world.notes.key)
    await flush_books(stage.state)
    used = (await world.row()).last_used_at
    assert used is not None and used < stage.clock.now()


async def test_SK_7_a_use_is_not_lost_while_the_database_is_away(world: World) -> None:
    assert await world.works(world.notes.key)
    async with world.stage.without_database():
        await flush_books(world.stage.state)
    await flush_books(world.stage.state)
    assert (await world.row()).last_used_at == world.stage.clock.now()


async def test_SK_8_only_the_whole_key_is_the_key(world: World) -> None:
    key = world.notes.key
    row = await world.row()
    near_misses = [
        key[:-1],
        key + "=",
        key + " x",
        key.upper(),
        key.removeprefix("sk_"),
        f"Bearer {key}",
        row.key_hash,
        row.key_prefix,
        "-",
        "",
        "sk_",
        "%",
        "' OR 1=1 --",
        "x" * 257,
        "x" * 5000,
    ]
    for value in near_misses:
        await world.refused(value)
    path = f"/permissions/resource/notes/document/{uuid4()}"
    for raw in (b"\xff\xfe", "sk_\u00e9".encode()):
        answer = await world.stage.client.get(path, headers=[(b"X-Service-Key", raw)])
        assert answer.status_code == 401
    twice = [("X-Service-Key", key), ("X-Service-Key", key)]
    assert (await world.stage.client.get(path, headers=twice)).status_code == 401
    assert await world.works(key)


async def test_SK_9_a_wrong_key_is_not_made_good_by_an_origin(world: World) -> None:
    """Rules: RO-8, Z1."""
    http, origin = world.stage.client, {"Origin": ORIGIN}
    path = f"/permissions/resource/notes/document/{uuid4()}"
    for shown in ({}, {"X-Service-Key": "sk_" + "x" * 43}, {"X-Service-Key": ""}):
        assert (await http.get(path, headers=origin | shown)).status_code == 401
        answer = await http.post(
            "/permissions/accessible",
            headers=origin | shown | world.access,
            json={
                "service_name": "notes",
                "resource_type": "document",
                "action": "view",
                "workspace_id": world.workspace_id,
            },
        )
        assert answer.status_code == 401
    # Where an origin is enough, it is so only without any key; then the token it brings is looked at.
    body = {"idp_token": "x", "provider": "corp"}

    async def resolve(headers: dict[str, str]) -> httpx.Response:
        return await http.post("/authz/resolve", headers=headers, json=body)

    assert (await resolve(origin)).status_code == 400
    assert (await resolve(world.notes.headers)).status_code == 400
    for key in ("sk_" + "x" * 43, "", "x" * 300):
        assert (await resolve(origin | {"X-Service-Key": key})).status_code == 401, key
    await world.rotate()
    assert (await resolve(origin | world.notes.headers)).status_code == 401
    for headers in ({}, {"Origin": "https://elsewhere.example.com"}, {"Origin": "null"}, world.access):
        assert (await resolve(headers)).status_code == 401, headers
    await world.do(service_apps.set_active, world.notes.app.id, False)
    assert (await resolve(origin)).status_code == 401


async def test_a_key_is_no_bearer_token(world: World) -> None:
    for headers in (bearer(world.notes.key), {"X-Authz-Token": world.notes.key}):
        assert (await world.stage.client.get("/users/me", headers=headers)).status_code == 401
