"""Realms and organizations (``http-api.md`` §9, §10)."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from sentinel.api.schemas.text import Text


class RealmOut(BaseModel):
    slug: str
    name: str


class WhoAmIOut(BaseModel):
    service_name: str
    effective_scope: str
    realm: RealmOut | None


class M2mIn(BaseModel):
    """Nothing about identity is taken from here; an empty object is enough."""

    target: Annotated[Text, Field(max_length=255)] | None = None


class M2mOut(BaseModel):
    token: str
    expires_in: int


class OrganizationOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    slug: str
    name: str
    is_public: bool
    enabled: bool
