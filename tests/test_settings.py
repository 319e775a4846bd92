"""The settings: every variable typed, every problem at once, and no secret ever shown."""

import copy
import dataclasses
import json
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values

from bot.providers.local.failures import Failure, Failures
from bot.secret import Secret
from bot.settings import Settings, SettingsRejected, read_settings, variable_names

EXAMPLE = Path(__file__).parent.parent / ".env.example"
TOKEN = "MTAwMQ.Gabcde.very-secret-token"


def read(**variables: str) -> Settings:
    return read_settings({"DISCORD_TOKEN": TOKEN, **variables})


def problems(**variables: str) -> list[str]:
    with pytest.raises(SettingsRejected) as caught:
        read(**variables)
    return caught.value.problems


def test_only_the_token_has_no_default() -> None:
    settings = read()
    assert settings.discord_token.reveal() == TOKEN
    assert settings.discord_api_url == "https://discord.com/api/v10"
    assert settings.discord_gateway_url is None
    assert settings.data_dir == Path("data").absolute()
    assert settings.database_url.reveal() == f"sqlite:///{Path('data').absolute()}/atelier.sqlite3"
    assert settings.providers == ("local",)
    assert settings.allowed_download_hosts == ()
    assert settings.max_upload_size == 2 * 2**30
    assert settings.dataset_space_per_person == 5 * 2**30
    assert (settings.log_level, settings.log_format) == ("INFO", "text")
    assert (settings.card_edit_interval, settings.local_training_time, settings.local_generation_time) == (2.0, 0, 0)
    assert settings.local_failures == Failures()


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("DISCORD_API_URL", "http://127.0.0.1:8420/api/v10/", "http://127.0.0.1:8420/api/v10"),
        ("DISCORD_GATEWAY_URL", "ws://127.0.0.1:8420/gateway", "ws://127.0.0.1:8420/gateway"),
        ("DISCORD_GATEWAY_URL", "  ", None),
        ("DATA_DIR", "/srv/atelier", Path("/srv/atelier")),
        ("DATA_DIR", "~/atelier", Path("~/atelier").expanduser()),
        ("PROVIDERS", " Local , ", ("local",)),
        ("ALLOWED_DOWNLOAD_HOSTS", "Files.Example.org, , other.example", ("files.example.org", "other.example")),
        ("MAX_UPLOAD_SIZE", "1024", 1024),
        ("MAX_UPLOAD_SIZE", "64 KiB", 65536),
        ("MAX_UPLOAD_SIZE", "1.5gib", 1610612736),
        ("MAX_UPLOAD_SIZE", "2MB", 2_000_000),
        ("MAX_UPLOAD_SIZE", "7b", 7),
        ("DATASET_SPACE_PER_PERSON", "0", 0),
        ("DATASET_SPACE_PER_PERSON", "20GiB", 20 * 2**30),
        ("LOG_LEVEL", "debug", "DEBUG"),
        ("LOG_FORMAT", "JSON", "json"),
        ("CARD_EDIT_INTERVAL", "0", 0.0),
        ("CARD_EDIT_INTERVAL", "250ms", 0.25),
        ("CARD_EDIT_INTERVAL", "1.5 s", 1.5),
        ("LOCAL_TRAINING_TIME", "5m", 300.0),
        ("LOCAL_TRAINING_TIME", "2h", 7200.0),
        ("LOCAL_GENERATION_TIME", "1d", 86400.0),
        ("LOCAL_FAILURES", "submit:busy:2", Failures(planned=(Failure(call="submit", meaning="busy", times=2),))),
    ],
)
def test_a_variable_becomes_its_type(variable: str, text: str, value: Any) -> None:
    assert getattr(read(**{variable: text}), variable.lower()) == value


