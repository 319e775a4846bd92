"""No job is lost: rounds, verdicts, deliveries, turns in a queue, outages."""

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

revision = "0003"
down_revision = "0002"

STATUSES = "status IN ('preparing', 'review', 'running', 'uncertain', 'cancelling', 'done', 'failed', 'cancelled')"
CATEGORIES = "IN ('network', 'authentication', 'validation', 'rate_limit', 'service_error', 'file_error', 'timeout', 'moderation', 'payment', 'gone', 'uncertain', 'storage', 'cancelled')"


CARDS = """
    INSERT INTO deliveries
        (job_id, message, round, part, server_id, channel_id, person_id, intended_ms, route, posted_in, message_id)
    SELECT id, 'card', 0, 0, server_id, channel_id, person_id, created_ms, 'channel', channel_id, message_id
    FROM jobs WHERE message_id IS NOT NULL
"""


def upgrade() -> None:
    _create_deliveries()
    op.execute(CARDS)
    with op.batch_alter_table("jobs") as jobs:
        _replace_check(jobs, "ck_jobs_status", STATUSES)
        _replace_check(jobs, "ck_jobs_error_category", f"error_category {CATEGORIES}")
        jobs.drop_column("message_id")
        jobs.add_column(_count("round", default="0"))
        jobs.add_column(sa.Column("lane", sa.String(length=40), nullable=True))
        jobs.add_column(sa.Column("turn", sa.BigInteger(), nullable=True))
        jobs.add_column(_count("weight", default="1"))
        jobs.add_column(sa.Column("queued_ms", sa.BigInteger(), nullable=True))
        jobs.add_column(sa.Column("begun_ms", sa.BigInteger(), nullable=True))
        jobs.add_column(sa.Column("shown_ms", sa.BigInteger(), nullable=False, server_default="0"))
        jobs.add_column(sa.Column("held_ms", sa.BigInteger(), nullable=True))
        jobs.create_index("ix_jobs_server", ["server_id", "created_ms"])
        jobs.create_index("ix_jobs_server_open", ["server_id", "status"])
        jobs.create_index("ix_jobs_runs", ["provider", "kind", "status", "finished_ms"])
        jobs.create_index("ix_jobs_lane", ["lane", "status", "turn"])
        jobs.create_index("ix_jobs_turn", ["person_id", "lane", "turn"])
    begun = sa.text("begun_ms IS NOT NULL")
    op.create_index("ix_jobs_begun", "jobs", ["lane", "turn"], sqlite_where=begun, postgresql_where=begun)
    with op.batch_alter_table("job_events") as events:
        _replace_check(events, "ck_job_events_error_category", f"error_category {CATEGORIES}")
        events.add_column(_text("advice"))
        events.add_column(_count("round", default="0"))
        events.add_column(sa.Column("result", sa.JSON(), nullable=True))
    with op.batch_alter_table("submissions") as submissions:
        submissions.add_column(_count("round", default="0"))
        submissions.add_column(sa.Column("provider", sa.String(length=32), nullable=False, server_default=""))
        submissions.add_column(sa.Column("accepted_ms", sa.BigInteger(), nullable=True))
        submissions.add_column(sa.Column("finished_ms", sa.BigInteger(), nullable=True))
        submissions.add_column(sa.Column("fetched", sa.JSON(), nullable=True))
        submissions.add_column(sa.Column("verdict", sa.String(length=16), nullable=True))
        submissions.add_column(_text("verdict_sentence"))
        submissions.create_check_constraint(op.f("ck_submissions_verdict"), f"verdict {CATEGORIES}")
        submissions.drop_constraint(op.f("pk_submissions"), type_="primary")
        submissions.create_primary_key(op.f("pk_submissions"), ["job_id", "part", "round"])
    op.execute("UPDATE submissions SET provider = (SELECT provider FROM jobs WHERE jobs.id = submissions.job_id)")
    _create_outages()


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("job_id", sa.String(length=32), nullable=False),
        sa.Column("message", sa.String(length=16), nullable=False),
        _count("round", default="0"),
        _count("part", default="0"),
        sa.Column("server_id", sa.BigInteger(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("intended_ms", sa.BigInteger(), nullable=False),
        sa.Column("route", sa.String(length=16), nullable=False),
        sa.Column("posted_in", sa.BigInteger(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("pictures", sa.JSON(), nullable=False, server_default="[]"),
        sa.CheckConstraint("message IN ('card', 'result', 'failure', 'question')", name=op.f("ck_deliveries_message")),
        sa.CheckConstraint("route IN ('channel', 'thread', 'direct', 'kept')", name=op.f("ck_deliveries_route")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_deliveries_job_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_deliveries_person_id")),
        sa.ForeignKeyConstraint(["server_id"], ["servers.id"], name=op.f("fk_deliveries_server_id")),
        sa.PrimaryKeyConstraint("job_id", "message", "round", "part", name=op.f("pk_deliveries")),
    )


def _create_outages() -> None:
    op.create_table(
        "outages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(length=32), nullable=False),
        sa.Column("category", sa.String(length=16), nullable=False),
        _text("sentence"),
        _text("advice"),
        _count("failures", default="1"),
        sa.Column("began_ms", sa.BigInteger(), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=True),
        _count("probes", default="0"),
        sa.Column("probe_ms", sa.BigInteger(), nullable=False),
        sa.Column("prober", sa.String(length=32), nullable=True),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(f"category {CATEGORIES}", name=op.f("ck_outages_category")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outages")),
    )
    op.create_index(
        "ix_outages_current",
        "outages",
        ["provider"],
        unique=True,
        sqlite_where=sa.text("ended_ms IS NULL"),
        postgresql_where=sa.text("ended_ms IS NULL"),
    )
    op.create_table(
        "outage_notices",
        sa.Column("outage_id", sa.Integer(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("server_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("over_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["outage_id"], ["outages.id"], name=op.f("fk_outage_notices_outage_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["server_id"], ["servers.id"], name=op.f("fk_outage_notices_server_id")),
        sa.PrimaryKeyConstraint("outage_id", "channel_id", name=op.f("pk_outage_notices")),
    )


def _count(name: str, *, default: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, server_default=default)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=1000), nullable=False, server_default="")


def _replace_check(table: BatchOperations, name: str, condition: str) -> None:
    table.drop_constraint(op.f(name), type_="check")
    table.create_check_constraint(op.f(name), condition)
