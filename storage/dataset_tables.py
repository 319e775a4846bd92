"""The tables of datasets and of what trainings learnt from; the rest of the schema is in `tables`."""

import sqlalchemy as sa

from storage.schema import belongs, metadata, words
from storage.statuses import DatasetAct

datasets = sa.Table(
    "datasets",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    *belongs(),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("steps_made", sa.Integer, nullable=False, server_default="0"),
    sa.Column("numbers_given", sa.Integer, nullable=False, server_default="0"),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("updated_ms", sa.BigInteger, nullable=False),
    sa.Index("ix_datasets_person", "person_id", "updated_ms"),
)

dataset_images = sa.Table(
    "dataset_images",
    metadata,
    sa.Column("dataset_id", sa.String(32), sa.ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    *belongs(),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("file", sa.String(64), nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("original_width", sa.Integer, nullable=False),
    sa.Column("original_height", sa.Integer, nullable=False),
    sa.Column("size_bytes", sa.Integer, nullable=False, server_default="0"),
    sa.Column("measures", sa.JSON, nullable=False),
    sa.Column("caption", sa.Text),
    sa.Column("is_in", sa.Boolean, nullable=False),
    sa.Column("asked_by", sa.String(32)),
    sa.UniqueConstraint("dataset_id", "file", name="uq_dataset_images_file"),
    sa.Index("ix_dataset_images_file", "file"),
)

dataset_steps = sa.Table(
    "dataset_steps",
    metadata,
    sa.Column("dataset_id", sa.String(32), sa.ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    *belongs(),
    sa.Column("act", sa.String(16), nullable=False),
    sa.Column("before", sa.JSON, nullable=False),
    sa.Column("left_out", sa.JSON, nullable=False),
    sa.Column("job_id", sa.String(32), sa.ForeignKey("jobs.id", ondelete="SET NULL")),
    sa.Column("made_ms", sa.BigInteger, nullable=False),
    words("act", DatasetAct),
    sa.UniqueConstraint("job_id", name="uq_dataset_steps_job_id"),
)

training_sets = sa.Table(
    "training_sets",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    *belongs(),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("prepared_file", sa.String(64)),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
)

training_images = sa.Table(
    "training_images",
    metadata,
    sa.Column(
        "training_set_id", sa.String(32), sa.ForeignKey("training_sets.id", ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("position", sa.Integer, primary_key=True),
    *belongs(),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("caption", sa.Text),
    sa.Index("ix_training_images_sha256", "sha256"),
)
