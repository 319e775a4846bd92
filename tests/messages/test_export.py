"""What is exported for whoever looks for a fault: everything that happened, and nothing that opens a door."""

import json
from dataclasses import replace

from bot.messages.export import debug_export, export_name
from bot.messages.view import JobView
from storage.statuses import ErrorCategory, JobKind, JobStatus, Stage, StageOutcome
from tests.builders import CARD, finetune_submission
from tests.messages.test_cards import event, job_of

SIGNED = "https://cdn.discordapp.com/a/b/luna.zip?ex=1&is=2&hm=abcdef0123456789"


def exported() -> str:
    job = job_of(JobKind.FINETUNE, JobStatus.FAILED)
    job = replace(
        job,
        details={
            **job.details,
            "uploads": [{"url": SIGNED, "name": "luna.zip", "size_bytes": 9}],
            "prepared": {"upload": "https://fal.example/x?sig=secret"},
        },
    )
    events = (
        event(Stage.STAGED),
        event(Stage.TRAINING, StageOutcome.FAILED, attempt=2, error_category=ErrorCategory.NETWORK, advice="Look."),
    )
    submission = finetune_submission(links={"status": "https://queue.example/1?token=secret"})
    return debug_export(JobView(job=job, events=events, provider=CARD, submissions=(submission,))).decode()


def test_every_stage_attempt_and_request_is_in_it() -> None:
    told = json.loads(exported())
    assert told["job"]["id"] == "1001"
    assert told["job"]["error_category"] == "timeout"
    assert [(one["stage"], one["attempt"], one["took_ms"], one["advice"]) for one in told["stages"]] == [
        ("staged", 1, 12_300, ""),
        ("training", 2, 12_300, "Look."),
    ]
    assert told["submissions"][0]["remote_id"] == "task-1"


def test_nothing_in_it_opens_a_door() -> None:
    text = exported()
    for secret in ("secret", "hm=", "https://"):
        assert secret not in text


def test_the_file_is_called_after_the_job() -> None:
    assert export_name("1001") == "atelier-job-1001.json"
