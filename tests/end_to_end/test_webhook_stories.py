"""Providers knock at the real bot: a finished training is ready at once, and nothing is believed that is not read back.

The bot pauses as long as the cards say, 15 and 10 seconds here; the test is the reverse proxy before its listener.
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from bot.playground.person import Person
from bot.providers.fal.provider import FalProvider
from storage.statuses import JobStatus
from storage.submissions import latest_submission
from tests.end_to_end.live_bot import LiveBot, Message, job_id_on, start_of
from tests.end_to_end.provider_town import Town, open_town, variables_of
from tests.simulators.fal import FalTask
from tests.simulators.replicate import Job

pytestmark = pytest.mark.asyncio(loop_scope="module")

PUBLIC_URL = "https://atelier.example"
OSTRIS = "replicate:ostris/flux-dev-lora-trainer"
KLEIN = "fal:fal-ai/flux-2-klein-9b-base-trainer"
AT_ONCE_SECONDS = 6.0  # on a busy machine; the next look comes after 10 at the soonest
Delivery = tuple[dict[str, str], bytes]


class Proxy:
    """Hands on to the listener what came for the public address."""

    def __init__(self, port: int) -> None:
        self.port = port

    @property
    def variables(self) -> dict[str, str]:
        return {"PUBLIC_URL": PUBLIC_URL, "WEBHOOK_PORT": str(self.port)}

    async def hand_on(self, url: str, delivery: Delivery) -> int:
        assert url.startswith(f"{PUBLIC_URL}/webhooks/")
        headers, body = delivery
        async with httpx.AsyncClient() as client:
            here = url.replace(PUBLIC_URL, f"http://127.0.0.1:{self.port}")
            return (await client.post(here, content=body, headers=headers)).status_code


@pytest.fixture(scope="module")
def proxy() -> Proxy:
    """The port is chosen before: nothing of the running bot tells it."""
    with socket.socket() as probe:
        probe.bind(("0.0.0.0", 0))
        return Proxy(probe.getsockname()[1])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory, proxy: Proxy) -> AsyncIterator[Town]:
    async with open_town(tmp_path_factory.mktemp("town"), real_pauses=True, **proxy.variables) as town:
        town.replicate.finishes_after_polls = None
        town.fal.polls = None
        ask_the_simulator_for_keys(town)
        yield town


def ask_the_simulator_for_keys(town: Town) -> None:
    """No setting says where fal's keys are: at its own address alone."""
    fal = town.live.resources.providers.find("fal")
    assert isinstance(fal, FalProvider)
    fal._jwks_url = town.fal.jwks_url


@pytest.fixture(scope="module")
def live(town: Town) -> LiveBot:
    return town.live


async def begun(live: LiveBot, person: Person, photos: Path, name: str, trainer: str) -> Message:
    """The card of a training that the provider works on, while the bot waits out its pause."""
    await person.command(
        "finetune", channel="training", zip=photos, name=name, trainer=trainer, trigger_word="ohwx", mode="character"
    )
    card = await live.review_card(name)
    await person.press(card, start_of(card))
    await until(lambda: pauses(live, card))
    async with asyncio.timeout(8.0):
        while not await was_looked_at(live, card):  # the first look comes at once
            await asyncio.sleep(0.01)
    return card


async def was_looked_at(live: LiveBot, card: Message) -> bool:
    """A look writes what it saw into the job, after the answer to the submission was stored."""
    async with live.resources.database.reading() as connection:
        submission = await latest_submission(connection, job_id_on(card), 0)
    accepted_ms = submission.accepted_ms if submission else None
    return accepted_ms is not None and (await live.job(job_id_on(card))).updated_ms >= accepted_ms


def pauses(live: LiveBot, card: Message) -> bool:
    return job_id_on(card) in live.resources.wakeups._waiting


async def until(is_true: Callable[[], bool], seconds: float = 8.0) -> None:
    async with asyncio.timeout(seconds):
        while not is_true():
            await asyncio.sleep(0.01)


async def is_ready_at_once(live: LiveBot, name: str, knocked_at: float) -> None:
    await live.sees_text(f"your model **{name}** is ready")
    assert time.monotonic() - knocked_at < AT_ONCE_SECONDS


async def is_still_running(live: LiveBot, card: Message) -> None:
    assert (await live.job(job_id_on(card))).status is JobStatus.RUNNING
    assert pauses(live, card)


def at_replicate(town: Town) -> Job:
    return town.replicate.jobs[town.replicate.ledger[-1]]


def at_fal(town: Town) -> tuple[FalTask, str]:
    task = town.fal.ledger[-1]
    assert task.webhook is not None
    return task, task.webhook


