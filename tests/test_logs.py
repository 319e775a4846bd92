"""No secret reaches a log line, in either format, not even from inside a traceback."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.logs import set_up_logs
from tests.builders import settings

TOKEN = "MTAwMQ.Gabcde.very-secret-token"
PASSWORD = "hunter2-is-my-password"
DATABASE_URL = f"postgresql://me:{PASSWORD}@host/atelier"
INTERACTION_TOKEN = "aW50ZXJhY3Rpb246MTIzNDU2Nzg5.abc_DEF-123"
LINK = "https://cdn.discordapp.com/attachments/1/2/cat.png?ex=66&is=65&hm=deadbeefcafe&sig=abcdef"
LINK_SECRETS = ("deadbeefcafe", "abcdef")


@pytest.fixture(autouse=True)
def _logging_is_put_back() -> Iterator[None]:
    names = ("", "discord.client", "httpx", "httpcore", "discord.gateway", "alembic")
    before = [(logging.getLogger(name), logging.getLogger(name).level) for name in names]
    root = logging.getLogger()
    handlers = list(root.handlers)
    root.handlers = []  # basicConfig closes what it replaces
    yield
    root.handlers = handlers
    for logger, level in before:
        logger.setLevel(level)


@pytest.fixture(params=["text", "json"])
def lines(request: pytest.FixtureRequest, tmp_path: Path) -> io.StringIO:
    """What a process with these settings writes."""
    set_up_logs(
        settings(tmp_path, DISCORD_TOKEN=TOKEN, DATABASE_URL=DATABASE_URL, LOG_FORMAT=request.param, LOG_LEVEL="INFO")
    )
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler, logging.StreamHandler)
    written = io.StringIO()
    handler.setStream(written)
    return written


log = logging.getLogger("tests.logs")


@pytest.mark.parametrize(
    ("message", "hidden"),
    [
        (f"logging in with {TOKEN}", TOKEN),
        (f"connecting to {DATABASE_URL}", PASSWORD),
        (f"POST https://discord.com/api/v10/webhooks/123/{INTERACTION_TOKEN}/messages/@original", INTERACTION_TOKEN),
        (f"POST https://discord.com/api/v10/interactions/123/{INTERACTION_TOKEN}/callback", INTERACTION_TOKEN),
        (f"GET {LINK}", LINK_SECRETS[0]),
        (f"GET {LINK}", LINK_SECRETS[1]),
        ("GET https://s3.example/x?X-Amz-Signature=0123abcd&x=1", "0123abcd"),
        ("GET https://s3.example/x?X-Amz-Credential=AKIAABC&x=1", "AKIAABC"),
        ("GET https://blob.example/x?signature=zzz999", "zzz999"),
    ],
)
def test_a_secret_in_a_message_is_replaced(lines: io.StringIO, message: str, hidden: str) -> None:
    log.warning("%s", message)
    log.warning(message.replace("%", "%%"))
    assert hidden not in lines.getvalue()
    assert lines.getvalue().count("[secret]") >= 2


@pytest.mark.parametrize(
    "message", [DATABASE_URL.replace("postgresql:", "postgresql+psycopg:"), f"password={PASSWORD} host=host"]
)
def test_the_databases_password_is_hidden_without_its_address(lines: io.StringIO, message: str) -> None:
    log.warning("%s", message)
    assert PASSWORD not in lines.getvalue()


def test_a_secret_in_a_traceback_is_replaced(lines: io.StringIO) -> None:
    try:
        try:
            raise OSError(f"401 for {TOKEN} at /webhooks/1/{INTERACTION_TOKEN}")
        except OSError as problem:
            raise RuntimeError(f"no way in: {DATABASE_URL}") from problem
    except RuntimeError:
        log.exception("Broken by %s", LINK, stack_info=True)
    text = lines.getvalue()
    assert "RuntimeError" in text
    assert "OSError" in text
    for hidden in (TOKEN, PASSWORD, INTERACTION_TOKEN, *LINK_SECRETS):
        assert hidden not in text


def test_what_is_no_secret_stays_readable(lines: io.StringIO) -> None:
    log.warning("GET https://cdn.discordapp.com/attachments/1/2/cat.png?ex=66&is=65&hm=deadbeef")
    assert "https://cdn.discordapp.com/attachments/1/2/cat.png?ex=66&is=65&hm=[secret]" in lines.getvalue()


@pytest.mark.parametrize("lines", ["json"], indirect=True)
def test_json_is_one_whole_object_a_line(lines: io.StringIO) -> None:
    log.warning('two\nlines and a "quote" for %s', TOKEN)
    try:
        raise ValueError("why")
    except ValueError:
        log.exception("broken")
    first, second = map(json.loads, lines.getvalue().splitlines())
    assert first["message"] == 'two\nlines and a "quote" for [secret]'
    assert (first["level"], first["logger"]) == ("WARNING", "tests.logs")
    assert second["traceback"].startswith("Traceback")


@pytest.mark.parametrize("lines", ["json"], indirect=True)
def test_a_secret_that_json_writes_with_escapes_is_hidden_too(lines: io.StringIO, tmp_path: Path) -> None:
    awkward = 'token"with\\signs'
    set_up_logs(settings(tmp_path, DISCORD_TOKEN=awkward, LOG_FORMAT="json"))
    (handler,) = logging.getLogger().handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(lines)
    log.warning("%s", awkward)
    assert json.loads(lines.getvalue())["message"] == "[secret]"


@pytest.mark.parametrize("lines", ["text"], indirect=True)
def test_chatty_libraries_are_quiet_unless_something_is_wrong(lines: io.StringIO) -> None:
    logging.getLogger("httpx").info("HTTP Request: GET")
    log.debug("not at this level")
    logging.getLogger("httpx").warning("a problem")
    assert lines.getvalue().count("\n") == 1
