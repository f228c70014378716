"""Allow-lists of workspaces: ``admin.md`` §5, ``authorization.md`` §7 rules 8, 10 and 11."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.core.errors import Conflict, DomainError, Invalid, NotFound, Unprocessable
from sentinel.identity.models import PUBLIC_ORGANIZATION_ID, Organization
from sentinel.workspaces import allow_list, gates
from sentinel.workspaces.models import AllowedOrganization, Workspace
from tests.races import at_once, in_a_row, outcome, read, use
from tests.stage import Keys, Stage, open_stage

pytestmark = pytest.mark.anyio


async def refusal(call: Any) -> DomainError:
    refused = await outcome(call)
    assert isinstance(refused, DomainError), refused
    return refused


async def test_admin_5_the_list_is_set_as_a_whole(stage: Stage) -> None:
    admin = await stage.user(is_admin=True)
    workspace, other = await stage.workspace(), await stage.workspace()
    acme, zeta = [await stage.organization(slug=slug) for slug in ("acme", "zeta")]
    await stage.restrict(other, zeta)
    assert await read(stage, allow_list.get, workspace.id) == []
    for given, expected in (
        ([acme.id, zeta.id, acme.id], {acme.id, zeta.id}),
        ([zeta.id], {zeta.id}),
        ([zeta.id] * allow_list.MAX_ENTRIES, {zeta.id}),
        ([acme.id, zeta.id], {acme.id, zeta.id}),
        ([], set()),
    ):
        kept = {row.id for row in await stage.all(AllowedOrganization)}
        answer = await use(stage, allow_list.replace, workspace.id, given, actor_id=admin.id)
        assert (len(answer), set(answer)) == (len(expected), expected)
        assert await read(stage, allow_list.get, workspace.id) == answer
        rows = await stage.all(AllowedOrganization, AllowedOrganization.workspace_id == workspace.id)
        assert {row.organization_id for row in rows} == expected
        stage.clock.advance(1)
        last = (await stage.activities("workspace_allowed_orgs_set"))[-1]
        assert (last.target_id, last.workspace_id, last.actor_id) == (workspace.id, workspace.id, admin.id)
        assert last.detail is not None
        assert {str(one) for one in expected} == set(last.detail["organization_ids"])
        assert kept, "the list of the other workspace is there all the time"
    assert await read(stage, allow_list.get, other.id) == [zeta.id]


async def test_authorization_7_11_entries_are_enabled_and_not_public(stage: Stage) -> None:
    workspace = await stage.workspace()
    acme, closed = await stage.organization(), await stage.organization(name="Globex", enabled=False)
    nobody = uuid4()
    await use(stage, allow_list.replace, workspace.id, [acme.id])
    before = await stage.snapshot()
    for bad, reason, told in (
        (PUBLIC_ORGANIZATION_ID, "organization_public", "public organization"),
        (closed.id, "organization_disabled", "Globex is disabled: enable it, or take it off the list"),
        (nobody, "unknown_organization", str(nobody)),
    ):
        refused = await refusal(use(stage, allow_list.replace, workspace.id, [acme.id, bad]))
        assert (type(refused), refused.reason) == (Invalid, reason)
        assert told in refused.detail
    for call in (
        use(stage, allow_list.replace, uuid4(), [acme.id]),
        read(stage, allow_list.get, uuid4()),
        read(stage, allow_list.shut_out_by, uuid4(), [acme.id]),
    ):
        assert isinstance(await refusal(call), NotFound)
    too_many = await refusal(use(stage, allow_list.replace, workspace.id, [acme.id] * 501))
    assert isinstance(too_many, Unprocessable)
    assert await stage.snapshot() == before


async def test_authorization_7_8_the_panel_knows_who_loses_access(stage: Stage) -> None:
    """The answer agrees with the gate, for everybody, before and after."""
    acme = await stage.organization("acme.example", subdomains=True)
    zeta = await stage.organization("zeta.example")
    closed = await stage.organization("closed.example", enabled=False)
    workspace = await stage.workspace()
    everybody = [
        await stage.member(workspace, role, email=email, organization_id=organization_id)
        for role, email, organization_id in (
            ("owner", "a@acme.example", acme.id),
            ("viewer", "b@x.acme.example", None),
            ("viewer", "c@zeta.example", zeta.id),
            ("editor", "d@zeta.example", None),
            ("viewer", "e@example.com", PUBLIC_ORGANIZATION_ID),
            ("viewer", "f@example.com", None),
            ("viewer", "g@closed.example", closed.id),
            ("viewer", "h@closed.example", None),
            ("viewer", "i@zeta.example", acme.id),
        )
    ]
    await stage.member(await stage.workspace(), email="z@example.com")

    async def admitted() -> set[str]:
        async with stage.state.database.reading() as session:
            return {one.email for one in everybody if await gates.admits(session, one, workspace.id)}

    for proposed in (
        [acme.id],
        [zeta.id],
        [acme.id, zeta.id],
        [],
        [zeta.id],
        [closed.id, uuid4()],
        [acme.id],
    ):
        with stage.statements() as seen:
            losses = await read(stage, allow_list.shut_out_by, workspace.id, proposed)
        assert len(seen) <= 3
        lost = losses.first
        assert (losses.count, losses.more) == (len(lost), 0)
        before = await admitted()
        if closed.id not in proposed:
            await use(stage, allow_list.replace, workspace.id, proposed)
            assert before - await admitted() == {one.email for one in lost}, proposed
        else:
            assert before == {one.email for one in lost}
        assert [one.email for one in lost] == sorted(one.email for one in lost)
    await use(stage, allow_list.replace, workspace.id, [])
    (first, *_) = (await read(stage, allow_list.shut_out_by, workspace.id, [zeta.id])).first
    assert (first.user_id, first.name, first.role) == (everybody[0].id, "Ada Example", "owner")


async def test_authorization_7_8_who_loses_access_is_named_up_to_a_hundred_and_counted(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert allow_list.MAX_SHOWN == 100
    monkeypatch.setattr("sentinel.workspaces.allow_list.MAX_SHOWN", 2)
    acme, workspace = await stage.organization(), await stage.workspace()
    for name in "cba":
        await stage.member(workspace, email=f"member-{name}@example.com")
    losses = await read(stage, allow_list.shut_out_by, workspace.id, [acme.id])
    assert [one.email for one in losses.first] == ["member-a@example.com", "member-b@example.com"]
    assert (losses.count, losses.more) == (3, 1)
    async with stage.panel() as http:
        address = f"/admin/workspaces/{workspace.id}/access"
        review = (await http.get(address, params={"review": "true", "organization_id": str(acme.id)})).text
    assert "3 members lose access" in review and "and 1 more" in review
    assert "member-b@example.com" in review and "member-c@example.com" not in review


async def test_admin_5_of_lists_set_at_once_one_is_whole(stage: Stage) -> None:
    workspace = await stage.workspace()
    pairs = [{(await stage.organization()).id for _ in range(2)} for _ in range(5)]
    tries = [use(stage, allow_list.replace, workspace.id, list(pairs[n % 5])) for n in range(50)]
    assert await at_once(tries) == {"done": 50}
    assert set(await read(stage, allow_list.get, workspace.id)) in pairs


# ── two in a row ──


@pytest.fixture
async def postgres_stage(anyio_backend: Any, postgresql_url: str, stage_keys: Keys) -> AsyncIterator[Stage]:
    async with open_stage(postgresql_url, stage_keys) as opened:
        yield opened


async def test_admin_5_a_change_from_elsewhere_is_a_conflict(postgres_stage: Stage) -> None:
    stage, acme = postgres_stage, await postgres_stage.organization()
    workspace = await stage.workspace()
    row = sa.insert(AllowedOrganization).values(
        id=uuid4(), workspace_id=workspace.id, organization_id=acme.id
    )
    _, refused = await in_a_row(
        stage, lambda session: session.execute(row), use(stage, allow_list.replace, workspace.id, [acme.id])
    )
    assert isinstance(refused, Conflict)


async def test_admin_5_a_workspace_that_goes_has_no_list(postgres_stage: Stage) -> None:
    stage, acme = postgres_stage, await postgres_stage.organization()
    workspace = await stage.workspace()

    async def first(session: AsyncSession) -> None:
        await session.execute(sa.delete(Workspace).where(Workspace.id == workspace.id))

    _, refused = await in_a_row(stage, first, use(stage, allow_list.replace, workspace.id, [acme.id]))
    assert isinstance(refused, NotFound)
    assert await stage.count(Organization, Organization.id == acme.id) == 1
