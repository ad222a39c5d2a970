"""Holds, and runs that are being cut."""

from alembic import op

from runwell.storage.tables import cut_run, hold

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for table in (hold, cut_run):
        table.create(op.get_bind(), checkfirst=True)  # 0001 makes all tables that are known by now
