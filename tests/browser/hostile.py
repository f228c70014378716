"""A world in which every text that anybody can set is hostile, written straight into the database."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

import sentinel.migrations.tables  # noqa: F401 - every table has to be known
from sentinel.apps.models import LoginApp, Realm, ServiceApp
from sentinel.audit.models import Activity
from sentinel.identity.models import Organization, OrganizationDomain, SocialAccount, User
from sentinel.permissions.models import Resource, Share
from sentinel.roles.models import GroupRole, Role, RoleAction, ServiceAction, UserRole
from sentinel.workspaces.models import Group, GroupMembership, Membership, Workspace

MARK = "window.__hostile"
TEXTS = (
    f"<script>{MARK}=1</script>",
    f'"><img src=x onerror="{MARK}=2">',
    f"' onmouseover='{MARK}=3' x='",
    f"</textarea></title></script><svg onload={MARK}=4>",
    f"javascript:{MARK}=5",
    "{{ 7*7 }}${7*7}#{7*7}<%= 7*7 %>",
    "\u202etxt.exe\u202c \u200f\u0627\u0644\u0639\u0631\u0628\u064a\u0629 \u05e2\u05d1\u05e8\u05d9\u05ea",
    "x" * 255,
    "many words " * 900,
)
"""Markup, attributes, templates, text that runs the other way, a word without end, ten thousand letters."""


@dataclass(frozen=True)
class World:
    """Ids for the paths of the panel, by the names of the path parameters."""

    ids: dict[str, UUID]


def plant(folder: Path) -> World:
    """Fill the development installation in ``folder``."""
    engine = sa.create_engine(f"sqlite:///{folder}/data/sentinel.db")
    engine.dialect.supports_native_uuid = False
    try:
        with Session(engine, autoflush=False) as session:
            world = _plant(session)
            session.commit()
    finally:
        engine.dispose()
    return world


def _plant(session: Session) -> World:
    now = datetime.now(UTC)
    first: dict[str, UUID] = {}

    def add(row: object, **names: UUID) -> None:
        session.add(row)
        session.flush()
        for name, value in names.items():
            first.setdefault(name, value)

    for number, text in enumerate(TEXTS):
        at = now - timedelta(minutes=number)
        user, workspace, group, role, action = (uuid4() for _ in range(5))
        resource, realm, app, organization = (uuid4() for _ in range(4))
        add(
            Organization(
                id=organization, slug=f"hostile-{number}", name=text, enabled=number % 2 == 0, created_at=at
            ),
            organization_id=organization,
        )
        add(
            OrganizationDomain(
                id=uuid4(),
                organization_id=organization,
                domain=f"{text[:200]}.example",
                include_subdomains=True,
                created_at=at,
            )
        )
        add(
            User(
                id=user,
                email=f"{text[:300]}@example.com",
                name=text,
                avatar_url=text,
                is_active=number != 3,
                is_admin=False,
                organization_id=organization,
                token_epoch=0,
                created_at=at,
                updated_at=at,
            ),
            user_id=user,
        )
        add(
            SocialAccount(
                id=uuid4(),
                user_id=user,
                provider=text[:60],
                provider_user_id=f"{text}{number}",
                provider_data={text[:50]: text},
            )
        )
        add(
            Workspace(
                id=workspace,
                slug=f"{text}{number}",
                name=text,
                description=text,
                created_by=user,
                created_at=at,
            ),
            workspace_id=workspace,
        )
        for role_name, member in (("owner", user),):
            add(Membership(id=uuid4(), workspace_id=workspace, user_id=member, role=role_name, joined_at=at))
        add(
            Group(
                id=group, workspace_id=workspace, name=text, description=text, created_by=user, created_at=at
            ),
            group_id=group,
        )
        add(GroupMembership(id=uuid4(), group_id=group, user_id=user, added_at=at))
        add(
            Role(
                id=role, workspace_id=workspace, name=text, description=text, created_by=user, created_at=at
            ),
            role_id=role,
        )
        add(
            ServiceAction(
                id=action, service_name=f"{text}{number}", action=text, description=text, created_at=at
            )
        )
        add(RoleAction(id=uuid4(), role_id=role, service_action_id=action))
        add(UserRole(id=uuid4(), user_id=user, role_id=role, assigned_by=user, assigned_at=at))
        add(GroupRole(id=uuid4(), group_id=group, role_id=role, assigned_by=user, assigned_at=at))
        add(
            Resource(
                id=resource,
                service_name=f"{text}{number}",
                resource_type=text,
                resource_id=uuid4(),
                workspace_id=workspace,
                owner_id=user,
                visibility="private",
                created_at=at,
            ),
            permission_id=resource,
        )
        add(
            Share(
                id=uuid4(),
                resource_permission_id=resource,
                grantee_type="group",
                grantee_id=group,
                permission="edit",
                granted_by=user,
                granted_at=at,
            )
        )
        add(
            Realm(
                id=realm,
                slug=f"{text}{number}",
                name=text,
                m2m_ttl_s=300,
                is_active=True,
                created_by=user,
                created_at=at,
                updated_at=at,
            ),
            realm_id=realm,
        )
        add(
            ServiceApp(
                id=app,
                name=text,
                service_name=f"{text}{number}",
                key_hash=f"{number:064x}",
                key_prefix="sk_<b>x</b>"[:12],
                is_active=True,
                allowed_origins=[f"https://app-{number}.example"],
                allowed_idp_audiences=[text],
                realm_id=realm,
                created_by=user,
                created_at=at,
                updated_at=at,
            ),
            app_id=app,
        )
        add(
            LoginApp(
                id=uuid4() if number else app,
                name=text,
                redirect_uris=[f"https://app.example/{quote(text[:500])}"],
                is_active=True,
                created_by=user,
                created_at=at,
                updated_at=at,
            )
        )
        for what, kind, target in (
            ("user_login", "user", user),
            ("login_new_device", "user", user),
            ("member_removed", "user", user),
            ("permission_shared", "resource_permission", resource),
            ("role_created", "role", role),
        ):
            add(
                Activity(
                    id=uuid4(),
                    action=what,
                    actor_id=user,
                    target_type=kind,
                    target_id=target,
                    workspace_id=workspace,
                    detail={
                        "user_agent": text,
                        "ip": text[:60],
                        "provider": text,
                        "severity": text,
                        "name": text,
                        text[:80]: text,
                    },
                    created_at=at,
                )
            )
    return World(first)
