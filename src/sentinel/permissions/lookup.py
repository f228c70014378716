"""The read behind a check: one statement, authentication included (``design`` budget). It fetches facts and leaves the
decision to ``decide.py``.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypedDict

import sqlalchemy as sa
from pydantic_core import from_json, to_json
from sqlalchemy.dialects import postgresql

from sentinel.apps import authentication
from sentinel.apps.authentication import Credentials
from sentinel.core.database import Database, unindexed
from sentinel.core.direct import Plain, Query
from sentinel.permissions.decide import Level
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
    # One for each share of a resource that the caller has.
    for number in found:
        facts[number >> BITS] |= number & KNOWN
    return row, facts


def _questions_as_parameters(questions: Sequence[Question], is_sqlite: bool) -> dict[str, Any]:
    if is_sqlite:
        triples = [
            [q["service_name"], q["resource_type"], q["resource_id"].replace("-", "")] for q in questions
        ]
        return {"questions": to_json(triples).decode()}
    service_name, service_names = _in_one([q["service_name"] for q in questions])
    resource_type, resource_types = _in_one([q["resource_type"] for q in questions])
    return {
        "many": len(questions) >= MANY,
        "service_name": service_name,
        "service_names": service_names,
        "resource_type": resource_type,
        "resource_types": resource_types,
        "resource_ids": [q["resource_id"] for q in questions],
    }


def _in_one(texts: list[str]) -> tuple[str | None, str | None]:
    """``texts`` as the one that all of them are, or else put together as one, which the server takes apart again: the
    driver looks at every member of an array, twice. Raises :class:`ValueError` when one of them holds what stands
    between them.
    """
    if len(alike := set(texts)) == 1:
        return alike.pop(), None
    whole = SEPARATOR.join(texts)
    if whole.count(SEPARATOR) != max(len(texts) - 1, 0):
        raise ValueError("a name must not hold control characters")
    return None, whole


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
    text = Plain("text")
    each = (
        # Where there is one name for all, its column has nothing but NULL.
        sa.func.unnest(
            _apart("service_names"),
            _apart("resource_types"),
            sa.bindparam("resource_ids", type_=Plain("uuid[]")),
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
        sa.func.coalesce(each.c.service_name, sa.bindparam("service_name", type_=text)).label("service_name"),
        sa.func.coalesce(each.c.resource_type, sa.bindparam("resource_type", type_=text)).label(
            "resource_type"
        ),
        each.c.resource_id,
    ).subquery("question")


def _apart(name: str) -> Any:
    """The texts that :func:`_in_one` has made one of, given by ``name``, as an array."""
    separator = sa.literal_column(f"chr({ord(SEPARATOR)})", sa.Text)
    return sa.func.string_to_array(sa.bindparam(name, type_=Plain("text")), separator)


def _one_question(is_sqlite: bool) -> Any:
    """The only question, in the place of a row of :func:`_question_rows`."""
    text = sa.Text() if is_sqlite else Plain("text")
    return _OneQuestion(
        sa.bindparam("service_name", type_=text),
        sa.bindparam("resource_type", type_=text),
        sa.bindparam("resource_id", type_=text if is_sqlite else Plain("uuid")),
    )


def group_shares(is_sqlite: bool, record_id: Any = Resource.id) -> Any:
    """Shares to groups that the caller is in now, of this workspace (``authorization.md`` §5)."""
    return sa.select(Share.permission).where(
        Share.resource_permission_id == record_id, Share.grantee_type == _GROUP, _is_own_group(is_sqlite)
    )


def _own_groups(column: Any) -> Any:
    """``column`` for each group that the caller is in now, of this workspace."""
    # As a value, so that each of his groups is looked up, rather than all groups of the workspace.
    workspace_id = sa.select(groups.c.workspace_id).where(groups.c.id == group_memberships.c.group_id)
    return sa.select(column).where(
        group_memberships.c.user_id == _sub,
        workspace_id.correlate(group_memberships).scalar_subquery() == _wid,
    )


def _is_own_group(is_sqlite: bool) -> sa.ColumnElement[bool]:
    own = _own_groups(group_memberships.c.group_id)
    if is_sqlite:
        return Share.grantee_id.in_(own)
    # His groups are looked up once, and not with each resource.
    of_caller = sa.func.array(own.scalar_subquery(), type_=postgresql.ARRAY(sa.Uuid()))
    return Share.grantee_id == sa.any_(of_caller)


def direct_shares(record_id: Any = Resource.id) -> Any:
    """The share of a resource to the caller himself."""
    return sa.select(Share.permission).where(
        Share.resource_permission_id == record_id,
        Share.grantee_type == _USER,
        Share.grantee_id == _sub,
    )


def _known(is_sqlite: bool, named: Any) -> Any:
    """The facts about the resource that ``named`` names, as a number."""
    facts = _record() + _shares_of_resource(is_sqlite)
    return sa.select(facts).where(*_is_named(is_sqlite, named))


def _record() -> Any:
    """Those that stand in its record."""
    return (
        _number(REGISTERED)
        + _bit(Resource.owner_id == _sub, OWNED)
        + _bit(Resource.visibility == sa.literal_column("'workspace'", sa.Text), SHOWN)
    )


def _shares_of_resource(is_sqlite: bool, record_id: Any = Resource.id) -> Any:
    """The facts about the shares of a resource, looked up by the resource."""
    # "edit" sorts before "view", so the smallest level is the best one.
    if is_sqlite:
        # One search for each group; for a list of them SQLite would make a table first.
        to_group = sa.select(Share.permission).where(
            Share.resource_permission_id == record_id,
            Share.grantee_type == _GROUP,
            Share.grantee_id == group_memberships.c.group_id,
        )
        level = to_group.correlate_except(Share).scalar_subquery()
        through_group = _own_groups(sa.func.min(level)).select_from(group_memberships)
        through_group = through_group.correlate_except(group_memberships)
    else:
        of_groups = group_shares(is_sqlite, record_id).with_only_columns(sa.func.min(Share.permission))
        through_group = of_groups.correlate_except(Share)
    direct = direct_shares(record_id).correlate_except(Share)
    return _bits(direct.scalar_subquery(), DIRECT) + _bits(through_group.scalar_subquery(), THROUGH_GROUP)


def _facts_of_many() -> Any:
    """The facts about each resource of a batch that there is, with its place in the batch in front (PostgreSQL).

    All shares that the caller has are looked up once and kept in a hash table. When there are many of them, or little
    is asked, looking them up by the resource takes less time.
    """
    many = sa.bindparam("many", type_=Plain("boolean"))

    def shares(bits: Mapping[Level, int], *conditions: Any) -> Any:
        bit = _bits(Share.permission, bits).label("bit")
        return sa.select(Share.resource_permission_id.label("id"), bit).where(many, *conditions)

    to_him = shares(DIRECT, Share.grantee_type == _USER, Share.grantee_id == _sub)
    to_groups = shares(THROUGH_GROUP, Share.grantee_type == _GROUP, _is_own_group(is_sqlite=False))
    held = sa.union_all(to_him, to_groups).limit(_number(FEW + 1)).cte("held").prefix_with("MATERIALIZED")
    worth_it = sa.select(sa.and_(many, sa.func.count() <= _number(FEW))).select_from(held).scalar_subquery()

    question = _question_rows(is_sqlite=False)
    # OFFSET keeps each of these what it looks like. As plain joins, all resources of the workspace might be gone
    # through, or all shares for each question.
    there = (
        sa.select(Resource.id, _record().label("record"))
        .where(*_is_named(False, question.c))
        .correlate(question)
        .offset(_ZERO)
        .lateral("there")
    )
    found = (
        sa.select(question.c.ordinal, there.c.id, there.c.record)
        .select_from(question.join(there, sa.true()))
        .offset(_ZERO)
        .subquery("found")
    )
    # A resource is there once for each of its shares that the caller has.
    shared = sa.case(
        (worth_it, sa.func.coalesce(held.c.bit, _ZERO)), else_=_shares_of_resource(False, found.c.id)
    )
    facts = found.c.ordinal * _number(KNOWN + 1) + found.c.record + shared
    return sa.select(sa.func.array_agg(sa.cast(facts, sa.Integer), type_=Plain("integer[]"))).select_from(
        found.outerjoin(held, held.c.id == found.c.id)
    )


def _facts_statement(is_sqlite: bool) -> Any:
    if is_sqlite:
        question = _question_rows(is_sqlite)
        # A search for each question, and no join, for which all resources might be gone through.
        known = _known(is_sqlite, question.c).correlate(question).scalar_subquery()
        facts = question.c.ordinal * _number(KNOWN + 1) + sa.func.coalesce(known, _number(UNKNOWN))
        all_facts = sa.select(sa.func.json_group_array(facts)).select_from(question)
    else:
        all_facts = _facts_of_many()
    facts_column = all_facts.scalar_subquery().label("facts")
    return sa.select(*authentication.COLUMNS, facts_column).select_from(authentication.SOURCE)


def _facts_of_one_statement(is_sqlite: bool) -> Any:
    known = _known(is_sqlite, _one_question(is_sqlite)).scalar_subquery()
    facts = sa.func.coalesce(known, _number(UNKNOWN)).label("facts")
    return sa.select(*authentication.COLUMNS, facts).select_from(authentication.SOURCE)


def _is_named(is_sqlite: bool, named: Any) -> tuple[Any, ...]:
    """What is true for the resource of the caller's workspace that ``named`` names, if it is there: another tenant's
    record never leaves the database.
    """
    if is_sqlite:
        names = Resource.service_name == named.service_name, Resource.resource_type == named.resource_type
        return *names, Resource.resource_id == named.resource_id, is_here(is_sqlite)
    # Where workspaces have few resources, the planner would take an index of all of one kind to be as good as that of
    # ids. Names that are compared in this way cannot be looked up in an index.
    return (
        Resource.workspace_id == _wid,
        Resource.resource_id == named.resource_id,
        Resource.service_name.is_not_distinct_from(named.service_name),
        Resource.resource_type.is_not_distinct_from(named.resource_type),
    )


def is_here(is_sqlite: bool) -> Any:
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


FACTS = Query(heavy=True, postgresql=_facts_statement(False), sqlite=_facts_statement(True))
FACTS_OF_ONE = Query(postgresql=_facts_of_one_statement(False), sqlite=_facts_of_one_statement(True))
"""The same for a single question, which needs no row to be made of it."""