async def test_a_training_at_replicate_is_ready_as_soon_as_replicate_knocks(
    town: Town, live: LiveBot, proxy: Proxy, photos: Path
) -> None:
    await begun(live, live.newcomer("Ada"), photos, "Swift", OSTRIS)
    job = at_replicate(town)
    town.replicate.finish_all()
    knocked_at = time.monotonic()
    assert await proxy.hand_on(job.webhook, town.replicate.delivery_for(job.id, delivery_id="msg_swift")) == 204
    await is_ready_at_once(live, "Swift", knocked_at)


async def test_a_training_at_fal_is_ready_as_soon_as_fal_knocks(
    town: Town, live: LiveBot, proxy: Proxy, photos: Path
) -> None:
    await begun(live, live.newcomer("Bea"), photos, "Rapid", KLEIN)
    task, webhook = at_fal(town)
    await town.fal.finish_all()
    knocked_at = time.monotonic()
    assert await proxy.hand_on(webhook, town.fal.delivery(task, now=time.time())) == 204
    await is_ready_at_once(live, "Rapid", knocked_at)


async def test_a_forged_knock_changes_nothing_and_the_genuine_one_after_it_does(
    town: Town, live: LiveBot, proxy: Proxy, photos: Path
) -> None:
    card = await begun(live, live.newcomer("Cleo"), photos, "Steady", OSTRIS)
    job = at_replicate(town)
    await until(lambda: job.polls > 0)  # the first look comes at once, before the knock
    town.replicate.finish_all()
    looks = job.polls
    headers, body = town.replicate.delivery_for(job.id, delivery_id="msg_steady")
    forged = [
        (job.webhook, ({**headers, "webhook-signature": "v1,Zm9yZ2VkIGJ5IGEgc3RyYW5nZXIuLi4uLi4="}, body)),
        (job.webhook, (headers, body + b" ")),
        (job.webhook[:-4] + "0000", (headers, body)),
        (job.webhook.replace("/replicate/", "/fal/"), (headers, body)),
    ]
    assert [await proxy.hand_on(url, delivery) for url, delivery in forged] == [404] * 4
    await asyncio.sleep(1.0)
    await is_still_running(live, card)
    assert job.polls == looks, "nobody was woken"

    knocked_at = time.monotonic()
    assert await proxy.hand_on(job.webhook, (headers, body)) == 204
    await is_ready_at_once(live, "Steady", knocked_at)


async def test_a_knock_alone_proves_nothing(town: Town, live: LiveBot, proxy: Proxy, photos: Path) -> None:
    """Signed as it should be, it says "succeeded"; Replicate itself, asked, says that it goes on."""
    card = await begun(live, live.newcomer("Dora"), photos, "Truth", OSTRIS)
    job = at_replicate(town)
    town.replicate.jobs[job.id] = replace(job, status="succeeded", output={"version": "a/b:0", "weights": "https://a"})
    lie = town.replicate.delivery_for(job.id, delivery_id="msg_lie")
    town.replicate.jobs[job.id] = job
    looks = job.polls
    assert b'"status": "succeeded"' in lie[1]
    assert await proxy.hand_on(job.webhook, lie) == 204
    await until(lambda: job.polls > looks)
    await until(lambda: pauses(live, card))
    await is_still_running(live, card)

    assert await proxy.hand_on(job.webhook, lie) == 204, "a repeated one is thanked for, and wakes nobody"
    await asyncio.sleep(0.3)
    assert job.polls == looks + 1

    town.replicate.finish_all()
    knocked_at = time.monotonic()
    assert await proxy.hand_on(job.webhook, town.replicate.delivery_for(job.id, delivery_id="msg_truth")) == 204
    await is_ready_at_once(live, "Truth", knocked_at)


async def test_a_knock_at_fal_that_came_too_early_leaves_the_training_at_work(
    town: Town, live: LiveBot, proxy: Proxy, photos: Path
) -> None:
    card = await begun(live, live.newcomer("Edda"), photos, "Early", KLEIN)
    task, webhook = at_fal(town)
    looks = task.polls
    early = town.fal.delivery(task, now=time.time())
    assert b'"status": "OK"' in early[1]
    assert await proxy.hand_on(webhook, early) == 204
    await until(lambda: task.polls > looks)
    await until(lambda: pauses(live, card))
    await is_still_running(live, card)
    await town.fal.finish_all()


async def test_an_address_that_was_handed_out_before_a_restart_is_still_good(
    town: Town, live: LiveBot, proxy: Proxy, photos: Path
) -> None:
    card = await begun(live, live.newcomer("Fay"), photos, "Lasting", OSTRIS)
    job = at_replicate(town)
    await live.stop()
    await live.start(**variables_of(town), **proxy.variables)
    ask_the_simulator_for_keys(town)
    await until(lambda: pauses(live, card))
    town.replicate.finish_all()
    knocked_at = time.monotonic()
    assert await proxy.hand_on(job.webhook, town.replicate.delivery_for(job.id, delivery_id="msg_lasting")) == 204
    await is_ready_at_once(live, "Lasting", knocked_at)
    assert len([one for one in town.replicate.jobs.values() if one.webhook == job.webhook]) == 1, "paid once"
