"""What a trigger word is worth, and what is suggested instead of a plain one."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.datasets.captions.trigger_words import CUSTOMARY, MOST_CHARACTERS, Verdict, judge, rarer
from bot.workflows.requests import DEFAULT_TRIGGER_WORD, TRIGGER_WORD

anything = st.text(max_size=60) | st.from_regex(TRIGGER_WORD, fullmatch=True)


@pytest.mark.parametrize(
    "word", [DEFAULT_TRIGGER_WORD, *sorted(CUSTOMARY), "OHWX", "lunaxo", "ohwx-luna", "bndr9", "x7"]
)
def test_what_no_model_knows_is_rare(word: str) -> None:
    assert judge(word) is Verdict.RARE


@pytest.mark.parametrize(
    "word", ["cat", "Cat", "cats", "cats2", "cat-1", "my_cat", "CAT-DOG", "house", "dragon", "puppies", "foxes", "king"]
)
def test_an_everyday_word_is_plain_whatever_stands_around_it(word: str) -> None:
    assert judge(word) is Verdict.PLAIN


@pytest.mark.parametrize("word", ["42", "2024-11", "a-cat"])
def test_a_number_is_plain_and_one_letter_makes_nothing_rare(word: str) -> None:
    assert judge(word) is Verdict.PLAIN


@pytest.mark.parametrize("word", ["luna", "Anna", "smith", "anna-smith", "anna_2", "james", "jordan", "my-luna"])
def test_the_name_of_a_person_is_a_name(word: str) -> None:
    assert judge(word) is Verdict.NAME


@pytest.mark.parametrize(
    ("word", "suggestion"),
    [
        ("luna", "lunaxo"),
        ("Luna", "Lunaxo"),
        ("cat-1", "catxo"),
        ("red-cat", "red-catxo"),
        ("señor lópez", "senor-lopezxo"),
        ("42", "ohwx"),
        ("日本", "ohwx"),
        ("ohwx", "ohwx"),
        ("TOK", "TOK"),
    ],
)
def test_the_suggestion_can_still_be_read(word: str, suggestion: str) -> None:
    assert rarer(word) == suggestion


@given(anything)
def test_a_suggestion_is_rare_may_be_used_and_needs_no_other(word: str) -> None:
    suggestion = rarer(word)
    assert TRIGGER_WORD.fullmatch(suggestion)
    assert len(suggestion) <= MOST_CHARACTERS
    assert judge(suggestion) is Verdict.RARE
    assert rarer(suggestion) == suggestion == rarer(suggestion)
    assert rarer(word) == suggestion


@given(anything)
def test_large_and_small_letters_are_judged_alike(word: str) -> None:
    assert judge(word.upper().lower()) is judge(word.lower())


def test_the_lists_are_read_when_the_first_word_is_judged() -> None:
    asked = (
        "import sys, bot.datasets.captions.trigger_words as words; assert 'zxcvbn' not in sys.modules; "
        "words.judge('luna'); assert 'zxcvbn' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", asked], check=True, timeout=60, stdin=subprocess.DEVNULL)
