"""Users, workspaces, members, groups (``http-api.md`` §4 to §6)."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from sentinel.api.schemas.text import Description, Label, Text
from sentinel.workspaces.roles import WorkspaceRole


class UserOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    name: str
    avatar_url: str | None
    is_active: bool
    created_at: datetime


class ProfileChangeIn(BaseModel):
    name: Annotated[Text, Field(max_length=4000)] | None = None
    avatar_url: Annotated[Text, Field(max_length=2048)] | None = None


class WorkspaceIn(BaseModel):
    name: Label
    slug: Annotated[Text, Field(min_length=1, max_length=100, pattern=r"^[a-z0-9][a-z0-9-]*[a-z0-9]$")]
    description: Description | None = None


class ChangeIn(BaseModel):
    """New name or description of a workspace or a group; null leaves a field as it is."""

    name: Label | None = None
    description: Description | None = None


class WorkspaceOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    slug: str
    name: str
    description: str | None
    created_by: UUID | None
    created_at: datetime


class InviteIn(BaseModel):
    email: Annotated[Text, Field(min_length=3, max_length=320, pattern=r"^[^@\s]+@[^@\s]+$")]
    role: WorkspaceRole = WorkspaceRole.VIEWER


class RoleIn(BaseModel):
    role: WorkspaceRole


class MemberOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    user_id: UUID
    email: str
    name: str
    avatar_url: str | None
    role: str
    joined_at: datetime


class GroupIn(BaseModel):
    name: Label
    description: Description | None = None


class GroupOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    workspace_id: UUID
    name: str
    description: str | None
    created_by: UUID | None
    created_at: datetime


class GroupMemberOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    user_id: UUID
    email: str
    name: str
    added_at: datetime


class StatusOk(BaseModel):
    status: Literal["ok"] = "ok"
