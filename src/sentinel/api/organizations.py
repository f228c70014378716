"""The organizations directory (``http-api.md`` §10, O1)."""

from fastapi import APIRouter

from sentinel.api.schemas.realm import OrganizationOut
from sentinel.api.security import Service, Session
from sentinel.identity import directory

router = APIRouter(prefix="/organizations", tags=["organizations"])


@router.get("")
async def list_organizations(
    session: Session, service: Service, include_disabled: bool = False
) -> list[OrganizationOut]:
    """O1: organizations, the public one first."""
    found = await directory.list_organizations(session, include_disabled=include_disabled)
    return [OrganizationOut.model_validate(organization) for organization in found]
