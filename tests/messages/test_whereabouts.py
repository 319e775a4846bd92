"""Where a result is, when it is not in the channel: on the card, in /jobs show, and in the letter itself."""

from dataclasses import replace

import pytest

from bot.messages.cards import job_card
from bot.messages.lists import timeline
from bot.messages.results import Share, pictures_again, pictures_result, question_result
from bot.messages.view import JobView
from bot.messages.whereabouts import sent_directly
from bot.permissions import Asker
from storage.deliveries import Delivery, Slot
from storage.statuses import JobStatus, Message, Route
from tests.builders import CARD, PLACE, generate_job
from tests.messages.reading import assert_discord_takes, labels_of, text_of

DONE = generate_job(status=JobStatus.DONE)


def delivery(route: Route, *, part: int = 0, message: Message = Message.RESULT) -> Delivery:
    slot = Slot(job_id=DONE.id, message=message, part=part)
    posted = None if route is Route.KEPT else 5
    return Delivery(slot=slot, intended_ms=1, route=route, posted_in=posted, message_id=posted, pictures=())


def said(*deliveries: Delivery) -> tuple[str, str]:
    view = JobView(job=DONE, events=(), provider=CARD, deliveries=deliveries)
    return text_of(job_card(view)), text_of(timeline(view, Asker(person_id=DONE.place.person_id)))


@pytest.mark.parametrize(
    ("route", "on_card", "on_asking"),
    [
        (Route.KEPT, "Your result is kept: Discord would not", "Your result is kept here: Discord would not"),
        (Route.DIRECT, "Your result is in your direct messages", "Your result went to your direct messages"),
        (Route.THREAD, "Your result is in <#5>", "Your result is in <#5>"),
    ],
)
def test_a_result_elsewhere_is_said_on_the_card_and_on_asking(route: Route, on_card: str, on_asking: str) -> None:
    card, shown = said(delivery(route))
    assert on_card in card
    assert on_asking in shown


@pytest.mark.parametrize(
    "nothing_to_say",
    [
        (),
        (delivery(Route.CHANNEL),),
        (delivery(Route.KEPT, message=Message.FAILURE),),
        (replace(delivery(Route.DIRECT), message_id=None),),
    ],
)
def test_nothing_is_said_of_what_is_in_its_place(nothing_to_say: tuple[Delivery, ...]) -> None:
    for text in said(*nothing_to_say):
        assert "Your result" not in text


def test_of_a_parted_result_the_part_that_got_the_least_far_counts() -> None:
    card, _ = said(delivery(Route.CHANNEL), delivery(Route.KEPT, part=1), delivery(Route.DIRECT, part=2))
    assert "Your result is kept" in card


def test_a_letter_says_why_it_is_one_and_is_still_taken() -> None:
    card = sent_directly(pictures_result(DONE, CARD, Share(attached={1: "a.png"}, made=1)), DONE)
    assert_discord_takes(card)
    assert text_of(card).splitlines()[-1] == (
        f"-# This comes to you here because Discord would not let me post it in <#{PLACE.channel_id}>."
    )


def test_only_the_first_message_calls_and_only_the_last_one_offers_more() -> None:
    first = pictures_result(DONE, CARD, Share(attached={1: "a.png"}, made=3, is_last=False))
    middle = pictures_result(DONE, CARD, Share(attached={2: "b.png"}, made=3, is_first=False, is_last=False))
    last = pictures_result(DONE, CARD, Share(attached={3: "c.png"}, made=3, is_first=False))
    assert [f"<@{PLACE.person_id}>" in text_of(card) for card in (first, middle, last)] == [True, False, False]
    assert [labels_of(card) for card in (first, middle, last)] == [[], [], ["Again, new seed"]]


@pytest.mark.parametrize("make", ["result", "again"])
def test_as_much_as_one_message_speaks_of_is_taken(make: str) -> None:
    """Ten pictures attached, five told with the longest links that are signed."""
    link = "https://bucket.example/" + "x" * 600
    share = Share(
        attached={number: f"{number}.png" for number in range(1, 11)},
        links=dict.fromkeys(range(11, 16), link),
        made=15,
    )
    card = pictures_result(DONE, CARD, share) if make == "result" else pictures_again(DONE, share)
    assert_discord_takes(card)
    assert text_of(card).count(link) == 5


def test_a_question_says_what_is_to_be_decided() -> None:
    card = question_result(replace(DONE, error_sentence="Nobody knows whether it was accepted."))
    assert_discord_takes(card)
    assert text_of(card).endswith("Nobody knows whether it was accepted.")
