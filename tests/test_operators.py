"""Operators are told where they read, once per subject for a while; whatever Discord does, nothing breaks."""

import pytest

from bot.operators import SECONDS_BETWEEN, SECONDS_UNTIL_AGAIN, SUBJECTS, Operators
from tests.fakes import FakeSender


class Watch:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def operators_with(sender: FakeSender, *person_ids: int, channel_id: int | None = None) -> tuple[Operators, Watch]:
    watch = Watch()
    operators = Operators(frozenset(person_ids), channel_id=channel_id, now=watch)
    operators.speak_through(sender)
    return operators, watch


@pytest.mark.parametrize(
    ("person_ids", "channel_id", "reached"),
    [
        ((5, 4), None, [("person", 4), ("person", 5)]),
        ((5, 4), 9, [("channel", 9)]),
        ((), None, [("person", 1), ("person", 2)]),
    ],
)
async def test_they_are_told_in_their_channel_or_directly_or_as_owners(
    person_ids: tuple[int, ...], channel_id: int | None, reached: list[tuple[str, int]]
) -> None:
    sender = FakeSender(1, 2)
    operators, _ = operators_with(sender, *person_ids, channel_id=channel_id)
    await operators.tell("the key", "It is wrong.")
    assert sender.sent == [(*whom, "It is wrong.") for whom in reached]


async def test_a_subject_is_told_once_for_a_while_and_others_meanwhile() -> None:
    sender = FakeSender(1)
    operators, watch = operators_with(sender)
    for _ in range(3):
        await operators.tell("the key", "It is wrong.")
    await operators.tell("the account", "It is empty.")
    watch.seconds = SECONDS_BETWEEN - 1
    await operators.tell("the key", "It is wrong.")
    assert [text for *_, text in sender.sent] == ["It is wrong.", "It is empty."]
    watch.seconds = SECONDS_BETWEEN
    await operators.tell("the key", "It is wrong still.")
    assert sender.sent[-1] == ("person", 1, "It is wrong still.")


async def test_whom_discord_does_not_reach_is_tried_again_after_a_few_minutes(caplog: pytest.LogCaptureFixture) -> None:
    sender = FakeSender(1)
    sender.failures = 2
    operators, watch = operators_with(sender)
    for seconds in (0, 1, SECONDS_UNTIL_AGAIN, 2 * SECONDS_UNTIL_AGAIN):
        watch.seconds = seconds
        await operators.tell("the key", "It is wrong.")
    assert sender.sent == [("person", 1, "It is wrong.")]
    assert caplog.text.count("about the key: It is wrong.") == 3


async def test_one_of_two_who_is_reached_is_enough() -> None:
    sender = FakeSender()
    sender.failures = 1
    operators, watch = operators_with(sender, 4, 5)
    await operators.tell("the key", "It is wrong.")
    watch.seconds = SECONDS_UNTIL_AGAIN
    await operators.tell("the key", "It is wrong.")
    assert sender.sent == [("person", 5, "It is wrong.")]


async def test_only_so_many_subjects_are_remembered() -> None:
    sender = FakeSender(1)
    operators, _ = operators_with(sender)
    for number in range(SUBJECTS + 1):
        await operators.tell(f"subject {number}", "Look at it.")
    sender.sent.clear()
    await operators.tell("subject 1", "Look at it.")
    assert sender.sent == [], "remembered"
    await operators.tell("subject 0", "Look at it.")
    assert len(sender.sent) == 1, "the oldest is forgotten"


async def test_before_there_is_a_way_to_discord_the_log_is_told(caplog: pytest.LogCaptureFixture) -> None:
    await Operators(frozenset({4})).tell("the key", "It is wrong.")
    assert "about the key: It is wrong." in caplog.text
