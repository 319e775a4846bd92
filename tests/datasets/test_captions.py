"""Captions that a trainer learns the trigger word from."""

import pytest

from bot.datasets.captions.captions import with_trigger_word


@pytest.mark.parametrize(
    ("caption", "named"),
    [
        ("a cat on a wall", "ohwx, a cat on a wall"),
        ("a photo of ohwx on a wall", "a photo of ohwx on a wall"),
        ("OHWX, smiling", "OHWX, smiling"),
        ("a photo of ohwxes", "ohwx, a photo of ohwxes"),
        ("ohwx-luna on grass", "ohwx, ohwx-luna on grass"),
        ("a tok-ohwx", "ohwx, a tok-ohwx"),
        ("ohwx's bowl", "ohwx's bowl"),
        ("", "ohwx"),
    ],
)
def test_a_caption_names_the_trigger_word_once(caption: str, named: str) -> None:
    assert with_trigger_word(caption, "ohwx") == named
    assert with_trigger_word(named, "ohwx") == named


def test_a_trigger_word_with_signs_is_a_word_too() -> None:
    assert with_trigger_word("a photo of a-b_9", "a-b_9") == "a photo of a-b_9"
