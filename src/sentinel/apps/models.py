"""Tables of applications: login apps, service apps, realms (``authorization.md`` §9)."""

from datetime import datetime
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from sentinel.core.database import Base, TextArray, UtcDateTime


class LoginApp(Base):
    """An application that people sign in to; its id is the OAuth ``client_id``."""

    __tablename__ = "client_apps"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(sa.Text)
    redirect_uris: Mapped[list[str]] = mapped_column(TextArray)
    is_active: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    created_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=sa.func.now())
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=sa.func.now())


class ServiceApp(Base):
    """A backend that asks for decisions with a service key."""

    __tablename__ = "service_apps"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(sa.Text)
    service_name: Mapped[str] = mapped_column(sa.String(255), unique=True)
    key_hash: Mapped[str] = mapped_column(sa.CHAR(64), unique=True)
    key_prefix: Mapped[str] = mapped_column(sa.String(12))
    previous_key_hash: Mapped[str | None] = mapped_column(sa.CHAR(64), unique=True)
    previous_key_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    is_active: Mapped[bool] = mapped_column(default=True, server_default=sa.true(), index=True)
    allowed_origins: Mapped[list[str]] = mapped_column(TextArray, default=list)
    allowed_idp_audiences: Mapped[list[str]] = mapped_column(TextArray, default=list)
    realm_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("realms.id", ondelete="SET NULL"), index=True)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=sa.func.now())
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=sa.func.now())


class Realm(Base):
    """A named set of service apps that share one effective scope, its slug."""

    __tablename__ = "realms"
    __table_args__ = (sa.CheckConstraint("m2m_ttl_s BETWEEN 30 AND 3600", name="m2m_ttl_s"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    slug: Mapped[str] = mapped_column(sa.String(255), unique=True)
    name: Mapped[str] = mapped_column(sa.Text)
    m2m_ttl_s: Mapped[int] = mapped_column(default=300, server_default=sa.text("300"))
    is_active: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    created_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=sa.func.now())
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=sa.func.now())
