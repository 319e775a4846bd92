"""Real providers: several paid requests per job, imported models, base generation, publishing."""

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

revision = "0002"
down_revision = "0001"

KINDS = "kind IN ('finetune', 'generate', 'import', 'publish')"
STAGES = "stage IN ('received', 'prepared', 'staged', 'training', 'generating', 'archived', 'verified', 'published', 'announced')"
CATEGORIES = "error_category IN ('network', 'authentication', 'validation', 'rate_limit', 'service_error', 'file_error', 'timeout', 'moderation', 'payment', 'gone', 'cancelled')"


def upgrade() -> None:
    with op.batch_alter_table("jobs") as jobs:
        jobs.drop_column("remote_id")
        _replace_check(jobs, "ck_jobs_kind", KINDS)
        _replace_check(jobs, "ck_jobs_error_category", CATEGORIES)
    with op.batch_alter_table("job_events") as events:
        _replace_check(events, "ck_job_events_stage", STAGES)
        _replace_check(events, "ck_job_events_error_category", CATEGORIES)
    with op.batch_alter_table("submissions") as submissions:
        submissions.add_column(sa.Column("part", sa.Integer(), nullable=False, server_default="0"))
        submissions.add_column(sa.Column("links", sa.JSON(), nullable=False, server_default="{}"))
        submissions.drop_constraint(op.f("pk_submissions"), type_="primary")
        submissions.create_primary_key(op.f("pk_submissions"), ["job_id", "part"])
        submissions.create_index("ix_submissions_remote", ["remote_id"])
    with op.batch_alter_table("models") as models:
        models.add_column(sa.Column("remote", sa.JSON(), nullable=False, server_default="{}"))
        models.add_column(sa.Column("published", sa.String(length=300), nullable=True))
        models.alter_column("dataset_id", existing_type=sa.String(length=32), nullable=True)
        models.alter_column("weights_file", existing_type=sa.String(length=64), nullable=True)
    with op.batch_alter_table("pictures") as pictures:
        pictures.alter_column("model_id", existing_type=sa.String(length=32), nullable=True)


def _replace_check(table: BatchOperations, name: str, condition: str) -> None:
    table.drop_constraint(op.f(name), type_="check")
    table.create_check_constraint(op.f(name), condition)
