"""What its person can press on a job's card; a training under review has its own in `review`."""

from collections.abc import Iterator

import discord

from bot.messages.buttons import Act, Card, button
from bot.messages.outages import elsewhere_label
from bot.messages.view import JobView
from storage.statuses import JobKind, JobStatus


def job_buttons(view: JobView) -> Iterator[discord.ui.Button[Card]]:
    job, person_id = view.job, view.job.place.person_id
    if job.status is JobStatus.RUNNING and view.elsewhere is not None:
        label = elsewhere_label(view.elsewhere[0].title)
        yield button(Act.ELSEWHERE, label, subject=job.id, person_id=person_id)
    if job.status in (JobStatus.PREPARING, JobStatus.RUNNING):
        yield button(Act.CANCEL, "Cancel", subject=job.id, person_id=person_id, style=discord.ButtonStyle.danger)
    if job.kind in (JobKind.ADD, JobKind.CAPTION) and job.status is JobStatus.DONE and view.kept_as is not None:
        yield button(Act.OPEN_DATASET, "Open", subject=job.dataset_id, person_id=person_id)
        if view.addition is not None and view.addition.left_out:
            yield button(Act.LEFT_OUT, "All files left out", subject=job.dataset_id, person_id=person_id)
    if job.status is JobStatus.UNCERTAIN:
        yield from decision_buttons(view)
    if job.may_be_retried:
        yield retry_button(view)
    if job.status is JobStatus.FAILED and job.details.get("left_out"):
        yield button(Act.LEFT_OUT, "All files left out", subject=job.id, person_id=person_id)
    if job.status in (JobStatus.FAILED, JobStatus.UNCERTAIN):
        yield button(Act.TIMELINE, "What happened", subject=job.id, person_id=person_id)


def decision_buttons(view: JobView) -> Iterator[discord.ui.Button[Card]]:
    """What became of a paid request that was never answered, its person may know, or decide."""
    job, person_id = view.job, view.job.place.person_id
    if view.can_attach:
        yield button(Act.ATTACH, "It ran: attach id", subject=job.id, person_id=person_id)
    yield button(
        Act.SUBMIT_AGAIN,
        "Submit again (may be charged)",
        subject=job.id,
        person_id=person_id,
        style=discord.ButtonStyle.danger,
    )
    yield button(Act.CANCEL, "Give up", subject=job.id, person_id=person_id)


def retry_button(view: JobView) -> discord.ui.Button[Card]:
    """What the provider ended has to be paid for again; everything else has not."""
    job = view.job
    has_verdict = any(one.verdict is not None and one.round == job.round for one in view.submissions)
    label = "Retry (charged again)" if has_verdict and not _is_free(view) else "Retry"
    return button(Act.RETRY, label, subject=job.id, person_id=job.place.person_id, style=discord.ButtonStyle.primary)


def _is_free(view: JobView) -> bool:
    details = view.job.details
    if view.job.kind is JobKind.FINETUNE:
        price = view.trainer.price if view.trainer else None
        return price is not None and price.of(details["settings"]["iterations"]) == 0
    return details.get("price_usd") == 0
