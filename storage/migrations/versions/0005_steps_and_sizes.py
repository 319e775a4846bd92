"""Datasets count their steps and the numbers they gave, so that neither is used twice; pictures know their size."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

COUNTED = """
    UPDATE datasets SET
        steps_made = COALESCE((SELECT MAX(number) FROM dataset_steps WHERE dataset_id = datasets.id), 0),
        numbers_given = COALESCE((SELECT MAX(number) FROM dataset_images WHERE dataset_id = datasets.id), 0)
"""


def upgrade() -> None:
    for table, column in (
        ("datasets", "steps_made"),
        ("datasets", "numbers_given"),
        ("dataset_images", "size_bytes"),
    ):
        op.add_column(table, sa.Column(column, sa.Integer(), nullable=False, server_default="0"))
    op.execute(COUNTED)
