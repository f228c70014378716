"""Users (``http-api.md`` §4)."""

from fastapi import APIRouter, Depends

from sentinel.api.rate_limit import limit_default
from sentinel.api.schemas.workspaces import ProfileChangeIn, UserOut
from sentinel.api.security import Flex, Session, User, limit_flex_default, limit_without_key
from sentinel.api.state import CurrentState
from sentinel.identity import users
from sentinel.identity.users import ProfileChange

router = APIRouter(prefix="/users", tags=["users"])
directory_router = APIRouter(prefix="/users", tags=["users"])
"""What the internal listener serves too (§0.6)."""


@directory_router.get("/me", dependencies=[Depends(limit_without_key), Depends(limit_flex_default)])
async def read_me(session: Session, caller: Flex) -> UserOut:
    """U1: the caller's own profile."""
    return UserOut.model_validate(await users.get(session, caller.user.user_id))


@router.patch("/me", dependencies=[Depends(limit_default)])
async def change_me(state: CurrentState, session: Session, caller: User, body: ProfileChangeIn) -> UserOut:
    """U2: change the caller's own name or avatar."""
    change = ProfileChange(name=body.name, avatar_url=body.avatar_url)
    user = await users.change_profile(session, caller.user_id, change, now=state.now())
    return UserOut.model_validate(user)
