"""Index for the sweep of old sign-ins (``tokens.md`` SG-3)."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_sign_in_memory_last_seen", "sign_in_memory", ["last_seen"], unique=False)
