"""A place in line and the times beside it, in words."""

from dataclasses import replace

import pytest

from bot.messages.cards import job_card
from bot.messages.lists import jobs_page
from bot.messages.outlooks import in_line, is_ready, waits
from bot.messages.view import JobView
from bot.outlook import Outlook
from storage.history import StageEvent
from storage.jobs import Job
from storage.statuses import Stage
from tests.builders import CARD, generate_job
from tests.messages.reading import text_of

FROM, TO = 1_700_000_000_000, 1_700_000_600_000
AT_WORK = StageEvent(
    stage=Stage.GENERATING, attempt=1, started_ms=FROM, ended_ms=None, outcome=None, error_category=None, detail=""
)


def card_text(job: Job, outlook: Outlook, *events: StageEvent) -> str:
    return text_of(job_card(JobView(job=job, events=events, provider=CARD, outlook=outlook)))


@pytest.mark.parametrize(
    ("position", "words"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (13, "13th"), (21, "21st"),
     (102, "102nd"), (111, "111th"), (1013, "1,013th")],
)  # fmt: skip
def test_a_position_is_said_as_people_say_it(position: int, words: str) -> None:
    assert in_line(position) == f"{words} in line"


@pytest.mark.parametrize(
    ("earliest", "latest", "words"),
    [
        (FROM, TO, " · begins <t:1700000000:R> to <t:1700000600:R>"),
        (TO, TO, " · begins about <t:1700000600:R>"),
        (None, TO, " · begins by <t:1700000600:R>"),
        (None, None, ""),
    ],
)
def test_who_waits_reads_as_much_as_is_known(earliest: int | None, latest: int | None, words: str) -> None:
    assert waits(Outlook(position=3, earliest_ms=earliest, latest_ms=latest), 3) == f"**3rd in line**{words}"


def test_nothing_is_said_where_nothing_is_known() -> None:
    assert is_ready(Outlook(position=None)) == ""


def test_a_waiting_card_says_its_place_in_line() -> None:
    text = card_text(generate_job(), Outlook(position=3, earliest_ms=FROM, latest_ms=TO))
    assert text.endswith("**3rd in line** · begins <t:1700000000:R> to <t:1700000600:R>")


@pytest.mark.parametrize(
    ("progress", "note", "words"), [(0.0, "", "At work"), (0.0, "starting", "starting"), (0.25, "", "25%")]
)
def test_a_card_at_work_says_when_it_is_usually_ready(progress: float, note: str, words: str) -> None:
    job, outlook = generate_job(progress=progress, note=note), Outlook(position=None, earliest_ms=FROM, latest_ms=TO)
    assert card_text(job, outlook, AT_WORK).endswith(f"{words} · ready <t:1700000000:R> to <t:1700000600:R>")
    assert card_text(job, Outlook(position=None), AT_WORK).endswith("At work." if words == "At work" else words)


def test_what_the_provider_says_counts_more_than_what_usually_happens() -> None:
    job = replace(generate_job(), progress=0.5, ready_at_ms=FROM - 5000)
    assert card_text(job, Outlook(position=None, latest_ms=TO), AT_WORK).endswith("50% · ready <t:1699999995:R>")


def test_a_list_of_jobs_says_who_waits_where() -> None:
    jobs = [generate_job(id="1"), generate_job(id="2")]
    page = text_of(jobs_page(jobs, page=0, total=2, person_id=33, positions={"2": 14}))
    assert page.splitlines()[1].count("at work") == 1
    assert page.splitlines()[2].count("14th in line") == 1
