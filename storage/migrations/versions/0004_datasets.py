"""The dataset studio: datasets are drafts with a history; what a training learnt from is a training set."""

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

revision = "0004"
down_revision = "0003"

KINDS = "kind IN ('add', 'caption', 'finetune', 'generate', 'import', 'publish')"
STAGES = "stage IN ('received', 'prepared', 'described', 'staged', 'training', 'generating', 'archived', 'verified', 'published', 'announced')"
ACTS = "act IN ('add', 'leave out', 'take back', 'caption', 'rename')"

SETS = """
    INSERT INTO training_sets (id, server_id, channel_id, person_id, name, prepared_file, created_ms)
    SELECT id, server_id, channel_id, person_id, name, prepared_file, created_ms FROM datasets
"""
IMAGES = """
    INSERT INTO training_images
        (training_set_id, position, server_id, channel_id, person_id, name, width, height, sha256, caption)
    SELECT dataset_id, position, server_id, channel_id, person_id, name, width, height, sha256, caption
    FROM dataset_images
"""


def upgrade() -> None:
    _create_training_sets()
    op.execute(SETS)
    op.execute(IMAGES)
    with op.batch_alter_table("models") as models:
        models.drop_constraint(op.f("fk_models_dataset_id"), type_="foreignkey")
        models.alter_column("dataset_id", new_column_name="training_set_id", existing_type=sa.String(length=32))
    with op.batch_alter_table("models") as models:  # of its own: a column being renamed cannot refer to anything
        models.create_foreign_key(op.f("fk_models_training_set_id"), "training_sets", ["training_set_id"], ["id"])
    op.drop_table("dataset_images")
    op.drop_table("datasets")
    _create_datasets()
    _create_dataset_images()
    _create_dataset_steps()
    with op.batch_alter_table("jobs") as jobs:
        _replace_check(jobs, "ck_jobs_kind", KINDS)
    with op.batch_alter_table("job_events") as events:
        _replace_check(events, "ck_job_events_stage", STAGES)


def _create_training_sets() -> None:
    op.create_table(
        "training_sets",
        sa.Column("id", sa.String(length=32), nullable=False),
        *_belongs(),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("prepared_file", sa.String(length=64), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        *_refers("training_sets"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_sets")),
    )
    op.create_table(
        "training_images",
        sa.Column("training_set_id", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        *_belongs(),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("caption", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["training_set_id"],
            ["training_sets.id"],
            name=op.f("fk_training_images_training_set_id"),
            ondelete="CASCADE",
        ),
        *_refers("training_images"),
        sa.PrimaryKeyConstraint("training_set_id", "position", name=op.f("pk_training_images")),
    )
    op.create_index("ix_training_images_sha256", "training_images", ["sha256"])


def _create_datasets() -> None:
    op.create_table(
        "datasets",
        sa.Column("id", sa.String(length=32), nullable=False),
        *_belongs(),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        *_refers("datasets"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_datasets")),
    )
    op.create_index("ix_datasets_person", "datasets", ["person_id", "updated_ms"])


def _create_dataset_images() -> None:
    op.create_table(
        "dataset_images",
        sa.Column("dataset_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        *_belongs(),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("file", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("original_width", sa.Integer(), nullable=False),
        sa.Column("original_height", sa.Integer(), nullable=False),
        sa.Column("measures", sa.JSON(), nullable=False),
        sa.Column("caption", sa.Text(), nullable=True),
        sa.Column("is_in", sa.Boolean(), nullable=False),
        sa.Column("asked_by", sa.String(length=32), nullable=True),
        _part_of_dataset("dataset_images"),
        *_refers("dataset_images"),
        sa.PrimaryKeyConstraint("dataset_id", "number", name=op.f("pk_dataset_images")),
        sa.UniqueConstraint("dataset_id", "file", name=op.f("uq_dataset_images_file")),
    )
    op.create_index("ix_dataset_images_file", "dataset_images", ["file"])


def _create_dataset_steps() -> None:
    op.create_table(
        "dataset_steps",
        sa.Column("dataset_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        *_belongs(),
        sa.Column("act", sa.String(length=16), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("left_out", sa.JSON(), nullable=False),
        sa.Column("job_id", sa.String(length=32), nullable=True),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(ACTS, name=op.f("ck_dataset_steps_act")),
        _part_of_dataset("dataset_steps"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_dataset_steps_job_id"), ondelete="SET NULL"),
        *_refers("dataset_steps"),
        sa.PrimaryKeyConstraint("dataset_id", "number", name=op.f("pk_dataset_steps")),
        sa.UniqueConstraint("job_id", name=op.f("uq_dataset_steps_job_id")),
    )


def _belongs() -> list[sa.Column[int]]:
    return [sa.Column(f"{whose}_id", sa.BigInteger(), nullable=False) for whose in ("server", "channel", "person")]


def _refers(table: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f(f"fk_{table}_person_id")),
        sa.ForeignKeyConstraint(["server_id"], ["servers.id"], name=op.f(f"fk_{table}_server_id")),
    ]


def _part_of_dataset(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_dataset_id")
    return sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=name, ondelete="CASCADE")


def _replace_check(table: BatchOperations, name: str, condition: str) -> None:
    table.drop_constraint(op.f(name), type_="check")
    table.create_check_constraint(op.f(name), condition)
