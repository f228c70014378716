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
        # Serves "what may this person reach": one workspace, one kind, in the order of creation. What is asked of each
        # stands behind, so that the index is all that is read.
        sa.Index(
            "ix_resource_permissions_reach",
            "workspace_id",
            "service_name",
            "resource_type",
            "created_at",
            "id",
            # Not part of the key: nobody is to look a resource up by going through all of its kind.
            postgresql_include=["visibility", "owner_id", "resource_id"],
        ),
        # Serve the panel's list, which is sorted by creation or asks for the beginning of a resource id.
        sa.Index(None, "created_at", "id"),
        sa.Index(None, "workspace_id", "created_at", "id"),
        sa.Index(None, "service_name", "created_at", "id"),
        sa.Index(None, "owner_id", "created_at", "id"),
        sa.Index(None, "resource_id"),
        # Serves checks, and is all that they read of a resource. What a batch asks about lies together in it: the
        # resources of one workspace. SQLite finds them by their names as fast.
        sa.Index(
            "ix_resource_permissions_workspace_id_resource_id",
            "workspace_id",
            "resource_id",
            postgresql_include=["service_name", "resource_type", "owner_id", "visibility", "id"],
            info={"only_on": "postgresql"},
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    service_name: Mapped[str] = mapped_column(sa.Text)
    resource_type: Mapped[str] = mapped_column(sa.Text)
    resource_id: Mapped[UUID]
    workspace_id: Mapped[UUID] = mapped_column(sa.ForeignKey("workspaces.id", ondelete="CASCADE"))
    owner_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    visibility: Mapped[str] = mapped_column(sa.Text, default="workspace", server_default="workspace")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=sa.func.now())


class Share(Base):
    __tablename__ = "resource_shares"
    __table_args__ = (
        # Both have beside their key what is asked of a share, so that they are all that is read. They go together: if
        # only the second one did, shares of a resource might be looked for among all that somebody has.
        sa.UniqueConstraint(
            "resource_permission_id",
            "grantee_type",
            "grantee_id",
            name="uq_resource_shares_grantee",
            postgresql_include=["permission"],
        ),
        sa.CheckConstraint("grantee_type IN ('user', 'group')", name="grantee_type"),
        sa.CheckConstraint("permission IN ('view', 'edit')", name="permission"),
        sa.Index(
            "ix_resource_shares_grantee_type_grantee_id",
            "grantee_type",
            "grantee_id",
            postgresql_include=["permission", "resource_permission_id"],
        ),
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


class ShareCount(Base):
    """How many shares a resource has; without any it has no row. Triggers of the database keep it (migration 0006),
    whoever adds or removes shares, and nothing else writes it.

    A row of its own and no column of the resource: whoever removes a person with all his shares holds the person, and
    must not wait for a resource that somebody holds who waits for the person. Workspace and service are those of the
    resource, so that an index has the rows of each in their order.
    """

    __tablename__ = "resource_share_counts"
    __table_args__ = (
        sa.Index("ix_resource_share_counts_all", "shares", "resource_permission_id"),
        sa.Index("ix_resource_share_counts_workspace", "workspace_id", "shares", "resource_permission_id"),
        sa.Index("ix_resource_share_counts_service", "service_name", "shares", "resource_permission_id"),
    )

    resource_permission_id: Mapped[UUID] = mapped_column(primary_key=True)
    workspace_id: Mapped[UUID]
    service_name: Mapped[str] = mapped_column(sa.Text)
    shares: Mapped[int]
