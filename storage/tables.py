"""The schema on one page, beside `dataset_tables`. Times are integer epoch milliseconds; Discord's ids are 64 bit."""

import sqlalchemy as sa

from storage.schema import belongs, metadata, words
from storage.statuses import ErrorCategory, JobKind, JobStatus, Message, Route, Stage, StageOutcome

people = sa.Table(
    "people",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("first_seen_ms", sa.BigInteger, nullable=False),
)

servers = sa.Table(
    "servers",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("first_seen_ms", sa.BigInteger, nullable=False),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    *belongs(),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("provider", sa.String(32), nullable=False),
    sa.Column("details", sa.JSON, nullable=False),
    sa.Column("progress", sa.Float, nullable=False, server_default="0"),
    sa.Column("note", sa.String(200), nullable=False, server_default=""),
    sa.Column("ready_at_ms", sa.BigInteger),
    sa.Column("error_category", sa.String(16)),
    sa.Column("error_sentence", sa.String(1000)),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("updated_ms", sa.BigInteger, nullable=False),
    sa.Column("finished_ms", sa.BigInteger),
    sa.Column("round", sa.Integer, nullable=False, server_default="0"),
    sa.Column("lane", sa.String(40)),
    sa.Column("turn", sa.BigInteger),
    sa.Column("weight", sa.Integer, nullable=False, server_default="1"),
    sa.Column("queued_ms", sa.BigInteger),
    sa.Column("begun_ms", sa.BigInteger),
    sa.Column("shown_ms", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("held_ms", sa.BigInteger),
    words("kind", JobKind),
    words("status", JobStatus),
    words("error_category", ErrorCategory),
    sa.CheckConstraint("progress >= 0 AND progress <= 1", name="progress"),
    sa.Index("ix_jobs_person", "person_id", "created_ms"),
    sa.Index("ix_jobs_status", "status"),
    sa.Index("ix_jobs_lane", "lane", "status", "turn"),
    sa.Index("ix_jobs_turn", "person_id", "lane", "turn"),
    sa.Index(
        "ix_jobs_begun",
        "lane",
        "turn",
        sqlite_where=sa.text("begun_ms IS NOT NULL"),
        postgresql_where=sa.text("begun_ms IS NOT NULL"),
    ),
    sa.Index("ix_jobs_runs", "provider", "kind", "status", "finished_ms"),
    sa.Index("ix_jobs_server", "server_id", "created_ms"),
    sa.Index("ix_jobs_server_open", "server_id", "status"),
)

job_events = sa.Table(
    "job_events",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("job_id", sa.String(32), sa.ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    *belongs(),
    sa.Column("stage", sa.String(16), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("started_ms", sa.BigInteger, nullable=False),
    sa.Column("ended_ms", sa.BigInteger),
    sa.Column("outcome", sa.String(16)),
    sa.Column("error_category", sa.String(16)),
    sa.Column("detail", sa.String(1000), nullable=False, server_default=""),
    sa.Column("advice", sa.String(1000), nullable=False, server_default=""),
    sa.Column("round", sa.Integer, nullable=False, server_default="0"),
    sa.Column("result", sa.JSON),
    words("stage", Stage),
    words("outcome", StageOutcome),
    words("error_category", ErrorCategory),
    sa.UniqueConstraint("job_id", "stage", "attempt", name="uq_job_events_attempt"),
)

submissions = sa.Table(
    "submissions",
    metadata,
    sa.Column("job_id", sa.String(32), sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("part", sa.Integer, primary_key=True, server_default="0"),
    sa.Column("round", sa.Integer, primary_key=True, server_default="0"),
    *belongs(),
    sa.Column("provider", sa.String(32), nullable=False, server_default=""),
    sa.Column("intended_ms", sa.BigInteger, nullable=False),
    sa.Column("accepted_ms", sa.BigInteger),
    sa.Column("remote_id", sa.String(200)),
    sa.Column("links", sa.JSON, nullable=False, server_default="{}"),
    sa.Column("finished_ms", sa.BigInteger),
    sa.Column("fetched", sa.JSON),
    sa.Column("verdict", sa.String(16)),
    sa.Column("verdict_sentence", sa.String(1000), nullable=False, server_default=""),
    words("verdict", ErrorCategory),
    sa.Index("ix_submissions_remote", "remote_id"),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("job_id", sa.String(32), sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("message", sa.String(16), primary_key=True),
    sa.Column("round", sa.Integer, primary_key=True, server_default="0"),
    sa.Column("part", sa.Integer, primary_key=True, server_default="0"),
    *belongs(),
    sa.Column("intended_ms", sa.BigInteger, nullable=False),
    sa.Column("route", sa.String(16), nullable=False),
    sa.Column("posted_in", sa.BigInteger),
    sa.Column("message_id", sa.BigInteger),
    sa.Column("pictures", sa.JSON, nullable=False, server_default="[]"),
    words("message", Message),
    words("route", Route),
)

outages = sa.Table(
    "outages",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("provider", sa.String(32), nullable=False),
    sa.Column("category", sa.String(16), nullable=False),
    sa.Column("sentence", sa.String(1000), nullable=False, server_default=""),
    sa.Column("advice", sa.String(1000), nullable=False, server_default=""),
    sa.Column("failures", sa.Integer, nullable=False, server_default="1"),
    sa.Column("began_ms", sa.BigInteger, nullable=False),
    sa.Column("opened_ms", sa.BigInteger),
    sa.Column("probes", sa.Integer, nullable=False, server_default="0"),
    sa.Column("probe_ms", sa.BigInteger, nullable=False),
    sa.Column("prober", sa.String(32)),
    sa.Column("ended_ms", sa.BigInteger),
    words("category", ErrorCategory),
    sa.Index(
        "ix_outages_current",
        "provider",
        unique=True,
        sqlite_where=sa.text("ended_ms IS NULL"),
        postgresql_where=sa.text("ended_ms IS NULL"),
    ),
)

outage_notices = sa.Table(
    "outage_notices",
    metadata,
    sa.Column("outage_id", sa.Integer, sa.ForeignKey("outages.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("channel_id", sa.BigInteger, primary_key=True),
    sa.Column("server_id", sa.BigInteger, sa.ForeignKey("servers.id"), nullable=False),
    sa.Column("message_id", sa.BigInteger),
    sa.Column("over_ms", sa.BigInteger),
)

models = sa.Table(
    "models",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    *belongs(),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("job_id", sa.String(32), sa.ForeignKey("jobs.id"), nullable=False, unique=True),
    sa.Column("training_set_id", sa.String(32), sa.ForeignKey("training_sets.id")),
    sa.Column("provider", sa.String(32), nullable=False),
    sa.Column("base_model", sa.String(100), nullable=False),
    sa.Column("trigger_word", sa.String(50), nullable=False),
    sa.Column("settings", sa.JSON, nullable=False),
    sa.Column("weights_file", sa.String(64)),
    sa.Column("remote", sa.JSON, nullable=False, server_default="{}"),
    sa.Column("published", sa.String(300)),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("deleted_ms", sa.BigInteger),
    sa.Index("ix_models_person", "person_id", "created_ms"),
)

pictures = sa.Table(
    "pictures",
    metadata,
    sa.Column("job_id", sa.String(32), sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    *belongs(),
    sa.Column("model_id", sa.String(32), sa.ForeignKey("models.id")),
    sa.Column("file", sa.String(64), nullable=False),
    sa.Column("prompt", sa.Text, nullable=False),
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("message_id", sa.BigInteger),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
)
