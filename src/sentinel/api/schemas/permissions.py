"""Entity permissions (``http-api.md`` §8)."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict  # pydantic wants it up to Python 3.11

from sentinel.api.schemas.text import ScopeName, Text
from sentinel.permissions.decide import Action, Level, Visibility
from sentinel.permissions.lookup import Question

MAX_CHECKS = 100
MAX_LISTED = 10_000
CANONICAL_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
"""RFC 9562 §4, in lower case."""


class CheckItem(BaseModel):
    service_name: ScopeName
    resource_type: ScopeName
    resource_id: UUID
    action: Action


class CheckIn(BaseModel):
    checks: Annotated[list[CheckItem], Field(max_length=MAX_CHECKS)]


class PlainCheckItem(TypedDict):
    """A check as clients write it: ids in their canonical text. Anything else is a :class:`CheckItem`."""

    service_name: ScopeName
    resource_type: ScopeName
    resource_id: Annotated[str, Field(pattern=CANONICAL_UUID)]
    action: Literal["view", "edit"]


class PlainCheckIn(TypedDict):
    checks: Annotated[list[PlainCheckItem], Field(max_length=MAX_CHECKS)]


def question_of(item: CheckItem) -> Question:
    """The question that ``item`` asks, in plain form."""
    return Question(
        service_name=item.service_name,
        resource_type=item.resource_type,
        resource_id=str(item.resource_id),
        action=item.action.value,
    )


class CheckedItem(CheckItem):
    allowed: bool


class CheckOut(BaseModel):
    results: list[CheckedItem]


class AccessibleIn(BaseModel):
    service_name: ScopeName
    resource_type: ScopeName
    action: Action
    workspace_id: UUID
    limit: Annotated[int, Field(ge=1, le=MAX_LISTED)] | None = None
    cursor: Annotated[Text, Field(max_length=64)] | None = None


class AccessibleOut(BaseModel):
    """``next_cursor`` is missing, not null, unless the limit has cut the list."""

    resource_ids: list[UUID]
    has_full_access: bool
    next_cursor: str | None = None


class RegisterIn(BaseModel):
    service_name: ScopeName
    resource_type: ScopeName
    resource_id: UUID
    workspace_id: UUID
    owner_id: UUID
    visibility: Visibility = Visibility.WORKSPACE


class GranteeIn(BaseModel):
    grantee_type: Literal["user", "group"]
    grantee_id: UUID
    permission: Level


class VisibilityIn(BaseModel):
    visibility: Visibility


class ShareOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    grantee_type: str
    grantee_id: UUID
    permission: str
    granted_by: UUID | None
    granted_at: datetime


class EnrichedShareOut(ShareOut):
    grantee_name: str | None = None
    grantee_email: str | None = None
    granted_by_name: str | None = None


class ResourceOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    service_name: str
    resource_type: str
    resource_id: UUID
    workspace_id: UUID
    owner_id: UUID | None
    visibility: str
    created_at: datetime
    shares: list[ShareOut] = []


class EnrichedResourceOut(ResourceOut):
    owner_name: str | None = None
    owner_email: str | None = None
    shares: list[EnrichedShareOut] = []  # type: ignore[assignment]
