"""A job as JSON for whoever looks for a fault: everything that happened, and nothing that opens a door."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bot.messages.view import JobView

PRIVATE = frozenset({"uploads", "links", "source", "prepared"})  # links may carry signatures


def debug_export(view: JobView) -> bytes:
    """UTF-8 JSON: the job, its stages with attempts and durations, its paid requests, where its messages went."""
    job = asdict(view.job)
    exported = {
        "job": {**job, "details": _without_private(view.job.details)},
        "provider": view.provider.name,
        "stages": [
            {
                **_without_private(asdict(event)),
                "took_ms": None if event.ended_ms is None else event.ended_ms - event.started_ms,
            }
            for event in view.events
        ],
        "submissions": [_without_private(asdict(submission)) for submission in view.submissions],
    }
    return json.dumps(exported, indent=2, ensure_ascii=False, default=str).encode()


def export_name(job_id: str) -> str:
    return f"atelier-job-{job_id}.json"


def _without_private(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: f"[{len(value)} left out]" if name in PRIVATE else value
        for name, value in values.items()
        if name not in PRIVATE or value
    }
