"""Tables of tenants: workspaces, members, groups, allowed organizations, invitations (``authorization.md`` §9)."""

from datetime import datetime
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from sentinel.core.database import Base, UtcDateTime


class Workspace(Base):
    __tablename__ = "workspaces"
    # Here and below: the panel's lists, newest first.
    __table_args__ = (sa.Index(None, "created_at", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    slug: Mapped[str] = mapped_column(sa.Text, unique=True)
    name: Mapped[str] = mapped_column(sa.Text)
    description: Mapped[str | None] = mapped_column(sa.Text)
    created_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=sa.func.now())


class Membership(Base):
    __tablename__ = "workspace_memberships"
    __table_args__ = (
        sa.UniqueConstraint("workspace_id", "user_id"),
        sa.CheckConstraint("role IN ('owner', 'admin', 'editor', 'viewer')", name="role"),
        sa.Index(None, "workspace_id", "joined_at", "user_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    workspace_id: Mapped[UUID] = mapped_column(sa.ForeignKey("workspaces.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(sa.Text)
    joined_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=sa.func.now())


class Group(Base):
    __tablename__ = "groups"
    __table_args__ = (
        sa.UniqueConstraint("workspace_id", "name"),
        sa.Index(None, "workspace_id", "created_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    workspace_id: Mapped[UUID] = mapped_column(sa.ForeignKey("workspaces.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(sa.Text)
    description: Mapped[str | None] = mapped_column(sa.Text)
    created_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=sa.func.now())


class GroupMembership(Base):
    __tablename__ = "group_memberships"
    __table_args__ = (
        sa.UniqueConstraint("group_id", "user_id"),
        sa.Index(None, "group_id", "added_at", "user_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    group_id: Mapped[UUID] = mapped_column(sa.ForeignKey("groups.id", ondelete="CASCADE"))
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=sa.func.now())


class AllowedOrganization(Base):
    __tablename__ = "workspace_allowed_organizations"
    __table_args__ = (sa.UniqueConstraint("workspace_id", "organization_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    workspace_id: Mapped[UUID] = mapped_column(sa.ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    organization_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey(
            "organizations.id",
            ondelete="RESTRICT",
            name="fk_workspace_allowed_organizations_organization_id",  # the usual name is over 63 letters
        ),
        index=True,
    )


class Invitation(Base):
    __tablename__ = "workspace_invitations"
    __table_args__ = (sa.CheckConstraint("role IN ('admin', 'editor', 'viewer')", name="role"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    workspace_id: Mapped[UUID] = mapped_column(sa.ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str] = mapped_column(sa.CHAR(64), unique=True)
    email: Mapped[str | None] = mapped_column(sa.Text)
    role: Mapped[str] = mapped_column(sa.Text)
    created_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=sa.func.now())
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    accepted_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