@pytest.mark.parametrize(
    ("variable", "text", "fix"),
    [
        ("DISCORD_API_URL", "discord.com", "https:// or http://"),
        ("DISCORD_API_URL", "ftp://discord.com", "https:// or http://"),
        ("DISCORD_API_URL", "https://", "https:// or http://"),
        ("DISCORD_GATEWAY_URL", "https://gateway.discord.gg", "wss:// or ws://"),
        ("PROVIDERS", "local, acme", "acme is not a provider; choose from fal, replicate, bfl, together, local"),
        ("PROVIDERS", ",", "nothing is not a provider"),
        ("MAX_UPLOAD_SIZE", "much", "for example 500MiB"),
        ("MAX_UPLOAD_SIZE", "5 parsecs", "for example 500MiB"),
        ("MAX_UPLOAD_SIZE", "-5MiB", "for example 500MiB"),
        ("MAX_UPLOAD_SIZE", "0", "above zero"),
        ("DATASET_SPACE_PER_PERSON", "none", "for example 500MiB"),
        ("MAX_UPLOAD_SIZE", "0.4", "above zero"),
        ("MAX_UPLOAD_SIZE", "nan", "for example 500MiB"),
        ("MAX_UPLOAD_SIZE", "inf", "for example 500MiB"),
        ("LOG_LEVEL", "LOUD", "choose one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        ("LOG_FORMAT", "xml", "choose one of text, json"),
        ("CARD_EDIT_INTERVAL", "soon", "for example 90s or 5m"),
        ("CARD_EDIT_INTERVAL", "2 fortnights", "for example 90s or 5m"),
        ("LOCAL_TRAINING_TIME", "-1s", "for example 90s or 5m"),
        ("LOCAL_GENERATION_TIME", "1e99d", "for example 90s or 5m"),
    ],
)
def test_a_wrong_value_names_the_variable_and_the_fix(variable: str, text: str, fix: str) -> None:
    (problem,) = problems(**{variable: text})
    assert problem.startswith(f"{variable}={text!r}:")
    assert fix in problem


@pytest.mark.parametrize("text", ["2H", "7200S", "120M"])
def test_a_unit_of_time_may_be_written_in_capitals(text: str) -> None:
    assert read(LOCAL_TRAINING_TIME=text).local_training_time == 7200.0


def test_an_address_that_cannot_be_read_names_the_fix() -> None:
    (problem,) = problems(DISCORD_API_URL="https://[::1")
    assert "https:// or http://" in problem


def test_a_failure_that_is_misspelt_is_named_like_every_other_setting() -> None:
    (problem,) = problems(LOCAL_FAILURES="submit:sleepy")
    assert problem.startswith("LOCAL_FAILURES=")
    assert "sleepy" in problem


def test_every_problem_is_told_at_once_with_its_variable() -> None:
    wrong = {
        "DISCORD_TOKEN": "",
        "DISCORD_API_URL": "x",
        "DISCORD_GATEWAY_URL": "x",
        "DATABASE_URL": "mysql://me:hunter2@host/db",
        "PROVIDERS": "x",
        "MAX_UPLOAD_SIZE": "x",
        "LOG_LEVEL": "x",
        "LOG_FORMAT": "x",
        "CARD_EDIT_INTERVAL": "x",
        "LOCAL_TRAINING_TIME": "x",
        "LOCAL_GENERATION_TIME": "x",
    }
    found = problems(**wrong)
    assert [next(name for name in wrong if problem.startswith(name)) for problem in found] == list(wrong)
    with pytest.raises(SettingsRejected) as caught:
        read(**wrong)
    assert len(str(caught.value).splitlines()) == 1 + len(wrong)


def test_a_missing_token_says_where_to_get_one() -> None:
    (problem,) = problems(DISCORD_TOKEN="  ")
    assert "DISCORD_TOKEN is not set" in problem
    assert "developer portal" in problem
    assert "make demo" in problem


def test_a_token_with_a_line_break_is_refused_without_being_repeated() -> None:
    (problem,) = problems(DISCORD_TOKEN=f"{TOKEN}\nmore")
    assert "DISCORD_TOKEN has a space or line break inside" in problem
    assert TOKEN not in problem


def test_a_wrong_database_url_is_refused_without_its_password() -> None:
    (problem,) = problems(DATABASE_URL="mysql://me:hunter2@host/db")
    assert problem.startswith("DATABASE_URL: begin it with postgresql:// or sqlite:///")
    assert "hunter2" not in problem


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(f"DISCORD_TOKEN={TOKEN}\nLOG_LEVEL=DEBUG\nLOG_FORMAT='json'\nMAX_UPLOAD_SIZE\n")
    settings = read_settings({"LOG_LEVEL": "ERROR"}, env_file=file)
    assert settings.discord_token.reveal() == TOKEN
    assert (settings.log_level, settings.log_format, settings.max_upload_size) == ("ERROR", "json", 2 * 2**30)


def test_a_file_that_is_not_there_is_no_problem(tmp_path: Path) -> None:
    assert read_settings({"DISCORD_TOKEN": TOKEN}, env_file=tmp_path / ".env").log_level == "INFO"


def test_the_example_lists_exactly_the_variables_and_its_values_are_the_defaults() -> None:
    written = dotenv_values(EXAMPLE)
    assert tuple(written) == variable_names()
    filled = {name: value or "" for name, value in written.items()} | {"DISCORD_TOKEN": TOKEN}
    assert read_settings(filled) == read()


SHOWN: list[Callable[[Any], str]] = [repr, str, "{}".format, "{!r:}".format, "%s".__mod__]


@pytest.mark.parametrize("show", SHOWN)
def test_no_way_of_writing_a_secret_shows_it(show: Callable[[Any], str]) -> None:
    settings = read(DATABASE_URL="postgresql://me:hunter2@host/db")
    for value in (settings.discord_token, settings.database_url, settings):
        text = show((value,) if show == "%s".__mod__ else value)
        assert TOKEN not in text
        assert "hunter2" not in text


def test_a_secret_is_not_in_a_tracebacks_locals() -> None:
    try:
        settings = read()
        raise RuntimeError(settings.discord_token)
    except RuntimeError as problem:
        text = "".join(traceback.TracebackException.from_exception(problem, capture_locals=True).format())
    assert "settings = " in text
    assert TOKEN not in text


def test_a_secret_is_never_written_to_a_file() -> None:
    secret = Secret(TOKEN)
    for write in (pickle.dumps, copy.copy, json.dumps, lambda _: dataclasses.asdict(read())):
        with pytest.raises(TypeError):
            write(secret)


def test_secrets_compare_without_showing_themselves() -> None:
    assert Secret(TOKEN) == Secret(TOKEN)
    assert Secret(TOKEN) != Secret("")
    assert Secret(TOKEN) != TOKEN
    assert len({Secret(TOKEN), Secret(TOKEN)}) == 1
    assert (bool(Secret(TOKEN)), bool(Secret(""))) == (True, False)
    assert repr(Secret("")) == "Secret(empty)"


# Providers and what goes with them.

KEYS = {
    "FAL_KEY": "fal-secret-0001",
    "REPLICATE_API_TOKEN": "r8-secret-0002",
    "BFL_API_KEY": "bfl-secret-0003",
    "TOGETHER_API_KEY": "together-secret-0004",
}
R2 = {
    "CLOUDFLARE_R2_ACCESS_KEY_ID": "r2-id-secret-0005",
    "CLOUDFLARE_R2_SECRET_ACCESS_KEY": "r2-secret-0006",
    "CLOUDFLARE_R2_BUCKET": "atelier",
    "CLOUDFLARE_R2_ENDPOINT": "https://account.r2.cloudflarestorage.com",
}
HUB = {"HUGGINGFACE_API_TOKEN": "hf-secret-0007", "HUGGINGFACE_USERNAME": "atelier-bot"}
SECRETS = [*KEYS.values(), R2["CLOUDFLARE_R2_ACCESS_KEY_ID"], R2["CLOUDFLARE_R2_SECRET_ACCESS_KEY"], "hf-secret-0007"]


@pytest.mark.parametrize(
    ("keys", "chosen"),
    [
        ([], ("local",)),
        (["FAL_KEY"], ("fal",)),
        (["TOGETHER_API_KEY", "REPLICATE_API_TOKEN"], ("replicate", "together")),
        (list(KEYS)[::-1], ("fal", "replicate", "bfl", "together")),
    ],
)
def test_without_providers_each_that_has_a_key_is_chosen_in_our_order(keys: list[str], chosen: tuple[str, ...]) -> None:
    assert read(**{name: KEYS[name] for name in keys}).providers == chosen
    assert read(**{name: KEYS[name] for name in keys}, PROVIDERS=" ").providers == chosen


def test_a_key_of_blanks_is_none() -> None:
    assert read(FAL_KEY="   ").providers == ("local",)


def test_providers_that_are_named_keep_their_order_and_leave_others_out() -> None:
    assert read(**KEYS, PROVIDERS="local, Together,fal").providers == ("local", "together", "fal")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("fal", "FAL_KEY"),
        ("replicate", "REPLICATE_API_TOKEN"),
        ("bfl", "BFL_API_KEY"),
        ("together", "TOGETHER_API_KEY"),
    ],
)
def test_a_provider_that_is_named_without_its_key_is_a_problem(name: str, key: str) -> None:
    assert problems(PROVIDERS=f"local,{name}") == [f"{key} is not set: PROVIDERS names {name}, which needs it."]


