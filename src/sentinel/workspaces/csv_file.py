"""A CSV file of people and workspaces, as it is sent for an import (``admin.md`` §4)."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace

from sentinel.core.errors import Invalid, TooLarge
from sentinel.identity.text import NAME_LENGTH, plain_text
from sentinel.providers import IdentityRefused
from sentinel.providers.claims import plain_email
from sentinel.workspaces.roles import WorkspaceRole

MAX_BYTES = 5 * 1024 * 1024
NO_WORKSPACE = "There is no such workspace"
COLUMNS = ("email", "name", "workspace_slug", "role")


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
        if cells and any(cell.strip() for cell in cells)
    ]


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
    if "\x00" in slug:
        # PostgreSQL does not even compare with NUL; what has one is no slug of ours.
        return replace(row, error=NO_WORKSPACE)
    return row
