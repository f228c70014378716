"""The activity log (``authorization.md`` §9, ``admin.md`` §9)."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from sentinel.core.database import Base, JsonDocument, UtcDateTime


class Activity(Base):
    __tablename__ = "activity_logs"
    __table_args__ = (
        # Serve the panel's list, newest first, whatever it is filtered by; the first one also counts by day.
        sa.Index(None, "created_at", "id", "action"),
        sa.Index(None, "action", "created_at", "id"),
        sa.Index(None, "actor_id", "created_at", "id"),
        sa.Index(None, "target_type", "created_at", "id"),
        sa.Index(None, "target_type", "target_id", "created_at", "id"),
        sa.Index(None, "workspace_id", "created_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    action: Mapped[str] = mapped_column(sa.Text)
    actor_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id", ondelete="SET NULL"))
    target_type: Mapped[str] = mapped_column(sa.Text)
    target_id: Mapped[UUID]
    workspace_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("workspaces.id", ondelete="SET NULL"))
    detail: Mapped[dict[str, Any] | None] = mapped_column(JsonDocument)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=sa.func.now())


class SignInMemory(Base):
    """What a user's earlier sign-ins looked like; the anomaly signals compare with it."""

    __tablename__ = "sign_in_memory"
    __table_args__ = (sa.CheckConstraint("kind IN ('country', 'device')", name="kind"),)

    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    value: Mapped[str] = mapped_column(sa.Text, primary_key=True)
    first_seen: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
