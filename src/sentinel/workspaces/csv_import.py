"""People and memberships out of a CSV file (``admin.md`` §4): look at what would happen, then do it.

Every row stands alone: it is written whole or not at all, says why not, and spoils no other. Rows share a savepoint as
long as all goes well; when it fails each of them gets its own. Preview and import judge a row by the same steps in the
same order, so the preview tells what the import would do at that moment.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.audit import activity
from sentinel.core.database import is_outage, savepoint, upsert
from sentinel.core.errors import Conflict, DomainError, Invalid, Unavailable
from sentinel.identity import rule_book
from sentinel.identity.models import User
from sentinel.identity.organizations import Standing
from sentinel.identity.rule_book import RuleBook
from sentinel.identity.text import display_name
from sentinel.workspaces import gates, members
from sentinel.workspaces.csv_file import NO_WORKSPACE, ImportRow
from sentinel.workspaces.members import NOT_PERMITTED
from sentinel.workspaces.models import AllowedOrganization, Membership, Workspace
from sentinel.workspaces.roles import WorkspaceRole

BATCH = 500
"""How many addresses, slugs or ids one statement names."""
TOGETHER = 200
"""Rows that are written at once, as long as none of them fails."""
ALREADY = "Already a member of this workspace"
OWNER_MARK = "Becomes an owner: owners can do everything in the workspace"


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """Every row of a file, and how many could be imported now."""

    rows: tuple[ImportRow, ...]

    @property
    def error_count(self) -> int:
        return sum(row.error is not None for row in self.rows)

    @property
    def valid_count(self) -> int:
        return len(self.rows) - self.error_count

    @property
    def owner_count(self) -> int:
        return sum(row.warning is not None for row in self.rows)

    @property
    def user_count(self) -> int:
        """How many accounts would be made."""
        return sum(row.makes_user for row in self.rows)


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What was imported; ``errors`` has one sentence for each row that was not."""

    users_created: int
    memberships_added: int
    errors: tuple[str, ...]


async def preview(session: AsyncSession, rows: Sequence[ImportRow]) -> ImportPreview:
    """What would become of ``rows`` now; nothing is written."""
    world = await _look(session, rows)
    judged = []
    for row in rows:
        try:
            step = world.judge(row)
        except DomainError as refusal:
            judged.append(replace(row, error=refusal.detail))
            continue
        world.note(step)
        mark = OWNER_MARK if step.role is WorkspaceRole.OWNER else None
        judged.append(replace(row, warning=mark, makes_user=step.is_new))
    return ImportPreview(tuple(judged))


async def execute(
    session: AsyncSession, rows: Sequence[ImportRow], *, actor_id: UUID | None, now: datetime
) -> ImportResult:
    """Import ``rows``: make accounts where there are none, and memberships.

    A new person has no account at any provider: whoever proves the address is linked at the first sign-in (ID-5).
    The organization follows from the address. Raises :class:`Unavailable` when the database fails; then nothing is
    imported.
    """
    # Held from being deleted, in one order, so that nothing refers to a workspace that has just gone.
    for slugs in _batches({row.workspace_slug for row in rows if row.error is None}):
        await session.execute(
            sa.select(Workspace.id)
            .where(Workspace.slug.in_(slugs))
            .order_by(Workspace.id)
            .with_for_update(read=True, key_share=True)
        )
    world = await _look(session, rows)
    run = _Run(session, world, actor_id, now)
    for start in range(0, len(rows), TOGETHER):
        await run.several(rows[start : start + TOGETHER])
    await activity.record(
        session,
        "batch_import",
        target_type="system",
        target_id=activity.SYSTEM_TARGET,
        actor_id=actor_id,
        detail={
            "users_created": run.users_created,
            "memberships_added": run.memberships_added,
            "errors": len(run.errors),
        },
        now=now,
    )
    return ImportResult(run.users_created, run.memberships_added, tuple(run.errors))


# ── judging ──


@dataclass(frozen=True, slots=True)
class _Step:
    """What one row comes to."""

    user: User
    is_new: bool
    workspace_id: UUID
    role: WorkspaceRole


@dataclass(slots=True)
class _World:
    """What the rows have to be compared with, kept up to date while they are gone through."""

    book: RuleBook
    workspaces: dict[str, UUID] = field(default_factory=dict)
    admitted: dict[UUID, set[UUID]] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    members: set[tuple[UUID, UUID]] = field(default_factory=set)

    def judge(self, row: ImportRow) -> _Step:
        """What to do for ``row``, in the order of the contract. Raises :class:`Invalid` or :class:`Conflict`."""
        if row.error is not None:
            raise Invalid(row.error)
        workspace_id = self.workspaces.get(row.workspace_slug)
        if workspace_id is None:
            raise Invalid(NO_WORKSPACE)
        user = self.users.get(row.email)
        if user is not None and (workspace_id, user.id) in self.members:
            raise Conflict(ALREADY)
        standing = self.book.standing(user.organization_id if user else None, row.email)
        if not gates.allowed(standing, frozenset(self.admitted.get(workspace_id, ()))):
            raise Invalid(NOT_PERMITTED)
        role = WorkspaceRole(row.role)
        if user is not None:
            return _Step(user, False, workspace_id, role)
        return _Step(_newcomer(row, standing), True, workspace_id, role)

    def note(self, step: _Step) -> None:
        """Go on as if ``step`` had been done."""
        self.users[step.user.email] = step.user
        self.members.add((step.workspace_id, step.user.id))

    def forget(self, step: _Step) -> None:
        """Take :meth:`note` back."""
        self.members.discard((step.workspace_id, step.user.id))
        if step.is_new:
            self.users.pop(step.user.email, None)


