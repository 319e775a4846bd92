"""Many captions changed at once: only what was meant changes, and nothing grows beyond a caption's length."""

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.datasets.captions.captions import MAX_CAPTION_CHARACTERS, cleaned_caption, with_trigger_word
from bot.datasets.captions.edits import (
    change_trigger_word_in_all,
    put_before_all,
    replace_in_all,
    with_changed_trigger_word,
)
from bot.errors import BadInput
from bot.workflows.requests import TRIGGER_WORD

trigger_words = st.from_regex(TRIGGER_WORD, fullmatch=True) | st.sampled_from(
    ["luna", "ohwx-luna", "TOK", "tok-", "a_"]
)
texts = st.text(max_size=80)
captions = st.lists(st.sampled_from(["luna", "TOK", "ohwx-luna", "a cat", ",", "tok-", "on", "a_"]), max_size=8).map(
    " ".join
) | texts.map(cleaned_caption)
several = st.dictionaries(st.integers(1, 400), st.none() | captions.filter(bool), max_size=6)

CATS: Mapping[int, str | None] = {1: "A cat on a wall", 2: "a dog", 3: None, 4: "Two cats, one CAT"}


def test_a_text_is_replaced_in_any_case_also_within_words() -> None:
    assert replace_in_all(CATS, "cat", "fox") == {1: "A fox on a wall", 4: "Two foxs, one fox"}


def test_what_is_looked_for_is_no_pattern_and_neither_is_what_is_put() -> None:
    odd = {1: r"a (b).* \d", 2: "abc"}
    assert replace_in_all(odd, "(b).*", r"\1 \g<0>") == {1: r"a \1 \g<0> \d"}


def test_spaces_at_the_ends_are_meant() -> None:
    assert replace_in_all({1: "a cat, category"}, "cat,", "dog,") == {1: "a dog, category"}
    assert replace_in_all({1: "cat a cat category"}, " cat ", " dog ") == {1: "cat a dog category"}


def test_a_caption_that_becomes_empty_is_none() -> None:
    assert replace_in_all({1: "a cat", 2: "a cat sits"}, "a cat", "") == {1: None, 2: "sits"}


def test_what_is_put_becomes_one_line_of_text() -> None:
    assert replace_in_all({1: "a cat"}, "cat", "big\r\n\tdog\0") == {1: "a big dog"}


@pytest.mark.parametrize("find", ["", "  ", "\n"])
def test_nothing_cannot_be_looked_for(find: str) -> None:
    with pytest.raises(BadInput, match="text to look for"):
        replace_in_all(CATS, find, "dog")


@pytest.mark.parametrize("text", ["", " \n", "\0"])
def test_nothing_cannot_be_put_before(text: str) -> None:
    with pytest.raises(BadInput, match="text to put before"):
        put_before_all(CATS, text)


def test_a_text_is_put_before_every_caption_that_does_not_begin_with_it() -> None:
    assert put_before_all(CATS, "a ") == {4: "a Two cats, one CAT"}
    assert put_before_all({1: "a photograph"}, "A photo") == {1: "A photo a photograph"}


LONG = "x" * MAX_CAPTION_CHARACTERS


@pytest.mark.parametrize(
    "edit",
    [
        lambda: replace_in_all({6: "ok", 7: LONG}, "x", "xy"),
        lambda: put_before_all({7: LONG}, "a"),
        lambda: change_trigger_word_in_all({7: LONG}, "tok", "ohwx"),
    ],
)
def test_a_caption_that_would_be_too_long_is_named(edit: Callable[[], object]) -> None:
    with pytest.raises(BadInput, match=r"^The caption of picture 7 would be longer than 4,000 characters"):
        edit()


@pytest.mark.parametrize(
    "edit", [lambda: replace_in_all(CATS, "cat", LONG + "x"), lambda: put_before_all(CATS, LONG + "x")]
)
def test_a_text_longer_than_any_caption_is_refused_before_it_is_put(edit: Callable[[], object]) -> None:
    with pytest.raises(BadInput, match=r"^Write at most 4,000 characters"):
        edit()


def test_a_caption_that_was_too_long_already_and_does_not_change_is_left() -> None:
    assert replace_in_all({1: LONG + "x"}, "y", "z") == {}


@pytest.mark.parametrize(
    ("caption", "changed"),
    [
        ("tok, a cat", "ohwx, a cat"),
        ("a photo of TOK, tok sits", "a photo of ohwx, ohwx sits"),
        ("tok, a photo of ohwx", "a photo of ohwx"),
        ("a cat", "ohwx, a cat"),
        ("a tok-style token", "ohwx, a tok-style token"),
        ("", "ohwx"),
    ],
)
def test_the_new_trigger_word_stands_where_the_old_one_was(caption: str, changed: str) -> None:
    assert with_changed_trigger_word(caption, "tok", "ohwx") == changed


def test_a_trigger_word_within_another_is_another_word() -> None:
    assert with_changed_trigger_word("ohwx-luna, a cat", "luna", "ohwx-luna") == "ohwx-luna, a cat"
    assert with_changed_trigger_word("luna, a cat", "luna", "ohwx-luna") == "ohwx-luna, a cat"


def test_a_picture_without_a_caption_keeps_none() -> None:
    assert change_trigger_word_in_all({1: None, 2: "tok, a cat"}, "tok", "ohwx") == {2: "ohwx, a cat"}
    assert put_before_all({1: None}, "a photo of") == {}


@given(captions, trigger_words, trigger_words)
def test_a_trigger_word_is_inserted_once_however_often(caption: str, old: str, new: str) -> None:
    once = with_trigger_word(caption, new)
    assert with_trigger_word(once, new) == once
    changed = with_changed_trigger_word(caption, old, new)
    assert with_changed_trigger_word(changed, old, new) == changed
    assert with_trigger_word(changed, new) == changed
    assert new.lower() in changed.lower()


@given(several, texts)
def test_a_text_is_put_before_once_however_often(before: dict[int, str | None], text: str) -> None:
    try:
        changed = put_before_all(before, text)
    except BadInput:
        return
    assert put_before_all({**before, **changed}, text) == {}
    assert_only_changes(before, changed)


@given(several, texts, texts)
def test_replacing_answers_clean_captions_that_are_not_too_long(
    before: dict[int, str | None], find: str, put: str
) -> None:
    try:
        changed = replace_in_all(before, find, put)
    except BadInput:
        return
    assert_only_changes(before, changed)
    assert {n for n, caption in changed.items() if caption is None} <= {n for n, caption in before.items() if caption}


def assert_only_changes(before: Mapping[int, str | None], changed: Mapping[int, str | None]) -> None:
    for number, caption in changed.items():
        assert before[number]
        assert caption != before[number]
        assert caption is None or 0 < len(caption) <= MAX_CAPTION_CHARACTERS
        assert caption is None or cleaned_caption(caption) == caption
