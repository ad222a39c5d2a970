"""Attached evaluators judge runs, or the turns of their conversations."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    known = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("evaluator_attachment")}
    if "judges" not in known:  # 0001 makes all tables as they are by now
        op.add_column("evaluator_attachment", sa.Column("judges", sa.String, nullable=False, server_default="run"))