def _newcomer(row: ImportRow, standing: Standing) -> User:
    # The gate was open, so the effective organization is no disabled one: it is the one that a sign-in would store.
    return User(
        id=uuid4(),
        email=row.email,
        name=row.name or display_name("", row.email),
        avatar_url=None,
        organization_id=standing.organization_id,
    )


async def _look(session: AsyncSession, rows: Iterable[ImportRow]) -> _World:
    good = [row for row in rows if row.error is None]
    world = _World(await rule_book.load(session))
    for slugs in _batches({row.workspace_slug for row in good}):
        found = await session.execute(
            sa.select(Workspace.slug, Workspace.id, AllowedOrganization.organization_id)
            .outerjoin(AllowedOrganization, AllowedOrganization.workspace_id == Workspace.id)
            .where(Workspace.slug.in_(slugs))
        )
        for slug, workspace_id, organization_id in found:
            world.workspaces[slug] = workspace_id
            if organization_id is not None:
                world.admitted.setdefault(workspace_id, set()).add(organization_id)
    async for user in _users(session, {row.email for row in good}):
        world.users[user.email] = user
    places = list(world.workspaces.values())
    for ids in _batches({str(user.id) for user in world.users.values()}):
        known = Membership.user_id.in_([UUID(one) for one in ids])
        here = Membership.workspace_id.in_(places) if len(places) <= BATCH else sa.true()
        memberships = await session.execute(
            sa.select(Membership.workspace_id, Membership.user_id).where(known, here)
        )
        world.members.update((workspace_id, user_id) for workspace_id, user_id in memberships)
    return world


async def _users(session: AsyncSession, emails: set[str]) -> AsyncIterator[User]:
    for some in _batches(emails):
        found = await session.execute(
            sa.select(User).where(User.email.in_(some)).execution_options(populate_existing=True)
        )
        for user in found.scalars():
            yield user


# ── writing ──


@dataclass(slots=True)
class _Run:
    """An import under way, and what it has come to so far."""

    session: AsyncSession
    world: _World
    actor_id: UUID | None
    now: datetime
    users_created: int = 0
    memberships_added: int = 0
    errors: list[str] = field(default_factory=list)

    async def several(self, rows: Sequence[ImportRow]) -> None:
        """Import some rows by a few statements; when one of them fails, undo them and take each by itself."""
        steps: list[_Step] = []
        refused: list[str] = []
        for row in rows:
            try:
                step = self.world.judge(row)
            except DomainError as refusal:
                refused.append(_told(row, refusal.detail))
            else:
                self.world.note(step)
                steps.append(step)
        try:
            await self._write(steps)
        except (DomainError, DBAPIError) as error:
            _pass_on_outage(error)
            for step in reversed(steps):
                self.world.forget(step)
            for row in rows:
                await self._alone(row)
        else:
            self.errors += refused

    async def _alone(self, row: ImportRow) -> None:
        try:
            step = self.world.judge(row)
            await self._write([step])
        except DomainError as refusal:
            _pass_on_outage(refusal)
            self.errors.append(_told(row, refusal.detail))
        except DBAPIError as error:
            _pass_on_outage(error)
            self.errors.append(_told(row, "It collides with another change; import the row again"))
        else:
            self.world.note(step)

    async def _write(self, steps: Sequence[_Step]) -> None:
        """Do all of ``steps`` or, when one fails, none."""
        if not steps:
            return
        newcomers = [step.user for step in steps if step.is_new]
        async with savepoint(self.session):
            if newcomers and await _make(self.session, newcomers, self.now) < len(newcomers):
                raise Conflict("Somebody has just made this account; import the row again")
            wishes = [(step.user, step.workspace_id, step.role) for step in steps]
            joined = await members.join_all(self.session, wishes, actor_id=self.actor_id, now=self.now)
            if joined < len(wishes):
                raise Conflict(ALREADY)
        self.users_created += len(newcomers)
        self.memberships_added += len(steps)


async def _make(session: AsyncSession, newcomers: Sequence[User], now: datetime) -> int:
    """Store new people; returns how many of them were really new."""
    # The rows beside the statement and not in it: so it is compiled once for all runs.
    made = await session.execute(
        upsert(session, User.__table__).on_conflict_do_nothing().returning(User.__table__.c.id),
        [
            {
                "id": user.id,
                "email": user.email,
                "name": user.name,
                "organization_id": user.organization_id,
                "is_active": True,
                "is_admin": False,
                "token_epoch": 0,
                "created_at": now,
                "updated_at": now,
            }
            for user in newcomers
        ],
    )
    return len(made.all())


def _pass_on_outage(error: Exception) -> None:
    if isinstance(error, Unavailable) or is_outage(error):
        raise error


def _told(row: ImportRow, why: str) -> str:
    return f"Row {row.number}{f' ({row.email})' if row.email else ''}: {why}"


def _batches(values: set[str]) -> Iterator[list[str]]:
    ordered = sorted(values)
    for start in range(0, len(ordered), BATCH):
        yield ordered[start : start + BATCH]
