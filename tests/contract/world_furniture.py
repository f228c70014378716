"""The world that an example begins with, by lot: so full that any step may meet a share, a group or a role."""

from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import uuid4

from sentinel.identity.models import OrganizationDomain, User
from sentinel.permissions import models as permission_tables
from sentinel.roles import models as role_tables
from sentinel.workspaces import models as workspace_tables
from tests.contract.world_law import RANK, Group, Person, Role, Thing, Workspace, World
from tests.contract.world_watch import KINDS, NAMES

PEOPLE, GROUPS, ROLES, THINGS = 5, 3, 3, 9


def furnish(world: World, lots: Random, tag: str, domains: list[str]) -> None:
    """Fill a world that has services and organizations already. Its first person owns both workspaces."""
    world.people = [
        Person(uuid4(), f"p{number}-{tag}@{domains[number % len(domains)]}") for number in range(PEOPLE)
    ]
    world.organizations[0].domains[domains[0]] = lots.random() < 0.5
    for person in world.people:
        if lots.random() < 0.5:
            person.organization = world.organization_for(person.domain)
    for number in range(2):
        roles = {person: lots.choice(["viewer", *RANK]) for person in world.people[1:] if lots.random() < 0.8}
        workspace = Workspace(uuid4(), f"w{number}-{tag}", {world.people[0]: "owner"} | roles)
        world.workspaces.append(workspace)
    for number in range(GROUPS):
        workspace = world.workspaces[number % 2]
        members = {person for person in workspace.roles if lots.random() < 0.6}
        world.groups.append(Group(uuid4(), f"g{number}-{tag}", workspace, members))
    scopes = sorted({world.scope(app) for app in world.apps})
    world.actions = {(scope, name): uuid4() for scope in scopes for name in NAMES if lots.random() < 0.7}
    for number in range(ROLES):
        workspace = world.workspaces[number % 2]
        role = Role(uuid4(), f"r{number}-{tag}", workspace)
        role.actions = {pair for pair in sorted(world.actions) if lots.random() < 0.4}
        role.people = {person for person in workspace.roles if lots.random() < 0.4}
        role.groups = {each for each in _groups(world, workspace) if lots.random() < 0.5}
        world.roles.append(role)
    moment = datetime(2026, 1, 1).astimezone()
    for number in range(THINGS):
        workspace, record = world.workspaces[number % 2], uuid4()
        thing = Thing(
            record,
            lots.choice(scopes),
            lots.choice(KINDS),
            uuid4(),
            workspace,
            lots.choice(list(workspace.roles)),
            lots.choice(("private", "private", "workspace")),
            # Some of them at the same moment: then their ids decide.
            (moment + timedelta(seconds=number // 3), record),
        )
        thing.people = {p: _level(lots) for p in workspace.roles if lots.random() < 0.4}
        thing.groups = {each: _level(lots) for each in _groups(world, workspace) if lots.random() < 0.5}
        world.things.append(thing)


def as_rows(world: World, now: datetime) -> dict[Any, list[dict[str, Any]]]:
    """A world that :func:`furnish` has filled as rows of each table, in an order that foreign keys allow."""
    rows: dict[Any, list[dict[str, Any]]] = {
        OrganizationDomain: [
            {"organization_id": each.id, "domain": domain, "include_subdomains": below}
            for each in world.organizations
            for domain, below in each.domains.items()
        ],
        User: [
            {
                "id": each.id,
                "email": each.email,
                "name": "Ada Example",
                "organization_id": each.organization,
            }
            for each in world.people
        ],
        workspace_tables.Workspace: [
            {"id": each.id, "slug": each.slug, "name": "Acme", "created_at": now} for each in world.workspaces
        ],
        workspace_tables.Membership: [
            {"workspace_id": each.id, "user_id": person.id, "role": role}
            for each in world.workspaces
            for person, role in each.roles.items()
        ],
        workspace_tables.Group: [
            {"id": each.id, "workspace_id": each.workspace.id, "name": each.name} for each in world.groups
        ],
        workspace_tables.GroupMembership: [
            {"group_id": each.id, "user_id": person.id} for each in world.groups for person in each.members
        ],
        role_tables.ServiceAction: [
            {"id": action_id, "service_name": scope, "action": name}
            for (scope, name), action_id in world.actions.items()
        ],
        role_tables.Role: [
            {"id": each.id, "workspace_id": each.workspace.id, "name": each.name} for each in world.roles
        ],
        role_tables.RoleAction: [
            {"role_id": each.id, "service_action_id": world.actions[pair]}
            for each in world.roles
            for pair in each.actions
        ],
        role_tables.UserRole: [
            {"role_id": each.id, "user_id": person.id} for each in world.roles for person in each.people
        ],
        role_tables.GroupRole: [
            {"role_id": each.id, "group_id": group.id} for each in world.roles for group in each.groups
        ],
        permission_tables.Resource: [
            {
                "id": each.id,
                "service_name": each.scope,
                "resource_type": each.kind,
                "resource_id": each.resource_id,
                "workspace_id": each.workspace.id,
                "owner_id": each.owner.id,
                "visibility": each.visibility,
                "created_at": each.place[0],
            }
            for each in world.things
        ],
        permission_tables.Share: [
            {
                "resource_permission_id": each.id,
                "grantee_type": kind,
                "grantee_id": grantee.id,
                "permission": level,
            }
            for each in world.things
            for kind, shares in (("user", each.people), ("group", each.groups))
            for grantee, level in shares.items()
        ],
    }
    return {table: values for table, values in rows.items() if values}


def _groups(world: World, workspace: Workspace) -> list[Group]:
    return [group for group in world.groups if group.workspace is workspace]


def _level(lots: Random) -> str:
    return lots.choice(("view", "edit"))
