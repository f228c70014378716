"""Questions of one tick in one request, and the decision cache (``python-sdk.md`` §5)."""

import asyncio
from uuid import uuid4

import httpx
import pytest

from sentinel_auth import AuthenticatedUser, RequestAuth, SentinelError
from sentinel_auth.cache import DecisionCache, digest
from tests.sdk.furniture import World

pytestmark = pytest.mark.anyio


async def test_a_hundred_concurrent_questions_make_one_request(world: World) -> None:
    mine = [await world.stage.resource(world.workspace, world.viewer) for _ in range(3)]
    foreign = [uuid4() for _ in range(97)]
    token = world.token(world.viewer)
    async with world.permissions() as client:
        with world.stage.statements() as statements:
            answers = await asyncio.gather(
                *(client.can(token, "document", one, "view") for one in foreign),
                *(client.can(token, "document", one.resource_id, "edit") for one in mine),
            )
    assert answers == [False] * 97 + [True] * 3
    assert world.line.asked == ["POST /permissions/check"]
    assert len(statements) == 1


async def test_the_same_question_is_sent_once_and_more_than_a_hundred_are_split(world: World) -> None:
    document = (await world.stage.resource(world.workspace, world.viewer)).resource_id
    token = world.token(world.viewer)
    async with world.permissions() as client:
        assert (
            await asyncio.gather(*(client.can(token, "document", document, "view") for _ in range(250)))
            == [True] * 250
        )
        assert len(world.line.requests) == 1
        assert world.line.requests[0].content.count(b"resource_id") == 1
        await asyncio.gather(*(client.can(token, "document", uuid4(), "view") for _ in range(250)))
        assert len(world.line.requests) == 4


async def test_people_never_share_a_request(world: World) -> None:
    document = (await world.stage.resource(world.workspace, world.viewer, visibility="private")).resource_id
    people = (world.viewer, world.other, world.owner)
    async with world.permissions() as client:
        answers = await asyncio.gather(
            *(client.can(world.token(one), "document", document, "view") for one in people)
        )
    assert answers == [True, False, True]
    assert len({request.headers["authorization"] for request in world.line.requests}) == 3


async def test_L22_a_malformed_question_spoils_only_its_own_answer(world: World) -> None:
    document = (await world.stage.resource(world.workspace, world.viewer)).resource_id
    token = world.token(world.viewer)
    async with world.permissions() as client:
        good, bad, unknown = await asyncio.gather(
            client.can(token, "document", document, "view"),
            client.can(token, "document", document, "destroy"),
            client.can(token, "document", uuid4(), "view"),
            return_exceptions=True,
        )
    assert (good, unknown) == (True, False)
    assert isinstance(bad, SentinelError) and bad.status_code == 422


async def test_L28_every_caller_gets_an_error_of_his_own(world: World) -> None:
    for failure in (httpx.ReadTimeout("slow"), httpx.Response(500, json={"detail": "x"})):
        world.line.answers = [failure]
        async with world.permissions() as client:
            errors = await asyncio.gather(
                *(client.can(world.token(world.viewer), "document", uuid4(), "view") for _ in range(3)),
                return_exceptions=True,
            )
        assert len({id(error) for error in errors}) == 3
        assert {type(error) for error in errors} <= {httpx.ReadTimeout, SentinelError}
        assert len({str(error) for error in errors}) == 1


async def test_a_caller_who_gives_up_takes_nothing_from_others(world: World) -> None:
    document = (await world.stage.resource(world.workspace, world.viewer)).resource_id
    async with world.permissions() as client:
        first, second = (
            asyncio.create_task(client.can(world.token(world.viewer), "document", document, "view"))
            for _ in range(2)
        )
        await asyncio.sleep(0)
        first.cancel()
        assert await second is True
        with pytest.raises(asyncio.CancelledError):
            await first


# --- the cache -------------------------------------------------------------------------------------------------


async def test_without_a_cache_every_answer_is_current(world: World) -> None:
    document = uuid4()
    async with world.permissions() as client, world.permissions() as elsewhere:
        await elsewhere.register_resource("document", document, world.workspace.id, world.owner.id, "private")
        assert not await client.can(world.token(world.other), "document", document, "view")
        await elsewhere.share(world.token(world.owner), "document", document, "user", world.other.id)
        assert await client.can(world.token(world.other), "document", document, "view")


