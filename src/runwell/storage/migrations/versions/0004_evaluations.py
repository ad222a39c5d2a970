"""Evaluators, datasets and experiments."""

from alembic import op

from runwell.storage.tables import (
    dataset,
    dataset_version,
    evaluator,
    evaluator_attachment,
    experiment,
    experiment_cell,
    pending_evaluation,
    variant_document,
)

revision = "0004"
down_revision = "0003"

NEW = (variant_document, evaluator, evaluator_attachment, pending_evaluation, dataset, dataset_version, experiment, experiment_cell)


def upgrade() -> None:
    for table in NEW:
        table.create(op.get_bind(), checkfirst=True)  # 0001 makes all tables that are known by now
