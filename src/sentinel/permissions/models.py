"""Tables of the entity ACL: resources and their shares (``authorization.md`` §9)."""

from datetime import datetime
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from sentinel.core.database import Base, UtcDateTime


class Resource(Base):
    __tablename__ = "resource_permissions"
    __table_args__ = (
        sa.UniqueConstraint("service_name", "resource_type", "resource_id"),
        sa.CheckConstraint("visibility IN ('private', 'workspace')", name="visibility"),
        # Serves "what may this person reach": one workspace, one kind, in the order of creation.
        sa.Index(
            "ix_resource_permissions_reach",
            "workspace_id",
            "service_name",
            "resource_type",
            "created_at",
            "id",
        ),
        # Serve the panel's list, which is sorted by creation or asks for the beginning of a resource id.
        sa.Index(None, "created_at", "id"),
        sa.Index(None, "workspace_id", "created_at", "id"),
        sa.Index(None, "service_name", "created_at", "id"),
        sa.Index(None, "resource_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    service_name: Mapped[str] = mapped_column(sa.Text)
    resource_type: Mapped[str] = mapped_column(sa.Text)
    resource_id: Mapped[UUID]
    workspace_id: Mapped[UUID] = mapped_column(sa.ForeignKey("workspaces.id", ondelete="CASCADE"))
    owner_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"), index=True)
    visibility: Mapped[str] = mapped_column(sa.Text, default="workspace", server_default="workspace")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=sa.func.now())


class Share(Base):
    __tablename__ = "resource_shares"
    __table_args__ = (
        sa.UniqueConstraint(
            "resource_permission_id", "grantee_type", "grantee_id", name="uq_resource_shares_grantee"
        ),
        sa.CheckConstraint("grantee_type IN ('user', 'group')", name="grantee_type"),
        sa.CheckConstraint("permission IN ('view', 'edit')", name="permission"),
        sa.Index("ix_resource_shares_grantee_type_grantee_id", "grantee_type", "grantee_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    resource_permission_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("resource_permissions.id", ondelete="CASCADE")
    )
    grantee_type: Mapped[str] = mapped_column(sa.Text)
    grantee_id: Mapped[UUID]
    permission: Mapped[str] = mapped_column(sa.Text)
    granted_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    granted_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=sa.func.now())
