"""A provider that takes no jobs for a while costs nobody theirs: what people and operators see, and what is paid."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.playground.person import Person
from bot.playground.reading import labels_of, text_of
from storage.statuses import JobStatus
from tests.end_to_end.live_bot import LiveBot, Message, job_id_on, said_privately, start_of
from tests.end_to_end.provider_town import OPERATORS, Town, open_town, start_for_operators
from tests.fakes import Minutes
from tests.simulators.fal import SUBMIT
from tests.simulators.hub import LFS_WARNING
from tests.simulators.replicate import TRAIN, UNPAID
from tests.simulators.service import answers

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.filterwarnings(LFS_WARNING)]

OSTRIS = "replicate:ostris/flux-dev-lora-trainer"
LOCKED = answers(403, {"detail": "User is locked. Reason: Exhausted balance. Top up your balance."})


@pytest.fixture(scope="module")
def minutes() -> Minutes:
    return Minutes()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory, minutes: Minutes) -> AsyncIterator[Town]:
    async with open_town(tmp_path_factory.mktemp("town"), now_ms=minutes) as town:
        await start_for_operators(town)
        yield town


@pytest.fixture(scope="module")
def live(town: Town) -> LiveBot:
    return town.live


@pytest.fixture
def ann(live: LiveBot) -> Person:
    return live.playground.person("Ann")


async def asks(person: Person, prompt: str, model: str) -> None:
    await person.command("generate", channel="training", prompt=prompt, model=model)


def notices(live: LiveBot, title: str) -> list[Message]:
    return [one for one in live.messages_about("Jobs for it wait") if title in text_of(one)]


async def test_a_training_that_meets_an_empty_account_waits_and_is_paid_once(
    town: Town, live: LiveBot, ann: Person, photos: Path, minutes: Minutes
) -> None:
    paid = len(town.replicate.ledger)
    town.replicate.order(TRAIN, UNPAID)
    await ann.command("finetune", channel="training", zip=photos, name="Luna", trainer=OSTRIS, trigger_word="ohwx")
    card = await live.review_card("Luna")
    await ann.press(card, start_of(card))
    card = await live.sees_text("Training Luna", "Replicate takes no jobs at the moment")
    assert "operator has been told" in text_of(card)
    assert not [word for word in ("money", "credit", "top it up") if word in text_of(card).lower()]
    told = await live.sees_text("Replicate wants money", "You have insufficient credit", channel=OPERATORS)
    assert "top up its account" in text_of(told)
    assert "Replicate takes no jobs at the moment" in text_of(await (await ann.command("providers")).final())
    assert len(town.replicate.ledger) == paid

    minutes.forward(1.1)
    await live.sees_text("your model **Luna** is ready")
    assert len(town.replicate.ledger) == paid + 1
    (notice,) = live.messages_about("Replicate is back")
    assert "after 1 min; 1 job goes on" in text_of(notice)
    assert not notices(live, "Replicate"), "one message, which was edited"
    assert not town.datasets_left()


async def test_an_outage_is_announced_once_however_many_wait_and_survives_a_restart(
    town: Town, live: LiveBot, minutes: Minutes
) -> None:
    paid, money = len(town.bfl.ledger), town.bfl.credits
    town.bfl.credits = 0
    people = [live.newcomer(f"Person {number}") for number in range(5)]
    for number, person in enumerate(people):
        await asks(person, f"a castle of glass {number}", "bfl:flux-2-pro")
    for number in range(5):
        await live.sees_text(f"a castle of glass {number}", "Black Forest Labs takes no jobs at the moment")
    await live.sees_text("Black Forest Labs", "Jobs for it wait")
    await start_for_operators(town)
    await asyncio.sleep(2.5)  # a round of the vigil: it would tell again now
    assert len(notices(live, "Black Forest Labs")) == 1
    assert len(town.bfl.ledger) == paid

    town.bfl.credits = money
    minutes.forward(15)
    for number in range(5):
        await live.pictures(f"a castle of glass {number}")
    assert len(town.bfl.ledger) == paid + 5, "each was paid once"
    (notice,) = live.messages_about("Black Forest Labs is back")
    assert "5 jobs go on" in text_of(notice)
    assert not notices(live, "Black Forest Labs")


async def test_a_generation_that_waits_goes_to_another_provider_when_its_person_says_so(
    town: Town, live: LiveBot, ann: Person
) -> None:
    paid = {name: len(getattr(town, name).ledger) for name in ("fal", "replicate", "bfl", "together")}
    town.fal.order(SUBMIT, *[LOCKED] * 3)
    await asks(ann, "a quiet harbour", "fal:fal-ai/flux-2-pro")
    card = await live.sees(
        lambda message: "a quiet harbour" in text_of(message) and "Use Black Forest Labs instead" in labels_of(message)
    )
    assert "Instead: FLUX.2 [pro] at Black Forest Labs" in text_of(card).replace("\\", "")
    ben = live.newcomer("Ben the second")
    assert "belongs to somebody else" in said_privately(await ben.press(card, "Use Black Forest Labs instead"))

    await ann.press(card, "Use Black Forest Labs instead")
    shown = await live.pictures("a quiet harbour")
    assert "Black Forest Labs" in text_of(shown)
    job = await live.job_in(job_id_on(card), JobStatus.DONE)
    assert (job.provider, job.round) == ("bfl", 1)
    now = {name: len(getattr(town, name).ledger) for name in paid}
    assert now == {**paid, "bfl": paid["bfl"] + 1}, "paid once, there"
