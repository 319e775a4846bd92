"""Which pictures go into which message: every one in exactly one, in order, within Discord's sizes."""

import random

import pytest

from bot.delivery.planning import BYTES_PER_MESSAGE, FILES_PER_MESSAGE, LEFT_PER_MESSAGE, Planned, Sized, plan

MEBIBYTE = 1 << 20


def sized(*sizes: int | None) -> list[Sized]:
    return [Sized(position=position, size_bytes=size) for position, size in enumerate(sizes)]


def test_nothing_is_planned_for_no_pictures() -> None:
    assert plan([], bytes_per_file=MEBIBYTE) == []


def test_what_fits_goes_in_one_message() -> None:
    assert plan(sized(5, 6, 7), bytes_per_file=10) == [Planned(attached=(0, 1, 2))]


def test_a_request_is_never_larger_than_discord_takes() -> None:
    planned = plan(sized(*[9 * MEBIBYTE] * 5), bytes_per_file=10 * MEBIBYTE)
    assert [one.attached for one in planned] == [(0, 1), (2, 3), (4,)]


def test_a_message_never_has_more_files_than_discord_takes() -> None:
    assert [len(one.attached) for one in plan(sized(*[1] * 21), bytes_per_file=10)] == [10, 10, 1]


def test_what_is_too_large_is_spoken_of_beside_the_others() -> None:
    assert plan(sized(5, 11, None, 5), bytes_per_file=10) == [Planned(attached=(0, 3), left=(1, 2))]
    assert plan(sized(11), bytes_per_file=10) == [Planned(left=(0,))]


def test_a_file_of_exactly_the_limit_fits() -> None:
    assert plan(sized(10), bytes_per_file=10) == [Planned(attached=(0,))]
    assert plan(sized(0, 1), bytes_per_file=0) == [Planned(attached=(0,), left=(1,))]


def test_a_boosted_servers_limit_does_not_exceed_the_request() -> None:
    assert plan(sized(30 * MEBIBYTE), bytes_per_file=100 * MEBIBYTE) == [Planned(left=(0,))]


@pytest.mark.parametrize("seed", range(30))
def test_every_picture_is_in_exactly_one_message_within_the_limits(seed: int) -> None:
    lot = random.Random(seed)
    limit = lot.choice([0, 100, 10 * MEBIBYTE, 50 * MEBIBYTE])
    sizes = [lot.choice([None, lot.randrange(1, 2 * limit + 2)]) for _ in range(lot.randrange(40))]
    planned = plan(sized(*sizes), bytes_per_file=limit)
    assert sorted(position for one in planned for position in one.positions) == list(range(len(sizes)))
    for one in planned:
        assert one.positions
        assert len(one.attached) <= FILES_PER_MESSAGE
        assert len(one.left) <= LEFT_PER_MESSAGE
        carried = [size for position in one.attached if (size := sizes[position]) is not None]
        assert len(carried) == len(one.attached)
        assert sum(carried) <= BYTES_PER_MESSAGE
        assert all(size <= limit for size in carried)
    attached = [position for one in planned for position in one.attached]
    assert attached == sorted(attached)
