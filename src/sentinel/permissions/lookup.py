"""The reads behind check and accessible: one statement each, authentication included (``design`` budget).

``check`` fetches facts and leaves the decision to ``decide.py``. ``accessible`` has to select rows, so it says the
same law once more, in SQL; a test holds the two together on random worlds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple, TypedDict
from uuid import UUID

import sqlalchemy as sa
from pydantic_core import from_json, to_json
from sqlalchemy.dialects import postgresql

from sentinel.apps import authentication
from sentinel.apps.authentication import Credentials, caller_row
from sentinel.core.database import Database, unindexed
from sentinel.core.direct import Plain, Query
from sentinel.permissions.decide import Action, Level
from sentinel.permissions.facts import BITS, DIRECT, KNOWN, OWNED, REGISTERED, SHOWN, THROUGH_GROUP, UNKNOWN
from sentinel.permissions.models import Resource, Share

group_memberships = sa.table(
    "group_memberships", sa.column("group_id", sa.Uuid()), sa.column("user_id", sa.Uuid())
)
groups = sa.table(
    "groups", sa.column("id", sa.Uuid()), sa.column("workspace_id", sa.Uuid()), sa.column("name", sa.Text())
)

_sub = sa.bindparam("auth_sub", type_=sa.Uuid())
_wid = sa.bindparam("auth_wid", type_=sa.Uuid())
# Written into the text: as values they would be sent with every call.
_USER, _GROUP = sa.literal_column("'user'", sa.Text), sa.literal_column("'group'", sa.Text)
SEPARATOR = "\x1f"
"""Stands between texts that are sent as one; no name and no id holds it."""
FEW = 512
"""Shares that somebody has, and that his groups have, up to which they are all looked up for many questions."""
MANY = 16
"""Questions from which on that takes less time."""
_ZERO, _ONE = sa.literal_column("0", sa.Integer), sa.literal_column("1", sa.Integer)


class _OneQuestion(NamedTuple):
    service_name: Any
    resource_type: Any
    resource_id: Any


class Question(TypedDict):
    """One resource and what somebody wants to do to it. ``resource_id`` is the text of a UUID in lower case, with its
    hyphens (RFC 9562 §4).
    """

    service_name: str
    resource_type: str
    resource_id: str
    action: str


class Ids:
    """Ids of resources, in their order, as the one text that stands between the first and the last quotation mark of
    a JSON array of them: a list may have thousands, and most of them are only passed on.

    ``text`` is empty, or UUIDs in lower case with their hyphens, joined by ``BETWEEN``.
    """

    __slots__ = ("text",)
    BETWEEN = '","'
    EACH = 36 + len(BETWEEN)

    def __init__(self, text: str) -> None:
        self.text = text

    def __len__(self) -> int:
        return (len(self.text) + len(self.BETWEEN)) // self.EACH

    def __iter__(self) -> Iterator[str]:
        return iter(self.text.split(self.BETWEEN) if self.text else ())

    def first(self, number: int) -> "Ids":
        """The first ``number`` of them, at least one."""
        return Ids(self.text[: number * self.EACH - len(self.BETWEEN)])

    @property
    def last(self) -> UUID:
        """The last one. Raises :class:`ValueError` when there is none."""
        return UUID(self.text[-36:])


@dataclass(frozen=True, slots=True)
class Reached:
    """A page of what somebody reaches. ``last_record`` is the record of its last resource when the limit has cut it,
    else None; ``after_record`` that of the resource it was to begin after, None when there is none.
    """

    resource_ids: Ids
    last_record: UUID | None
    after_record: UUID | None


async def fetch_facts(
    database: Database, shown: Credentials, questions: Sequence[Question], now: datetime
) -> tuple[Any, list[int]]:
    """The authentication row, and for each question the facts that ``facts.py`` decides by, in their order."""
    parameters = authentication.parameters(shown, now)
    if len(questions) == 1:
        [question] = questions
        resource_id = question["resource_id"]
        parameters["service_name"] = question["service_name"]
        parameters["resource_type"] = question["resource_type"]
        parameters["resource_id"] = resource_id.replace("-", "") if database.is_sqlite else resource_id
        [row] = await database.fetch(FACTS_OF_ONE, parameters)
        return row, [row.facts]
    parameters |= _questions_as_parameters(questions, database.is_sqlite)
    [row] = await database.fetch(FACTS, parameters)
    found = from_json(row.facts) if database.is_sqlite else row.facts or ()
    facts = [UNKNOWN] * len(questions)
    for number in found:
        facts[number >> BITS] = number & KNOWN
    return row, facts


async def fetch_accessible(
    database: Database,
    shown: Credentials,
    *,
    service_name: str,
    resource_type: str,
    action: Action,
    limit: int | None,
    after: UUID | None,
    now: datetime,
) -> tuple[Any, Reached]:
    """The authentication row, and the ids of what the caller may do ``action`` to, by creation, then id.

    Without ``limit`` the list stays empty for administrators, who see everything (``http-api.md`` §8 rule 1). With
    ``after`` it begins behind the resource of this id, whether or not the caller reaches that one.
    """
    parameters = authentication.parameters(shown, now) | {
        "service_name": service_name,
        "resource_type": resource_type,
    }
    if limit is not None:
        # One more than asked for tells whether the limit cuts.
        parameters |= {"row_limit": limit + 1, "last_row": limit - 1}
    if after is not None:
        parameters["after"] = after
    query = _accessible_query(action is Action.EDIT, limit is not None, after is not None)
    [row] = await database.fetch(query, parameters, long=True)
    if database.is_sqlite:
        stored = (f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}" for h in from_json(row.resource_ids))
        resource_ids = Ids(Ids.BETWEEN.join(stored))
    else:
        resource_ids = Ids(row.resource_ids or "")
    cut = limit is not None and len(resource_ids) > limit
    return row, Reached(
        resource_ids.first(limit) if limit is not None and cut else resource_ids,
        last_record=row.last_record if cut else None,
        after_record=row.after_record if after is not None else None,
    )


def _questions_as_parameters(questions: Sequence[Question], is_sqlite: bool) -> dict[str, Any]:
    if is_sqlite:
        triples = [
            [q["service_name"], q["resource_type"], q["resource_id"].replace("-", "")] for q in questions
        ]
        return {"questions": to_json(triples).decode()}
    return {
        "many": len(questions) >= MANY,
        "service_names": _in_one([q["service_name"] for q in questions]),
        "resource_types": _in_one([q["resource_type"] for q in questions]),
        "resource_ids": _in_one([q["resource_id"] for q in questions]),
    }


def _in_one(texts: list[str]) -> str:
    """``texts`` as one, which the server takes apart again: the driver looks at every member of an array, twice.
    Raises :class:`ValueError` when one of them holds what stands between them.
    """
    whole = SEPARATOR.join(texts)
    if whole.count(SEPARATOR) != max(len(texts) - 1, 0):
        raise ValueError("a name must not hold control characters")
    return whole


def _question_rows(is_sqlite: bool) -> Any:
    """The questions as rows (ordinal from 0, service_name, resource_type, resource_id), whatever their number:
    the text of the statement does not change with it, so it is prepared once.
    """
    if is_sqlite:
        each = sa.func.json_each(sa.bindparam("questions", type_=sa.Text)).table_valued("key", "value")
        first, second, third = (sa.literal_column(f"'$[{place}]'", sa.Text) for place in range(3))
        return sa.select(
            each.c.key.label("ordinal"),
            sa.func.json_extract(each.c.value, first).label("service_name"),
            sa.func.json_extract(each.c.value, second).label("resource_type"),
            sa.type_coerce(sa.func.json_extract(each.c.value, third), sa.Uuid()).label("resource_id"),
        ).subquery("question")
    each = (
        sa.func.unnest(
            _apart("service_names"), _apart("resource_types"), _apart("resource_ids", Plain("uuid[]"))
        )
        .table_valued(
            sa.column("service_name", sa.Text()),
            sa.column("resource_type", sa.Text()),
            sa.column("resource_id", sa.Uuid()),
            with_ordinality="position",
        )
        .render_derived(name="each")
    )
    return sa.select(
        (each.c.position - _ONE).label("ordinal"),
        each.c.service_name,
        each.c.resource_type,
        each.c.resource_id,
    ).subquery("question")


def _apart(name: str, type_: Plain | None = None) -> Any:
    """The texts that :func:`_in_one` has made one of, given by ``name``, as an array."""
    separator = sa.literal_column(f"chr({ord(SEPARATOR)})", sa.Text)
    texts = sa.func.string_to_array(sa.bindparam(name, type_=Plain("text")), separator)
    return texts if type_ is None else sa.cast(texts, type_)


def _one_question(is_sqlite: bool) -> Any:
    """The only question, in the place of a row of :func:`_question_rows`."""
    text = sa.Text() if is_sqlite else Plain("text")
    return _OneQuestion(
        sa.bindparam("service_name", type_=text),
        sa.bindparam("resource_type", type_=text),
        sa.bindparam("resource_id", type_=text if is_sqlite else Plain("uuid")),
    )


def _group_shares(is_sqlite: bool) -> Any:
    """Shares to groups that the caller is in now, of this workspace (``authorization.md`` §5)."""
    return sa.select(Share.permission).where(
        Share.resource_permission_id == Resource.id, Share.grantee_type == _GROUP, _is_own_group(is_sqlite)
    )


def _is_own_group(is_sqlite: bool) -> sa.ColumnElement[bool]:
    # As a value, so that each of his groups is looked up, rather than all groups of the workspace.
    workspace_id = sa.select(groups.c.workspace_id).where(groups.c.id == group_memberships.c.group_id)
    own = sa.select(group_memberships.c.group_id).where(
        group_memberships.c.user_id == _sub,
        workspace_id.correlate(group_memberships).scalar_subquery() == _wid,
    )
    if is_sqlite:
        return Share.grantee_id.in_(own)
    # His groups are looked up once, and not with each resource.
    of_caller = sa.func.array(own.scalar_subquery(), type_=postgresql.ARRAY(sa.Uuid()))
    return Share.grantee_id == sa.any_(of_caller)


def _direct_shares() -> Any:
    return sa.select(Share.permission).where(
        Share.resource_permission_id == Resource.id,
        Share.grantee_type == _USER,
        Share.grantee_id == _sub,
    )


def _known(is_sqlite: bool, named: Any, shares: Any) -> Any:
    """The facts about the resource that ``named`` names, as a number; ``shares`` is those about its shares."""
    return sa.select(
        _number(REGISTERED)
        + _bit(Resource.owner_id == _sub, OWNED)
        + _bit(Resource.visibility == sa.literal_column("'workspace'", sa.Text), SHOWN)
        + shares
    ).where(
        Resource.service_name == named.service_name,
        Resource.resource_type == named.resource_type,
        Resource.resource_id == named.resource_id,
        # Another tenant's record never leaves the database.
        _is_here(is_sqlite),
    )


def _shares_of_resource(is_sqlite: bool) -> Any:
    """The facts about the shares of a resource, looked up by the resource."""
    # "edit" sorts before "view", so the smallest level is the best one.
    through_group = _group_shares(is_sqlite).with_only_columns(sa.func.min(Share.permission))
    return _bits(_direct_shares().correlate(Resource).scalar_subquery(), DIRECT) + _bits(
        through_group.correlate(Resource).scalar_subquery(), THROUGH_GROUP
    )


def _shares_of_caller(otherwise: Any) -> Any:
    """The same for each resource of a batch (PostgreSQL): all that the caller has is looked up once and kept in hash
    tables. When there is much of it, or little is asked, ``otherwise`` takes less time, which looks up each resource.
    """
    to_him = (Share.grantee_type == _USER, Share.grantee_id == _sub)
    to_groups = (Share.grantee_type == _GROUP, _is_own_group(is_sqlite=False))

    def number(conditions: Any) -> Any:
        some = sa.select(_ONE).select_from(Share).where(*conditions).limit(_number(FEW + 1)).subquery()
        return sa.select(sa.func.count()).select_from(some).scalar_subquery()

    def bits(conditions: Any, bits: Mapping[Level, int]) -> Any:
        def has(level: Level) -> Any:
            permission = sa.literal_column(f"'{level.value}'", sa.Text)
            ids = sa.select(Share.resource_permission_id).where(*conditions, Share.permission == permission)
            # As many as there are at most when this is asked at all; it also keeps this a table of its own.
            return Resource.id.in_(ids.limit(_number(FEW)))

        return sa.case(
            (has(Level.EDIT), _number(bits[Level.EDIT])),
            (has(Level.VIEW), _number(bits[Level.VIEW])),
            else_=_ZERO,
        )

    worth_it = sa.and_(
        sa.bindparam("many", type_=Plain("boolean")),
        number(to_him) <= _number(FEW),
        number(to_groups) <= _number(FEW),
    )
    return sa.case((worth_it, bits(to_him, DIRECT) + bits(to_groups, THROUGH_GROUP)), else_=otherwise)


def _facts_statement(is_sqlite: bool) -> Any:
    question = _question_rows(is_sqlite)
    shares = _shares_of_resource(is_sqlite)
    if not is_sqlite:
        shares = _shares_of_caller(shares)
    # A search for each question, and no join, for which all resources might be gone through.
    known = _known(is_sqlite, question.c, shares).correlate(question).scalar_subquery()
    facts = question.c.ordinal * _number(KNOWN + 1) + sa.func.coalesce(known, _number(UNKNOWN))
    if is_sqlite:
        gathered: Any = sa.func.json_group_array(facts)
    else:
        gathered = sa.func.array_agg(sa.cast(facts, sa.Integer), type_=Plain("integer[]"))
    all_facts = sa.select(gathered).select_from(question).scalar_subquery()
    return sa.select(*authentication.COLUMNS, all_facts.label("facts")).select_from(authentication.SOURCE)


def _facts_of_one_statement(is_sqlite: bool) -> Any:
    known = _known(is_sqlite, _one_question(is_sqlite), _shares_of_resource(is_sqlite)).scalar_subquery()
    facts = sa.func.coalesce(known, _number(UNKNOWN)).label("facts")
    return sa.select(*authentication.COLUMNS, facts).select_from(authentication.SOURCE)


def _is_here(is_sqlite: bool) -> Any:
    """Whether a resource is in the caller's workspace, said so that no index of the workspace is gone through for it:
    resources are looked up by their names, of which there is one.
    """
    if is_sqlite:
        return unindexed(Resource.workspace_id, type_=sa.Uuid()) == _wid
    return Resource.workspace_id.is_not_distinct_from(_wid)


def _number(number: int) -> Any:
    return sa.literal_column(str(number), sa.Integer)


def _bit(condition: Any, bit: int) -> Any:
    return sa.case((condition, _number(bit)), else_=_ZERO)


def _bits(level: Any, bits: Mapping[Level, int]) -> Any:
    # One look at the level: it is a search of its own.
    whens = [(sa.literal_column(f"'{each.value}'", sa.Text), _number(bit)) for each, bit in bits.items()]
    return sa.case(dict(whens), value=level, else_=_ZERO)


FACTS = Query(postgresql=_facts_statement(False), sqlite=_facts_statement(True))
FACTS_OF_ONE = Query(postgresql=_facts_of_one_statement(False), sqlite=_facts_of_one_statement(True))
"""The same for a single question, which needs no row to be made of it."""


@cache
def _accessible_query(edit: bool, limited: bool, continued: bool) -> Query:
    return Query(
        postgresql=_accessible_statement(False, edit, limited, continued),
        sqlite=_accessible_statement(True, edit, limited, continued),
    )


def _accessible_statement(is_sqlite: bool, edit: bool, limited: bool, continued: bool) -> Any:
    # A page is read twice, so it is a CTE, which cannot look at the row of the caller outside.
    membership = authentication.memberships.alias("membership")
    role = membership.c.role if limited else caller_row.c.role
    full_access = sa.or_(role == "admin", role == "owner")
    enough = Share.permission == "edit"
    if not edit:
        enough = sa.or_(enough, Share.permission == "view")
    reached = sa.or_(
        Resource.owner_id == _sub,
        sa.and_(Resource.visibility == "workspace", role == "editor")
        if edit
        else Resource.visibility == "workspace",
        _direct_shares().where(enough).correlate(Resource).exists(),
        _group_shares(is_sqlite).where(enough).correlate(Resource).exists(),
    )
    ids = (
        sa.select(Resource.resource_id, Resource.created_at, Resource.id)
        .where(
            Resource.workspace_id == _wid,
            Resource.service_name == sa.bindparam("service_name", type_=sa.Text),
            Resource.resource_type == sa.bindparam("resource_type", type_=sa.Text),
            role.is_not(None),
            sa.or_(full_access, reached) if limited else sa.and_(sa.not_(full_access), reached),
        )
        .order_by(Resource.created_at, Resource.id)
    )
    source: Any = Resource
    columns = list(authentication.COLUMNS)
    if continued:
        before = _end_of_last_page(is_sqlite)
        later = sa.tuple_(Resource.created_at, Resource.id) > sa.tuple_(before.c.created_at, before.c.id)
        source = sa.join(before, Resource, later)
        columns.append(sa.select(before.c.id).scalar_subquery().label("after_record"))
    if limited:
        here = sa.and_(membership.c.user_id == _sub, membership.c.workspace_id == _wid)
        listed: Any = (
            ids.select_from(sa.join(membership, source, here))
            .limit(sa.bindparam("row_limit", type_=sa.Integer))
            .cte("reached")
        )
        last = (
            sa.select(listed.c.id)
            .order_by(listed.c.created_at, listed.c.id)
            .offset(sa.bindparam("last_row", type_=sa.Integer))
            .limit(1)
        )
        columns.append(last.scalar_subquery().label("last_record"))
    else:
        listed = ids.select_from(source).correlate(caller_row).subquery("reached")
    if is_sqlite:
        gathered: Any = sa.func.json_group_array(sa.type_coerce(listed.c.resource_id, sa.Text()))
    else:
        between = sa.literal_column(f"'{Ids.BETWEEN}'", sa.Text)
        gathered = sa.func.string_agg(
            sa.cast(listed.c.resource_id, sa.Text),
            postgresql.aggregate_order_by(between, listed.c.created_at, listed.c.id),
        )
    resource_ids = sa.select(gathered).select_from(listed).correlate(caller_row).scalar_subquery()
    return sa.select(*columns, resource_ids.label("resource_ids")).select_from(authentication.SOURCE)


def _end_of_last_page(is_sqlite: bool) -> Any:
    """The record of the resource that the cursor names, of this workspace and kind; registered once at most."""
    return (
        sa.select(Resource.id, Resource.created_at)
        .where(
            _is_here(is_sqlite),
            Resource.service_name == sa.bindparam("service_name", type_=sa.Text),
            Resource.resource_type == sa.bindparam("resource_type", type_=sa.Text),
            Resource.resource_id == sa.bindparam("after", type_=sa.Uuid()),
        )
        .subquery("before")
    )
