"""Tables of people: users, their accounts at identity providers, organizations (``authorization.md`` §9)."""

from datetime import datetime
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from sentinel.core.database import Base, JsonDocument, UtcDateTime

PUBLIC_ORGANIZATION_ID = UUID("00000000-0000-0000-0000-000000000001")


class User(Base):
    __tablename__ = "users"
    __table_args__ = (
        sa.Index("uq_users_lower_email", sa.text("lower(email)"), unique=True),
        # Serve the panel's list, newest first: everybody, by state, administrators, the people of an organization.
        sa.Index(None, "created_at", "id"),
        sa.Index(None, "is_active", "created_at", "id"),
        sa.Index(
            "ix_users_administrators",
            "created_at",
            "id",
            # As in SQLite, where the migration says so: saying it here would load its dialect everywhere.
            postgresql_where=sa.text("is_admin"),
        ),
        sa.Index(None, "organization_id", "email"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    email: Mapped[str] = mapped_column(sa.Text, unique=True)
    name: Mapped[str] = mapped_column(sa.Text)
    avatar_url: Mapped[str | None] = mapped_column(sa.Text)
    is_active: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    is_admin: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    organization_id: Mapped[UUID | None] = mapped_column(
        sa.ForeignKey("organizations.id", ondelete="SET NULL")
    )
    token_epoch: Mapped[int] = mapped_column(default=0, server_default=sa.text("0"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=sa.func.now())
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=sa.func.now())


class SocialAccount(Base):
    __tablename__ = "social_accounts"
    __table_args__ = (sa.UniqueConstraint("provider", "provider_user_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    provider: Mapped[str] = mapped_column(sa.Text)
    provider_user_id: Mapped[str] = mapped_column(sa.Text)
    provider_data: Mapped[dict[str, str] | None] = mapped_column(JsonDocument)


class Organization(Base):
    __tablename__ = "organizations"
    __table_args__ = (
        sa.Index(
            "uq_organizations_public",
            "is_public",
            unique=True,
            # In SQLite as well; see User.
            postgresql_where=sa.text("is_public"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    slug: Mapped[str] = mapped_column(sa.String(63), unique=True)
    name: Mapped[str] = mapped_column(sa.String(255))
    is_public: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    enabled: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    created_by: Mapped[UUID | None] = mapped_column(
        sa.ForeignKey("users.id", ondelete="SET NULL", use_alter=True)
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=sa.func.now())


class OrganizationDomain(Base):
    __tablename__ = "organization_domains"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organization_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("organizations.id", ondelete="CASCADE"), index=True
    )
    domain: Mapped[str] = mapped_column(sa.Text, unique=True)
    include_subdomains: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=sa.func.now())