def test_every_key_that_is_missing_is_told_at_once() -> None:
    found = problems(PROVIDERS="fal,bfl,local", REPLICATE_API_TOKEN=KEYS["REPLICATE_API_TOKEN"])
    assert [problem.partition(" ")[0] for problem in found] == ["FAL_KEY", "BFL_API_KEY"]


def test_object_storage_is_there_with_all_four_or_not_at_all() -> None:
    settings = read(**R2)
    assert (settings.cloudflare_r2_bucket, settings.cloudflare_r2_public_url) == ("atelier", None)
    assert settings.cloudflare_r2_secret_access_key.reveal() == "r2-secret-0006"
    assert read().cloudflare_r2_bucket is None


@pytest.mark.parametrize("missing", R2)
def test_object_storage_that_is_set_in_part_names_what_is_missing(missing: str) -> None:
    (problem,) = problems(**{name: value for name, value in R2.items() if name != missing})
    assert problem == f"{missing} is not set: object storage needs all four or none."


@pytest.mark.parametrize("only", R2)
def test_one_setting_of_object_storage_alone_is_a_problem(only: str) -> None:
    (problem,) = problems(**{only: R2[only]})
    assert problem.startswith("CLOUDFLARE_R2_")
    assert "all four or none" in problem


def test_a_hub_token_needs_a_name_to_publish_below() -> None:
    assert read(**HUB).huggingface_username == "atelier-bot"
    assert read(HUGGINGFACE_USERNAME="ann").huggingface_api_token == Secret("")
    (problem,) = problems(HUGGINGFACE_API_TOKEN=HUB["HUGGINGFACE_API_TOKEN"])
    assert problem == "HUGGINGFACE_USERNAME is not set: models are published below that name."


