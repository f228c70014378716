"""The sample world of the development mode: people, two workspaces, a group, a role, documents, two applications.

People are pre-provisioned like a real company's: an account by address, linked to the provider's identity at the
first sign-in (ID-5).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4, uuid5

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.apps import login_apps, service_apps
from sentinel.apps.authentication import ServiceCaller
from sentinel.devmode.installation import Installation
from sentinel.devmode.provider import Person
from sentinel.devmode.start import SampleDocument
from sentinel.identity.models import PUBLIC_ORGANIZATION_ID, User
from sentinel.permissions import resources
from sentinel.permissions.decide import Visibility
from sentinel.permissions.models import Share
from sentinel.permissions.resources import ResourceName
from sentinel.roles import actions
from sentinel.roles.actions import ActionWish
from sentinel.roles.models import Role, RoleAction, UserRole
from sentinel.workspaces.models import Group, GroupMembership, Membership, Workspace

SERVICE_NAME = "team-notes"
RESOURCE_TYPE = "document"
NAMESPACE = UUID("6b6f6b6f-7365-4e74-8e65-6c2d64656d6f")
"""Sample documents have the same ids on every machine, so that printed commands can be compared."""

PEOPLE = (
    Person("olivia", "olivia@acme.example", "Olivia Owner", "Owner of Acme: sees and edits everything there"),
    Person(
        "adam", "adam@acme.example", "Adam Admin", "Admin of Acme, and administrator of this installation"
    ),
    Person("edith", "edith@acme.example", "Edith Editor", "Editor in Acme: edits what the workspace sees"),
    Person("victor", "victor@acme.example", "Victor Viewer", "Viewer in Acme, in the group Reviewers"),
    Person("oscar", "oscar@globex.example", "Oscar Outsider", "Owner of Globex, a stranger to Acme"),
    Person(
        "una", "una@nowhere.example", "Una Unverified", "Her address is not verified: she is refused", False
    ),
)
ADMINISTRATOR = "adam"
ROLES = {
    "acme": {"olivia": "owner", "adam": "admin", "edith": "editor", "victor": "viewer"},
    "globex": {"oscar": "owner"},
}
WORKSPACE_NAMES = {"acme": "Acme", "globex": "Globex"}
REVIEWERS = "Reviewers"
PUBLISHER = "Publisher"
PUBLISH = "documents.publish"


@dataclass(frozen=True)
class SampleText:
    """One document as the sample world has it."""

    title: str
    workspace: str
    owner: str
    visibility: Visibility
    note: str
    shared_with_reviewers: str | None = None

    @property
    def id(self) -> UUID:
        return uuid5(NAMESPACE, self.title)


DOCUMENTS = (
    SampleText(
        "Roadmap",
        "acme",
        "olivia",
        Visibility.WORKSPACE,
        "Everybody in Acme views it; editors and above edit it",
    ),
    SampleText(
        "Salary review",
        "acme",
        "olivia",
        Visibility.PRIVATE,
        "Private: only its owner and the workspace's admins",
    ),
    SampleText(
        "Press release",
        "acme",
        "edith",
        Visibility.PRIVATE,
        "Private to Edith, shared for editing with the group Reviewers",
        shared_with_reviewers="edit",
    ),
    SampleText(
        "Globex plan", "globex", "oscar", Visibility.WORKSPACE, "In another workspace: nobody in Acme sees it"
    ),
)


async def ensure(session: AsyncSession, installation: Installation, *, now: datetime) -> None:
    """Make the sample world if it is not there, and give the notes of the installation its credentials.

    A world that people have changed is left as it is; only the applications' addresses follow the port.
    """
    if not installation.notes.login_app_id:
        await _create(session, installation, now)
        return
    await login_apps.change(
        session,
        UUID(installation.notes.login_app_id),
        redirect_uris=[installation.redirect_uri],
        allow_plain_http=True,
        actor_id=None,
        now=now,
    )


def start_page_documents() -> list[SampleDocument]:
    """The documents as the start page shows them."""
    names = {person.sub: person.name for person in PEOPLE}
    return [
        SampleDocument(
            id=str(document.id),
            title=document.title,
            owner_name=names[document.owner],
            workspace_name=WORKSPACE_NAMES[document.workspace],
            visibility=document.visibility.value,
            note=document.note,
        )
        for document in DOCUMENTS
    ]


async def _create(session: AsyncSession, installation: Installation, now: datetime) -> None:
    _, key = await service_apps.create(
        session,
        name="Team notes",
        service_name=SERVICE_NAME,
        allowed_idp_audiences=[installation.notes.app_client_id],
        actor_id=None,
        now=now,
    )
    user_ids = await _people(session, now)
    workspace_ids = await _workspaces(session, user_ids, now)
    group_id = await _reviewers(session, workspace_ids["acme"], user_ids, now)
    await _documents(session, workspace_ids, user_ids, group_id, now)
    await _publisher(session, workspace_ids["acme"], user_ids, now)
    login_app = await login_apps.create(
        session,
        name="Start page",
        redirect_uris=[installation.redirect_uri],
        allow_plain_http=True,
        actor_id=None,
        now=now,
    )
    installation.notes.login_app_id = str(login_app.id)
    installation.notes.service_key = key.plaintext


async def _people(session: AsyncSession, now: datetime) -> dict[str, UUID]:
    ids: dict[str, UUID] = {}
    for person in PEOPLE:
        if not person.email_verified:
            continue
        ids[person.sub] = uuid4()
        session.add(
            User(
                id=ids[person.sub],
                email=person.email,
                name=person.name,
                is_admin=person.sub == ADMINISTRATOR,
                organization_id=PUBLIC_ORGANIZATION_ID,
                created_at=now,
                updated_at=now,
            )
        )
    await session.flush()
    return ids


async def _workspaces(session: AsyncSession, user_ids: dict[str, UUID], now: datetime) -> dict[str, UUID]:
    ids: dict[str, UUID] = {}
    for slug, members in ROLES.items():
        ids[slug] = uuid4()
        owner = next(user_ids[sub] for sub, role in members.items() if role == "owner")
        session.add(
            Workspace(
                id=ids[slug],
                slug=slug,
                name=WORKSPACE_NAMES[slug],
                description="A sample workspace",
                created_by=owner,
                created_at=now,
            )
        )
        await session.flush()
        # A moment apart, so that lists by time have one order.
        session.add_all(
            Membership(
                workspace_id=ids[slug],
                user_id=user_ids[sub],
                role=role,
                joined_at=now + timedelta(milliseconds=position),
            )
            for position, (sub, role) in enumerate(members.items())
        )
    await session.flush()
    return ids


async def _reviewers(
    session: AsyncSession, workspace_id: UUID, user_ids: dict[str, UUID], now: datetime
) -> UUID:
    group = Group(
        id=uuid4(),
        workspace_id=workspace_id,
        name=REVIEWERS,
        description="They read before the world does",
        created_by=user_ids["olivia"],
        created_at=now,
    )
    session.add(group)
    await session.flush()
    session.add(GroupMembership(group_id=group.id, user_id=user_ids["victor"], added_at=now))
    await session.flush()
    return group.id


async def _publisher(
    session: AsyncSession, workspace_id: UUID, user_ids: dict[str, UUID], now: datetime
) -> None:
    """A role with one action of the sample service, which Edith alone holds: no workspace role brings it."""
    everything = ServiceCaller(None, None, None)
    wish = ActionWish(PUBLISH, "Send a document out into the world")
    [action] = await actions.register(session, everything, SERVICE_NAME, [wish], now=now)
    role = Role(
        id=uuid4(),
        workspace_id=workspace_id,
        name=PUBLISHER,
        description="May publish what others have reviewed",
        created_by=user_ids["adam"],
        created_at=now,
    )
    session.add(role)
    await session.flush()
    session.add(RoleAction(role_id=role.id, service_action_id=action.id))
    session.add(
        UserRole(user_id=user_ids["edith"], role_id=role.id, assigned_by=user_ids["adam"], assigned_at=now)
    )
    await session.flush()


async def _documents(
    session: AsyncSession,
    workspace_ids: dict[str, UUID],
    user_ids: dict[str, UUID],
    group_id: UUID,
    now: datetime,
) -> None:
    everything = ServiceCaller(None, None, None)
    for document in DOCUMENTS:
        acl = await resources.register(
            session,
            everything,
            ResourceName(SERVICE_NAME, RESOURCE_TYPE, document.id),
            workspace_id=workspace_ids[document.workspace],
            owner_id=user_ids[document.owner],
            visibility=document.visibility,
            now=now,
        )
        if document.shared_with_reviewers:
            await session.execute(
                sa.insert(Share).values(
                    id=uuid4(),
                    resource_permission_id=acl.resource.id,
                    grantee_type="group",
                    grantee_id=group_id,
                    permission=document.shared_with_reviewers,
                    granted_by=user_ids[document.owner],
                    granted_at=now,
                )
            )
