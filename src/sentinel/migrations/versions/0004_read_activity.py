"""Indexes for the panel's list of activities and its filters (``admin.md`` §3)."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Each of the old ones is the beginning of a new one.
    for name in ("actor_id", "created_at", "target_type_target_id", "workspace_id"):
        op.drop_index(f"ix_activity_logs_{name}", table_name="activity_logs")
    for columns in (
        ("created_at", "id", "action"),
        ("action", "created_at", "id"),
        ("actor_id", "created_at", "id"),
        ("target_type", "created_at", "id"),
        ("target_type", "target_id", "created_at", "id"),
        ("workspace_id", "created_at", "id"),
    ):
        op.create_index(f"ix_activity_logs_{'_'.join(columns)}", "activity_logs", list(columns), unique=False)
