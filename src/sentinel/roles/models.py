"""Tables of roles made of actions, and who holds them (``authorization.md`` §9, RBAC)."""

from datetime import date, datetime
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from sentinel.core.database import Base, UtcDateTime


class ServiceAction(Base):
    __tablename__ = "service_actions"
    __table_args__ = (sa.UniqueConstraint("service_name", "action"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    service_name: Mapped[str] = mapped_column(sa.Text, index=True)
    action: Mapped[str] = mapped_column(sa.Text)
    description: Mapped[str | None] = mapped_column(sa.Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=sa.func.now())


class Role(Base):
    __tablename__ = "roles"
    __table_args__ = (sa.UniqueConstraint("workspace_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    workspace_id: Mapped[UUID] = mapped_column(sa.ForeignKey("workspaces.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(sa.Text)
    description: Mapped[str | None] = mapped_column(sa.Text)
    created_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=sa.func.now())


class RoleAction(Base):
    __tablename__ = "role_actions"
    __table_args__ = (sa.UniqueConstraint("role_id", "service_action_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    role_id: Mapped[UUID] = mapped_column(sa.ForeignKey("roles.id", ondelete="CASCADE"), index=True)
    service_action_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("service_actions.id", ondelete="CASCADE"), index=True
    )


class UserRole(Base):
    __tablename__ = "user_roles"
    __table_args__ = (
        sa.UniqueConstraint("user_id", "role_id"),
        # Serves the panel's list of who holds a role, newest first.
        sa.Index(None, "role_id", "assigned_at", "user_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    role_id: Mapped[UUID] = mapped_column(sa.ForeignKey("roles.id", ondelete="CASCADE"))
    assigned_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    assigned_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=sa.func.now())


class GroupRole(Base):
    __tablename__ = "group_roles"
    __table_args__ = (sa.UniqueConstraint("group_id", "role_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    group_id: Mapped[UUID] = mapped_column(sa.ForeignKey("groups.id", ondelete="CASCADE"), index=True)
    role_id: Mapped[UUID] = mapped_column(sa.ForeignKey("roles.id", ondelete="CASCADE"), index=True)
    assigned_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    assigned_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=sa.func.now())


class ActionUsage(Base):
    __tablename__ = "action_usage"
    # Serves the question whether somebody used an action lately, asked for every grant there is.
    __table_args__ = (
        sa.Index(
            "ix_action_usage_grant",
            "user_id",
            "workspace_id",
            "service_name",
            "action",
            "day",
        ),
    )

    day: Mapped[date] = mapped_column(sa.Date, primary_key=True)
    workspace_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    service_name: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    action: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    count: Mapped[int] = mapped_column(default=1, server_default=sa.text("1"))