async def test_L21_a_cached_decision_depends_on_everything_that_was_asked(world: World) -> None:
    private = (await world.stage.resource(world.workspace, world.viewer, visibility="private")).resource_id
    public = (await world.stage.resource(world.workspace, world.owner)).resource_id
    people = (world.viewer, world.other, world.owner)
    asked = [
        (person, kind, document, action)
        for person in people
        for kind in ("document", "note")
        for document in (private, public)
        for action in ("view", "edit")
    ]
    async with world.permissions() as plain, world.permissions(cache_ttl=60) as cached:
        for _ in range(2):
            for person, kind, document, action in asked:
                token = world.token(person)
                assert await cached.can(token, kind, document, action) == await plain.can(
                    token, kind, document, action
                )
            for person in people:
                for action in ("view", "edit"):
                    for limit in (None, 1):
                        arguments = (world.token(person), "document", action, world.workspace.id, limit)
                        assert await cached.accessible(*arguments) == await plain.accessible(*arguments)
        before = len(world.line.requests)
        for person, kind, document, action in asked:
            await cached.can(world.token(person), kind, document, action)
        assert len(world.line.requests) == before
        await cached.register_resource("document", uuid4(), world.workspace.id, world.owner.id)
        await cached.can(world.token(world.viewer), "document", private, "view")
        assert len(world.line.requests) == before + 2


async def test_own_writes_clear_the_cache(world: World) -> None:
    document = uuid4()
    owner, other = world.token(world.owner), world.token(world.other)
    async with world.permissions(cache_ttl=60) as client:

        async def may() -> bool:
            return await client.can(other, "document", document, "view")

        assert not await may()
        await client.register_resource("document", document, world.workspace.id, world.owner.id, "private")
        await client.share(owner, "document", document, "user", world.other.id)
        assert await may()
        await client.unshare(owner, "document", document, "user", world.other.id)
        assert not await may()
        await client.update_visibility(owner, "document", document, "workspace")
        assert await may()
        await client.deregister_resource("document", document)
        assert not await may()


async def test_what_is_asked_during_a_write_is_asked_anew_and_not_kept(world: World) -> None:
    document = uuid4()
    other = world.token(world.other)
    seen = []
    async with world.permissions(cache_ttl=60) as client:

        async def ask(request: httpx.Request) -> None:
            if request.url.path == "/permissions/register":
                seen.append(await client.can(other, "document", document, "view"))

        assert not await client.can(other, "document", document, "view")
        world.line.meanwhile = ask
        await client.register_resource("document", document, world.workspace.id, world.owner.id)
        assert seen == [False]
        assert await client.can(other, "document", document, "view") is True
    assert world.line.asked.count("POST /permissions/check") == 3


async def test_a_request_keeps_its_answers_until_it_changes_something(world: World) -> None:
    document = uuid4()
    user = RequestAuth(_user_of(world), world.token(world.editor), world.permissions(), world.roles())
    assert not await user.can("document", document, "view")
    assert not await user.can("document", document, "view")
    assert await user.accessible("document", "view") == ([], False)
    assert await user.accessible("document", "view") == ([], False)
    assert not await user.check_action("reports:export")
    assert not await user.check_action("reports:export")
    assert len(world.line.requests) == 3
    await user.register_resource("document", document, visibility="private")
    assert await user.can("document", document, "view")
    assert await user.accessible("document", "view") == ([document], False)


def _user_of(world: World) -> AuthenticatedUser:
    return AuthenticatedUser(
        world.editor.id, "editor@example.com", "Edda", world.workspace.id, "acme", "editor"
    )


def test_the_cache_is_bounded_and_drops_the_expired_before_the_oldest() -> None:
    now = [0.0]
    cache = DecisionCache(10, capacity=3, clock=lambda: now[0])
    cache.put("old", 1, 0)
    now[0] = 5
    cache.put("a", 1, 0)
    cache.put("b", 1, 0)
    now[0] = 11
    cache.put("c", 1, 0)
    assert [cache.get(key) for key in ("old", "a", "b", "c")] == [None, 1, 1, 1]
    cache.put("d", 1, 0)
    assert [cache.get(key) for key in ("a", "b", "c", "d")] == [None, 1, 1, 1]
    now[0] = 15
    assert cache.get("b") is None
    cache.clear()
    cache.put("late", 1, 0)
    assert len(cache) == 0


def test_the_cache_keeps_no_token() -> None:
    cache = DecisionCache(10)
    cache.put((digest("the-token"), "can"), True, 0)
    assert "the-token" not in repr(cache) + repr(cache.__dict__)
