"""Holds."""

from alembic import op

from runwell.storage.tables import hold

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    hold.create(op.get_bind(), checkfirst=True)  # 0001 makes all tables that are known by now