@pytest.mark.parametrize("name", ["ann/luna", "-ann", "a nn", "é", "a" * 97])
def test_a_name_on_the_hub_or_at_replicate_is_a_plain_one(name: str) -> None:
    for variable in ("HUGGINGFACE_USERNAME", "REPLICATE_OWNER"):
        (problem,) = problems(**{variable: name})
        assert "plain name" in problem


def test_webhooks_need_an_address_that_is_safe() -> None:
    assert read(PUBLIC_URL="https://bot.example/").public_url == "https://bot.example"
    assert problems(PUBLIC_URL="http://bot.example") == [
        "PUBLIC_URL: begin it with https://, providers knock at nothing else."
    ]
    (problem,) = problems(PUBLIC_URL="bot.example")
    assert "whole address" in problem


@pytest.mark.parametrize(("text", "port"), [("", 8080), ("0", 0), ("65535", 65535)])
def test_the_port_of_webhooks_is_a_port(text: str, port: int) -> None:
    assert read(WEBHOOK_PORT=text).webhook_port == port


@pytest.mark.parametrize("text", ["65536", "-1", "http", "80.5"])
def test_a_port_that_is_none_is_a_problem(text: str) -> None:
    (problem,) = problems(WEBHOOK_PORT=text)
    assert "for example 8080" in problem


@pytest.mark.parametrize(
    ("text", "is_on"),
    [("true", True), ("YES", True), ("1", True), ("false", False), ("no", False), ("0", False), ("", False)],
)
def test_the_old_training_is_switched_on_with_a_clear_word(text: str, is_on: bool) -> None:
    assert read(BFL_LEGACY_FINETUNE=text).bfl_legacy_finetune is is_on


@pytest.mark.parametrize("text", ["on", "ja", "2", "truee"])
def test_a_word_that_is_neither_yes_nor_no_is_a_problem(text: str) -> None:
    assert problems(BFL_LEGACY_FINETUNE=text) == [f"BFL_LEGACY_FINETUNE={text!r}: write true or false."]


def test_no_secret_is_in_any_problem_or_on_any_way_out() -> None:
    """Every key is set and spoilt, and everything around them is wrong."""
    spoilt = {name: f"{value} x" for name, value in {**KEYS, **R2, **HUB}.items() if value in SECRETS}
    wrong = {"PROVIDERS": "fal,acme", "PUBLIC_URL": "x", "WEBHOOK_PORT": "x", "BFL_LEGACY_FINETUNE": "x"}
    with pytest.raises(SettingsRejected) as caught:
        read(**spoilt, **wrong)
    assert len(caught.value.problems) >= len(spoilt) + len(wrong)
    text = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=False).format())
    for secret in SECRETS:
        assert secret not in text
        assert all(secret not in problem for problem in caught.value.problems)


@pytest.mark.parametrize("show", SHOWN)
def test_no_key_of_any_service_shows(show: Callable[[Any], str]) -> None:
    settings = read(**KEYS, **R2, **HUB)
    text = show((settings,) if show == "%s".__mod__ else settings)
    assert not any(secret in text for secret in SECRETS)
