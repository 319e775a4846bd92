"""What a person asked for, checked before anything is stored: every refusal is one sentence that says what to do."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.downloads import Upload
from bot.errors import BadInput
from bot.providers.card import CaptionRule, FinetuneType, Mode, Priority, Range
from bot.workflows.requests import (
    AdvancedChoices,
    GenerateRequest,
    advanced_settings,
    checked_generation,
    checked_name,
    checked_uploads,
    default_settings,
    numbers_meant,
)
from tests.builders import GENERATION, GENERATOR, TRAINER


def generation(**changes: Any) -> GenerateRequest:
    known = {name: GENERATION[name] for name in ("prompt", "strength", "aspect_ratio", "count", "seed")}
    return GenerateRequest(**{"model": "Luna", **known, **changes})


def checked(**changes: Any) -> GenerateRequest:
    return checked_generation(GENERATOR, generation(**changes), base_model="flux-fake")


def choices(**changes: Any) -> AdvancedChoices:
    values = {
        "iterations": "",
        "learning_rate": "",
        "captioning": True,
        "priority": "quality",
        "finetune_type_and_rank": "lora-32",
    }
    return AdvancedChoices(**{**values, **changes})


DEFAULTS = default_settings(TRAINER, trigger_word="ohwx", mode="style")


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("", ()),
        ("  ", ()),
        ("3", (3,)),
        ("3, 7-9", (3, 7, 8, 9)),
        ("3,", (3,)),
        ("9 7;8 - 8", (7, 8, 9)),
        ("7 – 9", (7, 8, 9)),
        ("9-7", (7, 8, 9)),
        ("2, 2, 1-3", (1, 2, 3)),
    ],
)
def test_numbers_are_read_as_people_write_them(typed: str, numbers: tuple[int, ...]) -> None:
    assert numbers_meant(typed) == numbers


def test_a_span_of_everything_is_a_sentence() -> None:
    with pytest.raises(BadInput, match="Write fewer than 2,000 numbers at once"):
        numbers_meant("1-999999")


@pytest.mark.parametrize("typed", ["all", "3 and 4", "-", "3-", "-3", "1-2-3", "3.5", "1234567", "#3", "³"])
def test_what_is_no_number_is_a_sentence(typed: str) -> None:
    with pytest.raises(BadInput, match="Write the numbers on the pictures"):
        numbers_meant(typed)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Luna", "Luna"),
        ("  Luna \n the\tcat ", "Luna the cat"),
        ("a\x00b\u202ec", "a b c"),
        ("x" * 50, "x" * 50),
        ("Lüna 🐈 猫", "Lüna 🐈 猫"),
    ],
)
def test_a_name_is_tidied(typed: str, name: str) -> None:
    assert checked_name(typed) == name


@pytest.mark.parametrize("typed", ["", "   ", "\n\t\x00\u200b", "x" * 51])
def test_a_name_needs_1_to_50_characters(typed: str) -> None:
    with pytest.raises(BadInput, match="name of 1 to 50 characters"):
        checked_name(typed)


@given(some.text(max_size=60))
def test_a_name_that_is_taken_can_be_shown_and_taken_again(typed: str) -> None:
    try:
        name = checked_name(typed)
    except BadInput:
        return
    assert 1 <= len(name) <= 50
    assert name.isprintable()
    assert checked_name(name) == name


def test_uploads_are_counted_and_weighed_together() -> None:
    one = Upload(url="https://cdn.discordapp.com/1", name="1.jpg", size_bytes=100)
    checked_uploads([one] * 11, max_bytes=1100)
    with pytest.raises(BadInput, match="Attach a zip or pictures"):
        checked_uploads([], max_bytes=1000)
    with pytest.raises(BadInput, match="at most 11 files at once"):
        checked_uploads([one] * 12, max_bytes=10_000)
    with pytest.raises(BadInput, match="more than 5 MiB"):
        checked_uploads([replace(one, size_bytes=3 * 2**20)] * 2, max_bytes=5 * 2**20)


@pytest.mark.parametrize("size", [1, 2**20 - 1])
def test_the_limit_is_said_as_the_operator_wrote_it(size: int) -> None:
    with pytest.raises(BadInput) as caught:
        checked_uploads([Upload(url="", name="", size_bytes=2 * size)], max_bytes=size)
    assert "0 MiB" not in caught.value.sentence


def test_a_training_starts_from_the_providers_defaults() -> None:
    assert DEFAULTS.trigger_word == "ohwx"
    assert DEFAULTS.mode is Mode.STYLE
    assert (DEFAULTS.iterations, DEFAULTS.learning_rate, DEFAULTS.lora_rank) == (300, None, 32)
    assert (DEFAULTS.captioning, DEFAULTS.priority) == (True, Priority.QUALITY)
    assert DEFAULTS.finetune_type is FinetuneType.LORA


@pytest.mark.parametrize(("typed", "word"), [("", "TOK"), ("  ", "TOK"), (" ohwx ", "ohwx"), ("a-b_9", "a-b_9")])
def test_a_trigger_word_is_tidied(typed: str, word: str) -> None:
    assert default_settings(TRAINER, trigger_word=typed, mode="general").trigger_word == word


@pytest.mark.parametrize("typed", ["x", "two words", "-ohwx", "öhwx", "x" * 31, "a\nb", "ohwx\n;", "<lora>", "١٢٣"])
def test_a_trigger_word_is_2_to_30_plain_signs(typed: str) -> None:
    with pytest.raises(BadInput, match="2 to 30 letters, digits"):
        default_settings(TRAINER, trigger_word=typed, mode="general")


@pytest.mark.parametrize("mode", ["", "STYLE", "portrait"])
def test_a_mode_is_one_of_those_offered(mode: str) -> None:
    with pytest.raises(BadInput, match="general, character, style, product"):
        default_settings(TRAINER, trigger_word="ohwx", mode=mode)


def test_a_mode_the_provider_does_not_know_is_not_offered() -> None:
    with pytest.raises(BadInput, match=r"Choose a mode: general\."):
        default_settings(replace(TRAINER, modes=(Mode.GENERAL,)), trigger_word="ohwx", mode="style")


def test_the_advanced_dialog_left_alone_changes_nothing() -> None:
    assert advanced_settings(TRAINER, DEFAULTS, choices()) == DEFAULTS


def test_everything_in_the_advanced_dialog_counts() -> None:
    chosen = advanced_settings(
        TRAINER,
        DEFAULTS,
        choices(
            iterations=" 150 ",
            learning_rate="2e-4",
            captioning=False,
            priority="speed",
            finetune_type_and_rank="full-16",
        ),
    )
    assert (chosen.iterations, chosen.learning_rate, chosen.captioning) == (150, 0.0002, False)
    assert (chosen.priority, chosen.finetune_type, chosen.lora_rank) == (Priority.SPEED, FinetuneType.FULL, 16)
    assert (chosen.trigger_word, chosen.mode) == (DEFAULTS.trigger_word, DEFAULTS.mode)


@pytest.mark.parametrize("typed", ["99", "1001", "many", "-300", "nan", "inf", "1e9", "3oo"])
def test_iterations_have_a_range(typed: str) -> None:
    with pytest.raises(BadInput, match="Choose iterations from 100 to 1000"):
        advanced_settings(TRAINER, DEFAULTS, choices(iterations=typed))


@pytest.mark.parametrize("typed", ["0", "0.006", "nan", "1e-9", "slow", "-0.001"])
def test_a_learning_rate_has_a_range(typed: str) -> None:
    with pytest.raises(BadInput, match=r"Choose a learning rate from 1e-06 to 0\.005"):
        advanced_settings(TRAINER, DEFAULTS, choices(learning_rate=typed))


@pytest.mark.parametrize("typed", ["100", "1000"])
def test_the_ends_of_a_range_belong_to_it(typed: str) -> None:
    assert advanced_settings(TRAINER, DEFAULTS, choices(iterations=typed)).iterations == int(typed)


def test_half_an_iteration_is_no_iteration() -> None:
    chosen = advanced_settings(TRAINER, DEFAULTS, choices(iterations="150.5"))
    assert isinstance(chosen.iterations, int)


@pytest.mark.parametrize(
    "changes",
    [
        {"priority": "soon"},
        {"priority": "high_res_only"},
        {"finetune_type_and_rank": "lora"},
        {"finetune_type_and_rank": "lora-"},
        {"finetune_type_and_rank": "dora-16"},
        {"finetune_type_and_rank": "lora-big"},
        {"finetune_type_and_rank": "lora-²"},
    ],
)
def test_what_no_list_offers_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(BadInput, match="from the list"):
        advanced_settings(TRAINER, DEFAULTS, choices(**changes))


@pytest.mark.parametrize("rank", ["8", "64", "0"])
def test_a_rank_is_one_the_trainer_knows(rank: str) -> None:
    with pytest.raises(BadInput, match="Fake trainer knows rank 16 or 32"):
        advanced_settings(TRAINER, DEFAULTS, choices(finetune_type_and_rank=f"lora-{rank}"))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"prompt": ""}, "the prompt is empty"),
        ({"prompt": " \n "}, "the prompt is empty"),
        ({"prompt": "x" * 2001}, "2,001 characters; Fake generator takes 2,000"),
        ({"strength": -0.1}, "strength from 0 to 2"),
        ({"strength": 2.01}, "strength from 0 to 2"),
        ({"strength": math.nan}, "strength from 0 to 2"),
        ({"strength": math.inf}, "strength from 0 to 2"),
        ({"aspect_ratio": ""}, "aspect ratio: 1:1, 16:9"),
        ({"aspect_ratio": "7:3"}, "aspect ratio: 1:1, 16:9"),
        ({"count": 0}, "1 to 4 pictures"),
        ({"count": 5}, "1 to 4 pictures"),
        ({"seed": -1}, "seed from 0 to 4294967295"),
        ({"seed": 2**32}, "seed from 0 to 4294967295"),
    ],
)
def test_a_generation_that_cannot_work_is_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        checked(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": "x" * 2000},
        {"strength": 0},
        {"strength": 2},
        {"count": 1},
        {"count": 4},
        {"seed": 0},
        {"seed": 2**32 - 1},
        {"seed": None},
        {"aspect_ratio": "16:9"},
    ],
)
def test_the_ends_of_what_is_allowed_are_allowed(changes: dict[str, Any]) -> None:
    assert checked(**changes) == generation(**changes)


def test_a_prompt_loses_only_the_space_around_it() -> None:
    assert checked(prompt="  a  fox\nin snow ").prompt == "a  fox\nin snow"


# What one trainer or generator knows and another does not.

PLAIN = replace(
    TRAINER,
    learning_rate=None,
    lora_ranks=(),
    priorities=(),
    finetune_types=(),
    modes=(),
    captions=CaptionRule.OPTIONAL,
)


def test_a_trainer_that_knows_little_is_asked_little() -> None:
    settings = default_settings(PLAIN, trigger_word="ohwx", mode="style")
    assert (settings.learning_rate, settings.lora_rank, settings.captioning) == (None, 0, False)
    assert settings.mode is Mode.STYLE, "it still says what the pictures show"
    assert advanced_settings(PLAIN, settings, AdvancedChoices(iterations="400")) == replace(settings, iterations=400)


def test_what_the_dialog_did_not_ask_stays_as_it_was() -> None:
    assert advanced_settings(TRAINER, DEFAULTS, AdvancedChoices(iterations="300")) == DEFAULTS


def test_the_first_rank_of_the_card_is_the_default() -> None:
    ranks = (16, 8, 64)
    assert default_settings(replace(TRAINER, lora_ranks=ranks), trigger_word="", mode="style").lora_rank == 16


def test_a_model_of_another_base_is_refused_before_anything_is_spent() -> None:
    with pytest.raises(BadInput, match=r"belongs to FLUX\.2 \[klein\] base 9B\. Leave the generator out"):
        checked_generation(GENERATOR, generation(), base_model="flux.2-klein-base-9b")


def test_the_strength_left_out_is_the_generators_own() -> None:
    generator = replace(GENERATOR, strength=Range(lowest=0, highest=2, default=1.1))
    assert checked_generation(generator, generation(strength=None), base_model="flux-fake").strength == 1.1


def test_a_reference_picture_needs_a_generator_that_takes_one() -> None:
    picture = Upload(url="https://cdn.discordapp.com/1", name="1.jpg", size_bytes=100)
    with pytest.raises(BadInput, match="Fake generator takes no reference picture"):
        checked(images=(picture,))
    taking = replace(GENERATOR, reference_images=1)
    assert checked_generation(taking, generation(images=(picture,)), base_model=None).images == (picture,)
    with pytest.raises(BadInput, match="at most 1 reference"):
        checked_generation(taking, generation(images=(picture, picture)), base_model=None)
    with pytest.raises(BadInput, match="at most 20 MiB"):
        checked_generation(taking, generation(images=(replace(picture, size_bytes=21 * 2**20),)), base_model=None)
