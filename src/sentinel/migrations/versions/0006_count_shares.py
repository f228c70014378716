"""How many shares each resource has, kept ready for the panel's list, which is sorted by it; an index that has the
resources of an owner in the order of that list (``admin.md`` §6); and whole in its index, what lists of reachable
resources look at, on PostgreSQL.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Once for a statement and not for each row: a service or a workspace goes with all its shares. The search path is
# kept, because a restored dump has none.
POSTGRESQL = (
    """
CREATE FUNCTION resource_shares_added() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO resource_share_counts AS counted (resource_permission_id, workspace_id, service_name, shares)
    SELECT resource.id, resource.workspace_id, resource.service_name, fresh.number
    FROM (SELECT resource_permission_id AS id, count(*) AS number FROM added GROUP BY 1) AS fresh
    JOIN resource_permissions AS resource ON resource.id = fresh.id
    ORDER BY resource.id
    ON CONFLICT (resource_permission_id) DO UPDATE SET shares = counted.shares + excluded.shares;
    RETURN NULL;
END $$
""",
    # Many are taken in one order, so that two removals of many shares do not wait for each other. When a resource goes,
    # all its shares go at once, which the first DELETE is for; the last one is for what others have left at nothing.
    """
CREATE FUNCTION resource_shares_removed() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    resources bigint := (SELECT count(DISTINCT resource_permission_id) FROM removed);
    done bigint;
BEGIN
    IF resources = 0 THEN
        RETURN NULL;
    END IF;
    IF resources > 1 THEN
        PERFORM 1 FROM resource_share_counts
        WHERE resource_permission_id IN (SELECT resource_permission_id FROM removed)
        ORDER BY resource_permission_id FOR UPDATE;
    END IF;
    DELETE FROM resource_share_counts AS counted
    USING (SELECT resource_permission_id AS id, count(*) AS number FROM removed GROUP BY 1) AS gone
    WHERE counted.resource_permission_id = gone.id AND counted.shares = gone.number;
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done < resources THEN
        UPDATE resource_share_counts AS counted SET shares = counted.shares - gone.number
        FROM (SELECT resource_permission_id AS id, count(*) AS number FROM removed GROUP BY 1) AS gone
        WHERE counted.resource_permission_id = gone.id;
        DELETE FROM resource_share_counts
        WHERE shares = 0 AND resource_permission_id IN (SELECT resource_permission_id FROM removed);
    END IF;
    RETURN NULL;
END $$
""",
    """
CREATE FUNCTION resource_permissions_moved() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE resource_share_counts SET service_name = NEW.service_name WHERE resource_permission_id = NEW.id;
    RETURN NULL;
END $$
""",
    """
CREATE TRIGGER resource_shares_added AFTER INSERT ON resource_shares
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION resource_shares_added()
""",
    """
CREATE TRIGGER resource_shares_removed AFTER DELETE ON resource_shares
REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION resource_shares_removed()
""",
    """
CREATE TRIGGER resource_permissions_moved AFTER UPDATE OF service_name ON resource_permissions
FOR EACH ROW WHEN (OLD.service_name <> NEW.service_name) EXECUTE FUNCTION resource_permissions_moved()
""",
)
SQLITE = (
    """
CREATE TRIGGER resource_shares_added AFTER INSERT ON resource_shares BEGIN
    INSERT INTO resource_share_counts (resource_permission_id, workspace_id, service_name, shares)
    SELECT id, workspace_id, service_name, 1 FROM resource_permissions WHERE id = NEW.resource_permission_id
    ON CONFLICT (resource_permission_id) DO UPDATE SET shares = shares + 1;
END
""",
    """
CREATE TRIGGER resource_shares_removed AFTER DELETE ON resource_shares BEGIN
    UPDATE resource_share_counts SET shares = shares - 1
    WHERE resource_permission_id = OLD.resource_permission_id;
    DELETE FROM resource_share_counts
    WHERE resource_permission_id = OLD.resource_permission_id AND shares = 0;
END
""",
    """
CREATE TRIGGER resource_permissions_moved AFTER UPDATE OF service_name ON resource_permissions
WHEN OLD.service_name <> NEW.service_name BEGIN
    UPDATE resource_share_counts SET service_name = NEW.service_name WHERE resource_permission_id = NEW.id;
END
""",
)
FILL = """
INSERT INTO resource_share_counts (resource_permission_id, workspace_id, service_name, shares)
SELECT resource.id, resource.workspace_id, resource.service_name, counted.number
FROM (SELECT resource_permission_id AS id, count(*) AS number FROM resource_shares GROUP BY 1) AS counted
JOIN resource_permissions AS resource ON resource.id = counted.id
"""


def upgrade() -> None:
    op.create_table(
        "resource_share_counts",
        sa.Column("resource_permission_id", sa.Uuid(), nullable=False),
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("service_name", sa.Text(), nullable=False),
        sa.Column("shares", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("resource_permission_id", name=op.f("pk_resource_share_counts")),
    )
    # Before the counting: a process of the release before waits with its shares until both are there.
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)
    op.execute(FILL)
    for name, *columns in (
        ("all", "shares", "resource_permission_id"),
        ("workspace", "workspace_id", "shares", "resource_permission_id"),
        ("service", "service_name", "shares", "resource_permission_id"),
    ):
        op.create_index(f"ix_resource_share_counts_{name}", "resource_share_counts", columns, unique=False)
    # Each old one is the beginning of the new one.
    op.drop_index("ix_resource_permissions_reach", table_name="resource_permissions")
    op.create_index(
        "ix_resource_permissions_reach",
        "resource_permissions",
        ["workspace_id", "service_name", "resource_type", "created_at", "id"],
        unique=False,
        postgresql_include=["visibility", "owner_id", "resource_id"],
    )
    op.drop_index("ix_resource_permissions_owner_id", table_name="resource_permissions")
    op.create_index(
        "ix_resource_permissions_owner_id_created_at_id",
        "resource_permissions",
        ["owner_id", "created_at", "id"],
        unique=False,
    )
