"""Spans of traces that are in no run yet."""

from alembic import op

from runwell.storage.tables import pending_span

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    pending_span.create(op.get_bind(), checkfirst=True)  # 0001 makes all tables that are known by now
