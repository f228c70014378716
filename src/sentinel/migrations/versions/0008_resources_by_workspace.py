"""Checks find a resource among those of its workspace, on PostgreSQL: the hundred that a batch asks about lie in a few
pages of the index, where they were all over it.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    op.create_index(
        "ix_resource_permissions_workspace_id_resource_id",
        "resource_permissions",
        ["workspace_id", "resource_id"],
        unique=False,
        postgresql_include=["service_name", "resource_type", "owner_id", "visibility", "id"],
    )
    # Who looks for the beginning of an id reads little of what it finds.
    op.drop_index("ix_resource_permissions_resource_id", table_name="resource_permissions")
    op.create_index(
        "ix_resource_permissions_resource_id", "resource_permissions", ["resource_id"], unique=False
    )
