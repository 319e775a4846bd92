"""A paid request whose answer never came, at a provider that cannot be asked: its person decides."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.playground.person import Person
from bot.playground.reading import labels_of, text_of
from storage.statuses import JobStatus
from tests.end_to_end.live_bot import LiveBot, Message, job_id_on, said_privately
from tests.end_to_end.provider_town import OPERATORS, Town, open_town, start_for_operators
from tests.fakes import Minutes
from tests.simulators.fal import SUBMIT
from tests.simulators.hub import LFS_WARNING
from tests.simulators.service import BAD_GATEWAY_AFTER_EFFECT, RESET

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.filterwarnings(LFS_WARNING)]

PRO = "fal:fal-ai/flux-2-pro"


@pytest.fixture(scope="module")
def minutes() -> Minutes:
    return Minutes()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory, minutes: Minutes) -> AsyncIterator[Town]:
    async with open_town(tmp_path_factory.mktemp("town"), now_ms=minutes) as town:
        await start_for_operators(town)
        yield town


@pytest.fixture(autouse=True)
def later(minutes: Minutes) -> None:
    """No failure is one in a row with those of the test before."""
    minutes.forward(10)


@pytest.fixture(scope="module")
def live(town: Town) -> LiveBot:
    return town.live


@pytest.fixture
def ann(live: LiveBot) -> Person:
    return live.playground.person("Ann")


async def doubtful(town: Town, ann: Person, prompt: str) -> tuple[Message, int]:
    """The card that asks, and how many requests fal had accepted before."""
    paid = len(town.fal.ledger)
    town.fal.order(SUBMIT, BAD_GATEWAY_AFTER_EFFECT)
    await ann.command("generate", channel="training", prompt=prompt, model=PRO)
    card = await town.live.sees(
        lambda message: prompt in text_of(message) and "Submit again (may be charged)" in labels_of(message)
    )
    assert len(town.fal.ledger) == paid + 1
    return card, paid


async def test_what_ran_is_attached_by_its_id_and_not_paid_again(town: Town, live: LiveBot, ann: Person) -> None:
    card, paid = await doubtful(town, ann, "a lost lighthouse")
    assert labels_of(card)[:3] == ["It ran: attach id", "Submit again (may be charged)", "Give up"]
    assert "nothing more is charged, until you decide" in text_of(card)
    await live.sees_text("fal.ai did not say whether it accepted", channel=OPERATORS)
    ben = live.newcomer("Ben who looks on")
    assert "belongs to somebody else" in said_privately(await ben.press(card, "Submit again (may be charged)"))

    dialog = await ann.press(card, "It ran: attach id")
    wrong = await ann.submit(dialog, {"What the provider calls it": "no such thing"})
    assert "id" in text_of(await wrong.final())
    dialog = await ann.press(card, "It ran: attach id")
    right = await ann.submit(dialog, {"What the provider calls it": town.fal.ledger[paid].id})
    assert "Found it" in text_of(await right.final())
    await live.pictures("a lost lighthouse")
    job = await live.job_in(job_id_on(card), JobStatus.DONE)
    assert (job.round, len(town.fal.ledger)) == (1, paid + 1), "paid once"


async def test_what_is_submitted_again_is_charged_again_and_once(town: Town, live: LiveBot, ann: Person) -> None:
    card, paid = await doubtful(town, ann, "a second harbour")
    await ann.press(card, "Submit again (may be charged)")
    await live.pictures("a second harbour")
    assert len(town.fal.ledger) == paid + 2
    gone = await live.sees(lambda one: one["id"] == card["id"] and "Done" in text_of(one))
    assert labels_of(gone) == [], "nobody can press it twice"


async def test_what_is_given_up_is_sent_nowhere(town: Town, live: LiveBot, ann: Person) -> None:
    card, paid = await doubtful(town, ann, "a third bridge")
    await ann.press(card, "Give up")
    given_up = await live.sees(lambda one: one["id"] == card["id"] and "cancelled" in text_of(one).lower())
    assert "may charge for it" in text_of(given_up)
    assert labels_of(given_up) == []
    assert len(town.fal.ledger) == paid + 1


async def test_the_question_outlives_a_restart(town: Town, live: LiveBot, ann: Person) -> None:
    card, paid = await doubtful(town, ann, "a fourth tower")
    await start_for_operators(town)
    await ann.press(card, "Submit again (may be charged)")
    await live.pictures("a fourth tower")
    assert len(town.fal.ledger) == paid + 2


async def test_a_reset_is_a_question_too(town: Town, live: LiveBot, ann: Person) -> None:
    """Nobody can tell whether it took effect before or after."""
    paid = len(town.fal.ledger)
    town.fal.order(SUBMIT, RESET)
    await ann.command("generate", channel="training", prompt="a fifth gate", model=PRO)
    await live.sees(lambda message: "a fifth gate" in text_of(message) and "Give up" in labels_of(message))
    assert len(town.fal.ledger) == paid
