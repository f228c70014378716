"""Which actions a person may perform in a workspace (``authorization.md`` §3): the union of the roles bound to him
and to the groups he is in now. One statement a question, authentication included.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from sentinel.apps import authentication
from sentinel.apps.authentication import Credentials, Member, ServiceCaller
from sentinel.core.database import Database
from sentinel.core.direct import Query
from sentinel.core.errors import Forbidden
from sentinel.roles.models import GroupRole, Role, RoleAction, ServiceAction, UserRole
from sentinel.tokens.claims import UserClaims

# Tables of a room above; only the columns that grants rest on are named.
group_memberships = sa.table(
    "group_memberships", sa.column("group_id", sa.Uuid()), sa.column("user_id", sa.Uuid())
)
groups = sa.table("groups", sa.column("id", sa.Uuid()), sa.column("workspace_id", sa.Uuid()))


@dataclass(frozen=True, slots=True)
class Grants:
    """The answer for one person: names of the granting roles by action, and who asked."""

    service: ServiceCaller
    member: Member
    roles_by_action: dict[str, list[str]]

    @property
    def actions(self) -> list[str]:
        """Every granted action, sorted (R3)."""
        return sorted(self.roles_by_action)


def held_roles(user_id: Any, workspace_id: Any) -> sa.ColumnElement[bool]:
    """The condition on :class:`Role` that a person holds it, directly or through a group of the workspace."""
    directly = sa.exists().where(UserRole.role_id == Role.id, UserRole.user_id == user_id)
    through_group = sa.exists(
        sa.select(GroupRole.id)
        .join(group_memberships, group_memberships.c.group_id == GroupRole.group_id)
        .join(groups, groups.c.id == GroupRole.group_id)
        .where(
            GroupRole.role_id == Role.id,
            group_memberships.c.user_id == user_id,
            groups.c.workspace_id == workspace_id,
        )
    )
    return sa.and_(Role.workspace_id == workspace_id, sa.or_(directly, through_group))


_sub = sa.bindparam("auth_sub", type_=sa.Uuid())
_wid = sa.bindparam("auth_wid", type_=sa.Uuid())
_granting = (
    sa.select(Role.name.label("role"), ServiceAction.action)
    .join(RoleAction, RoleAction.role_id == Role.id)
    .join(ServiceAction, ServiceAction.id == RoleAction.service_action_id)
    .where(
        held_roles(_sub, _wid),
        ServiceAction.service_name == sa.bindparam("service_name", type_=sa.Text),
    )
)
_one = _granting.where(ServiceAction.action == sa.bindparam("action", type_=sa.Text)).subquery("granting")
_every = _granting.subquery("granting")
_one_action = sa.select(*authentication.COLUMNS, _one.c.role, _one.c.action).select_from(
    authentication.SOURCE.outerjoin(_one, sa.true())
)
_every_action = sa.select(*authentication.COLUMNS, _every.c.role, _every.c.action).select_from(
    authentication.SOURCE.outerjoin(_every, sa.true())
)
ONE_ACTION = Query(postgresql=_one_action, sqlite=_one_action)
EVERY_ACTION = Query(postgresql=_every_action, sqlite=_every_action)


async def read_grants(
    database: Database,
    key_hash: str | None,
    claims: UserClaims,
    *,
    service_name: str,
    workspace_id: UUID,
    action: str | None,
    debug: bool,
    now: datetime,
) -> Grants:
    """What the person of ``claims`` is granted under a scope: one ``action``, or with None every one.

    Raises the errors of the SVC+USER tier, and :class:`Forbidden` out of scope or for another workspace. An action
    that nobody registered is simply not granted (rule 8).
    """
    shown = Credentials(key_hash, claims)
    parameters = authentication.parameters(shown, now) | {"service_name": service_name}
    if action is not None:
        parameters["action"] = action
    rows = await database.fetch(EVERY_ACTION if action is None else ONE_ACTION, parameters)
    service = authentication.require_service(rows[0], shown, debug=debug)
    caller = authentication.require_user(rows[0], claims)
    authentication.require_binding(service, claims)
    member = authentication.member(caller)
    service.require_scope(service_name)
    if workspace_id != member.workspace_id:
        raise Forbidden(authentication.NOT_A_MEMBER, reason="other_workspace")
    found: dict[str, set[str]] = {}
    for row in rows:
        if row.action is not None:
            found.setdefault(row.action, set()).add(row.role)
    return Grants(service, member, {name: sorted(roles) for name, roles in found.items()})


def actions_of(user_id: Any, workspace_id: Any, scope: str) -> sa.ScalarSelect[str]:
    """The granted actions of a person as one text, joined by commas (no action name holds one): a column for the
    statement that mints an authz token (``tokens.md`` §4.2).
    """
    names = (
        sa.select(ServiceAction.action)
        .distinct()
        .join(RoleAction, RoleAction.service_action_id == ServiceAction.id)
        .join(Role, Role.id == RoleAction.role_id)
        .where(held_roles(user_id, workspace_id), ServiceAction.service_name == scope)
        .subquery("names")
    )
    return sa.select(sa.func.aggregate_strings(names.c.action, ",")).scalar_subquery()
