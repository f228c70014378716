"""All resources of the installation and their shares, over JSON (``admin.md`` §6)."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from sentinel.admin.session import Admin, limit_admin
from sentinel.api.rate_limit import limit_default
from sentinel.api.schemas.permissions import EnrichedShareOut, GranteeIn, ShareOut, VisibilityIn
from sentinel.api.schemas.text import Text
from sentinel.api.schemas.workspaces import StatusOk
from sentinel.api.security import Session
from sentinel.api.state import CurrentState
from sentinel.permissions import catalogue, oversight
from sentinel.permissions.catalogue import MAX_PAGE_SIZE, Entry, Search
from sentinel.permissions.decide import Visibility
from sentinel.permissions.resources import EnrichedAcl, Grantee

router = APIRouter(prefix="/admin/api/permissions", tags=["admin: permissions"])
DEFAULT = Depends(limit_default)
SENSITIVE = Depends(limit_admin("sensitive"))

Part = Annotated[Text | None, Query(max_length=255)]


class PermissionOut(BaseModel):
    id: UUID
    service_name: str
    resource_type: str
    resource_id: UUID
    workspace_id: UUID
    owner_id: UUID | None
    owner_email: str | None
    visibility: str
    created_at: datetime
    share_count: int

    @classmethod
    def of(cls, entry: Entry) -> "PermissionOut":
        """A record of the list."""
        resource = entry.resource
        return cls(
            id=resource.id,
            service_name=resource.service_name,
            resource_type=resource.resource_type,
            resource_id=resource.resource_id,
            workspace_id=resource.workspace_id,
            owner_id=resource.owner_id,
            owner_email=entry.owner_email,
            visibility=resource.visibility,
            created_at=resource.created_at,
            share_count=entry.share_count,
        )


class PermissionDetail(PermissionOut):
    """One record with its shares, oldest first, and the names behind their ids."""

    shares: list[EnrichedShareOut]

    @classmethod
    def of_acl(cls, acl: EnrichedAcl) -> "PermissionDetail":
        """A record with everybody in it."""
        shares = [
            EnrichedShareOut(
                **ShareOut.model_validate(one.share).model_dump(),
                grantee_name=one.grantee.name,
                grantee_email=one.grantee.email,
                granted_by_name=one.granted_by_name,
            )
            for one in acl.shares
        ]
        entry = Entry(acl.resource, acl.owner.email, len(shares), "")
        return cls(**PermissionOut.of(entry).model_dump(), shares=shares)


class PermissionPage(BaseModel):
    items: list[PermissionOut]
    total: int
    page: int
    page_size: int


class OwnerIn(BaseModel):
    owner_id: UUID


class VisibilityOk(StatusOk):
    visibility: Visibility


class Purged(StatusOk):
    deleted_count: int


@router.get("", dependencies=[DEFAULT])
async def browse(
    session: Session,
    _: Admin,
    page: Annotated[int, Query(ge=1)] = 1,
    page_size: Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE)] = 20,
    workspace_id: UUID | None = None,
    service_name: Part = None,
    resource_id: Part = None,
    owner: Part = None,
    sort_by: Literal["shares", "created_at"] = "created_at",
    sort_order: Literal["asc", "desc"] = "desc",
) -> PermissionPage:
    """Records page by page; ``resource_id`` is the beginning of an id, ``owner`` a part of an address."""
    found = await catalogue.browse(
        session,
        Search(
            workspace_id=workspace_id,
            service_name=service_name,
            resource_id=resource_id,
            owner=owner,
            sort_by=sort_by,
            descending=sort_order == "desc",
            page=page,
            page_size=page_size,
        ),
    )
    return PermissionPage(
        items=[PermissionOut.of(entry) for entry in found.items],
        total=found.total,
        page=found.page,
        page_size=found.page_size,
    )


@router.get("/{permission_id}", dependencies=[DEFAULT])
async def detail(session: Session, _: Admin, permission_id: UUID) -> PermissionDetail:
    """One record with its shares."""
    return PermissionDetail.of_acl(await catalogue.detail(session, permission_id))


@router.patch("/{permission_id}/visibility", dependencies=[DEFAULT])
async def set_visibility(
    state: CurrentState, session: Session, admin: Admin, permission_id: UUID, body: VisibilityIn
) -> VisibilityOk:
    """Change who sees a resource without a share."""
    await oversight.set_visibility(
        session, permission_id, body.visibility, actor_id=admin.user_id, now=state.now()
    )
    return VisibilityOk(visibility=body.visibility)


@router.post("/{permission_id}/share", status_code=201, dependencies=[DEFAULT])
async def share(
    state: CurrentState, session: Session, admin: Admin, permission_id: UUID, body: GranteeIn
) -> StatusOk:
    """Share a resource, or change the level of a share that exists."""
    await oversight.share(
        session,
        permission_id,
        Grantee(body.grantee_type, body.grantee_id),
        body.permission,
        actor_id=admin.user_id,
        now=state.now(),
    )
    return StatusOk()


# Above the routes of one record: "service/share" would be the share of a record called "service" otherwise.
@router.delete("/service/{service_name}", dependencies=[SENSITIVE])
async def purge(state: CurrentState, session: Session, admin: Admin, service_name: Text) -> Purged:
    """Forget every resource of a service or realm with all shares; of a name that nobody has, the actions, too."""
    gone = await oversight.purge(session, service_name, actor_id=admin.user_id, now=state.now())
    return Purged(deleted_count=gone.resources)


@router.delete("/{permission_id}/share", dependencies=[DEFAULT])
async def unshare(
    state: CurrentState,
    session: Session,
    admin: Admin,
    permission_id: UUID,
    grantee_type: Literal["user", "group"],
    grantee_id: UUID,
) -> StatusOk:
    """Take a share away."""
    await oversight.unshare(
        session, permission_id, Grantee(grantee_type, grantee_id), actor_id=admin.user_id, now=state.now()
    )
    return StatusOk()


@router.patch("/{permission_id}/owner", dependencies=[DEFAULT])
async def set_owner(
    state: CurrentState, session: Session, admin: Admin, permission_id: UUID, body: OwnerIn
) -> StatusOk:
    """Give a resource to a member of its workspace."""
    await oversight.set_owner(session, permission_id, body.owner_id, actor_id=admin.user_id, now=state.now())
    return StatusOk()
