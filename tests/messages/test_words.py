"""The small pieces of wording that cards share."""

import re
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.messages.words import (
    COLOURS,
    STAGE_WORDS,
    STATUS_WORDS,
    count,
    duration,
    flat,
    moment,
    place_named,
    plain,
    progress_bar,
    spans,
)
from storage.statuses import JobStatus, Stage


def test_every_status_and_stage_has_its_word_and_colour() -> None:
    assert set(COLOURS) == set(STATUS_WORDS) == set(JobStatus)
    assert set(STAGE_WORDS) == set(Stage)


@pytest.mark.parametrize(
    ("progress", "bar"),
    [
        (0.0, "▱▱▱▱▱▱▱▱▱▱▱▱  0%"),
        (0.5, "▰▰▰▰▰▰▱▱▱▱▱▱  50%"),
        (1.0, "▰▰▰▰▰▰▰▰▰▰▰▰  100%"),
    ],
)
def test_a_bar_shows_how_far(progress: float, bar: str) -> None:
    assert progress_bar(progress) == bar


@pytest.mark.parametrize(("progress", "percent"), [(-0.5, "0%"), (1.5, "100%")])
def test_a_bar_never_leaves_its_bounds(progress: float, percent: str) -> None:
    bar = progress_bar(progress)
    assert len(bar.split()[0]) == 12
    assert bar.endswith(f"  {percent}")


@given(some.floats(min_value=0, max_value=1))
def test_a_bar_is_always_as_wide(progress: float) -> None:
    cells, percent = progress_bar(progress).split()
    assert len(cells) == 12
    assert set(cells) <= {"▰", "▱"}
    assert 0 <= int(percent.rstrip("%")) <= 100


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (0, "0.0 s"),
        (1_240, "1.2 s"),
        (9_940, "9.9 s"),
        (59_400, "59 s"),
        (60_000, "1 min 0 s"),
        (119_600, "2 min 0 s"),
        (3_599_000, "59 min 59 s"),
        (3_600_000, "1 h 0 min"),
        (90_061_000, "25 h 1 min"),
    ],
)
def test_a_duration_reads_as_people_say_it(milliseconds: int, words: str) -> None:
    assert duration(milliseconds) == words


def test_a_duration_just_under_a_minute_is_not_sixty_seconds() -> None:
    assert duration(59_990) != "60.0 s"


def test_a_moment_is_shown_in_the_readers_own_clock() -> None:
    assert moment(1_700_000_000_999) == "<t:1700000000:R>"
    assert moment(1_700_000_000_000, "T") == "<t:1700000000:T>"


def test_one_and_many() -> None:
    assert [count(number, "picture", "pictures") for number in (0, 1, 2, 12345)] == [
        "0 pictures",
        "1 picture",
        "2 pictures",
        "12,345 pictures",
    ]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("Luna", "Luna"),
        (" two\n\nlines\there ", "two lines here"),
        ("**bold**", r"\*\*bold\*\*"),
        ("`code`", r"\`code\`"),
        ("~~gone~~ ||spoiler||", r"\~\~gone\~\~ \|\|spoiler\|\|"),
        ("", ""),
    ],
)
def test_words_are_shown_as_they_are(words: str, shown: str) -> None:
    assert plain(words) == shown


@pytest.mark.parametrize("words", ["@everyone", "@here", "<@123456789012345678>", "<@&123456789012345678>"])
def test_a_mention_in_a_persons_words_is_none(words: str) -> None:
    assert words not in plain(f"see {words} now")


def test_words_that_are_too_long_are_cut_with_an_ellipsis() -> None:
    assert plain("x" * 200) == "x" * 200
    assert plain("x" * 201) == "x" * 199 + "…"
    assert plain("word " * 10, 12) == "word word w…"


@given(some.text(max_size=300))
def test_no_line_break_of_a_persons_survives(words: str) -> None:
    shown = plain(words, 100)
    assert len(shown.splitlines()) <= 1
    assert len(shown) <= 201
    assert not re.search(r"(?<!\\)(\*\*|~~|\|\|)", shown.replace("\\\\", ""))


def test_a_place_is_named_without_what_may_be_a_signature() -> None:
    assert place_named("https://files.example/a.safetensors?sig=5ec4e7#x") == "https://files.example/a.safetensors"
    assert place_named("ann/luna") == "ann/luna"
    assert len(place_named("x" * 500)) == 80


@given(some.text(max_size=300))
def test_where_no_mark_up_is_read_words_are_on_one_line_and_otherwise_as_written(text: str) -> None:
    assert flat(text, 300) == " ".join(text.split())
    assert len(flat(text, 20)) <= 20


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ([], ""),
        ([7], "7"),
        ([9, 3, 7, 8], "3, 7-9"),
        ([1, 2], "1-2"),
        (range(1, 401), "1-400"),
        (range(1, 99, 2), "1, 3, 5, 7 …"),
        ([10, 20, 30, 40], "10, 20, 30, 40"),
        ([10, 20, 30, 400], "10, 20, 30 …"),
    ],
)
def test_numbers_are_said_in_runs_and_cut_behind_a_whole_one(numbers: Iterable[int], said: str) -> None:
    assert spans(numbers, 14) == said
