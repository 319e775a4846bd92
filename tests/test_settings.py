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
from bot.settings import Secret, Settings, SettingsRejected, read_settings, variable_names

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
    assert settings.max_upload_size == 500 * 2**20
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
    assert (settings.log_level, settings.log_format, settings.max_upload_size) == ("ERROR", "json", 500 * 2**20)


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
