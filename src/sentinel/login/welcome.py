"""The link that ``sentinel users create-admin`` prints: it greets a new administrator on the login page (AD-12).

The link grants nothing. It says which address to sign in with, until somebody has signed in with it or a day is over.
"""

import hashlib
from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy.ext.asyncio import AsyncSession

from sentinel.core.clock import Clock
from sentinel.identity.models import SocialAccount, User

LIFETIME_SECONDS = 24 * 3600


class Welcome:
    """Makes and reads the links. ``keys`` are the accepted session keys, the one that signs first."""

    def __init__(self, keys: Sequence[str], clock: Clock) -> None:
        self._serializer = URLSafeSerializer(
            list(reversed(keys)),
            salt="sentinel.admin.welcome",
            signer_kwargs={"digest_method": hashlib.sha256},
        )
        self._clock = clock

    def token(self, user_id: UUID) -> str:
        """What stands in the link for a person."""
        sealed = self._serializer.dumps([str(user_id), self._clock.timestamp() + LIFETIME_SECONDS])
        return sealed if isinstance(sealed, str) else sealed.decode()

    async def address(self, session: AsyncSession, token: str | None) -> str | None:
        """The address to sign in with; None for a link that is not ours, is over, or has been followed already."""
        try:
            user_id, expires_at = self._serializer.loads(token or "")
            if expires_at <= self._clock.timestamp():
                return None
            person = UUID(user_id)
        except (BadSignature, TypeError, ValueError, AttributeError):
            return None
        signed_in = sa.exists().where(SocialAccount.user_id == User.id)
        statement = sa.select(User.email).where(User.id == person, User.is_admin, User.is_active, ~signed_in)
        return (await session.execute(statement)).scalar_one_or_none()
