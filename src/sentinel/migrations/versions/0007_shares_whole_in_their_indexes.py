"""What checks and lists ask of a resource and of a share stands in the index that it is found by, on PostgreSQL: one
read in place of two for each.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    op.drop_index("ix_resource_permissions_resource_id", table_name="resource_permissions")
    op.create_index(
        "ix_resource_permissions_resource_id",
        "resource_permissions",
        ["resource_id"],
        unique=False,
        postgresql_include=["service_name", "resource_type", "workspace_id", "owner_id", "visibility", "id"],
    )
    op.drop_constraint("uq_resource_shares_grantee", "resource_shares", type_="unique")
    op.execute(
        "ALTER TABLE resource_shares ADD CONSTRAINT uq_resource_shares_grantee "
        "UNIQUE (resource_permission_id, grantee_type, grantee_id) INCLUDE (permission)"
    )
    op.drop_index("ix_resource_shares_grantee_type_grantee_id", table_name="resource_shares")
    op.create_index(
        "ix_resource_shares_grantee_type_grantee_id",
        "resource_shares",
        ["grantee_type", "grantee_id"],
        unique=False,
        postgresql_include=["permission", "resource_permission_id"],
    )
