"""Saved views."""

from alembic import op

from runwell.storage.tables import saved_view

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    saved_view.create(op.get_bind(), checkfirst=True)  # 0001 makes all tables that are known by now
