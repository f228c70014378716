"""People and memberships out of a CSV file (``admin.md`` §4): look at what would happen, then do it.

Every row stands alone: it is written in a savepoint of its own, or not at all, and says why. Both ways judge a row by
the same steps in the same order, so the preview tells what the import would do at that moment.
"""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.audit import activity
from sentinel.core.database import is_outage, savepoint, upsert
from sentinel.core.errors import Conflict, DomainError, Invalid, TooLarge, Unavailable
from sentinel.identity import rule_book
from sentinel.identity.models import User
from sentinel.identity.organizations import Standing
from sentinel.identity.rule_book import RuleBook
from sentinel.identity.text import NAME_LENGTH, display_name, plain_text
from sentinel.providers import IdentityRefused
from sentinel.providers.claims import plain_email
from sentinel.workspaces import gates, members
from sentinel.workspaces.members import NOT_PERMITTED
from sentinel.workspaces.models import AllowedOrganization, Membership, Workspace
from sentinel.workspaces.roles import WorkspaceRole

MAX_BYTES = 5 * 1024 * 1024
COLUMNS = ("email", "name", "workspace_slug", "role")
BATCH = 500
"""How many addresses or slugs one statement names."""
ALREADY = "Already a member of this workspace"
OWNER_MARK = "Becomes an owner: owners can do everything in the workspace"


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One row of the file. ``number`` counts as a spreadsheet does, where the header is row 1.

    ``error`` says why the row is not imported; ``warning`` marks one that is, but should be looked at twice.
    ``makes_user`` is whether the person gets an account by it.
    """

    number: int
    email: str
    name: str
    workspace_slug: str
    role: str
    error: str | None = None
    warning: str | None = None
    makes_user: bool = False


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


def parse(content: bytes) -> list[ImportRow]:
    """The rows of a file, with the errors that can be seen without the database.

    UTF-8, with a byte order mark or without; other columns than ours and empty lines are passed over. Raises
    :class:`TooLarge` above 5 MiB, and :class:`Invalid` for what is no such file or lacks a column, which it names.
    """
    if len(content) > MAX_BYTES:
        raise TooLarge("The file is larger than 5 MiB; split it")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid("The file is not UTF-8; save it as “CSV UTF-8”", reason="not_utf8") from error
    records = _records(text)
    header = [name.strip().lower() for name in next(records, [])]
    if missing := [name for name in COLUMNS if name not in header]:
        raise Invalid(f"Missing columns: {', '.join(missing)}", reason="missing_columns")
    if twice := [name for name in COLUMNS if header.count(name) > 1]:
        raise Invalid(f"Columns that are there twice: {', '.join(twice)}", reason="repeated_columns")
    places = [header.index(name) for name in COLUMNS]
    return [
        _row(number, cells, places, len(header))
        for number, cells in enumerate(records, start=2)
        if any(cell.strip() for cell in cells)
    ]


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
    created = added = 0
    errors: list[str] = []
    for row in rows:
        try:
            step = world.judge(row)
            async with savepoint(session):
                await _write(session, step, actor_id=actor_id, now=now)
        except Unavailable:
            raise
        except DomainError as refusal:
            errors.append(_told(row, refusal.detail))
        except DBAPIError as error:
            if is_outage(error):
                raise
            errors.append(_told(row, "It collides with another change; import the row again"))
        else:
            world.note(step)
            created += step.is_new
            added += 1
    await activity.record(
        session,
        "batch_import",
        target_type="system",
        target_id=activity.SYSTEM_TARGET,
        actor_id=actor_id,
        detail={"users_created": created, "memberships_added": added, "errors": len(errors)},
        now=now,
    )
    return ImportResult(created, added, tuple(errors))


# ── reading the file ──


def _records(text: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(text, newline=""))
    except csv.Error as error:
        raise Invalid("The file cannot be read as CSV", reason="not_csv") from error


def _row(number: int, cells: list[str], places: list[int], width: int) -> ImportRow:
    email, name, slug, role = (cells[place].strip() if place < len(cells) else "" for place in places)
    row = ImportRow(number, email, name, slug, role or WorkspaceRole.VIEWER.value)
    if any(cell.strip() for cell in cells[width:]):
        return replace(row, error="The row has more cells than the header")
    try:
        row = replace(row, email=plain_email(email))
    except IdentityRefused:
        return replace(row, error="This is not one e-mail address")
    row = replace(row, name=plain_text(name))
    if len(row.name) > NAME_LENGTH:
        return replace(row, error=f"The name has more than {NAME_LENGTH} characters")
    if not slug:
        return replace(row, error="The workspace is missing")
    row = replace(row, role=row.role.lower())
    if row.role not in {known.value for known in WorkspaceRole}:
        return replace(row, error="The role is none of owner, admin, editor, viewer")
    return row


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
            raise Invalid("There is no such workspace")
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
    # PostgreSQL does not even compare with NUL; what has one is no slug of ours.
    for slugs in _batches({row.workspace_slug for row in good if "\x00" not in row.workspace_slug}):
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


async def _write(session: AsyncSession, step: _Step, *, actor_id: UUID | None, now: datetime) -> None:
    user = step.user
    if step.is_new:
        made = await session.execute(
            upsert(session, User)
            .values(
                id=user.id,
                email=user.email,
                name=user.name,
                organization_id=user.organization_id,
                is_active=True,
                is_admin=False,
                token_epoch=0,
                created_at=now,
                updated_at=now,
            )
            .on_conflict_do_nothing()
            .returning(User.id)
        )
        if made.scalar_one_or_none() is None:
            raise Conflict("Somebody has just made this account; import the row again")
    entry = await members.join(session, user, step.workspace_id, step.role, actor_id=actor_id, now=now)
    if entry is None:
        raise Conflict(ALREADY)


def _told(row: ImportRow, why: str) -> str:
    return f"Row {row.number}{f' ({row.email})' if row.email else ''}: {why}"


def _batches(values: set[str]) -> Iterator[list[str]]:
    ordered = sorted(values)
    for start in range(0, len(ordered), BATCH):
        yield ordered[start : start + BATCH]
