"""Indexes for the panel's lists, newest first, and for its look at grants that lie idle (``admin.md`` §2, §3)."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

LISTS = (
    ("users", "created_at", "id"),
    ("users", "is_active", "created_at", "id"),
    ("users", "organization_id", "email"),
    ("workspaces", "created_at", "id"),
    ("workspace_memberships", "workspace_id", "joined_at", "user_id"),
    ("groups", "workspace_id", "created_at", "id"),
    ("group_memberships", "group_id", "added_at", "user_id"),
    ("user_roles", "role_id", "assigned_at", "user_id"),
)


def upgrade() -> None:
    # Each of the old ones is the beginning of a new one.
    op.drop_index("ix_users_organization_id", table_name="users")
    op.drop_index("ix_user_roles_role_id", table_name="user_roles")
    op.drop_index("ix_action_usage_user_id", table_name="action_usage")
    for table, *columns in LISTS:
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, columns, unique=False)
    op.create_index(
        "ix_action_usage_grant",
        "action_usage",
        ["user_id", "workspace_id", "service_name", "action", "day"],
        unique=False,
    )
    op.create_index(
        "ix_users_administrators",
        "users",
        ["created_at", "id"],
        unique=False,
        postgresql_where=sa.text("is_admin"),
        sqlite_where=sa.text("is_admin = 1"),
    )
