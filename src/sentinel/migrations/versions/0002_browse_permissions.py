"""Indexes for the panel's list of permissions (``admin.md`` §6)."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for columns in (
        ("created_at", "id"),
        ("workspace_id", "created_at", "id"),
        ("service_name", "created_at", "id"),
        ("resource_id",),
    ):
        op.create_index(
            f"ix_resource_permissions_{'_'.join(columns)}",
            "resource_permissions",
            list(columns),
            unique=False,
        )
