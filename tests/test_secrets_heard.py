"""The listener for secrets hears every kind of them, in every corner of a record, and nothing else."""

import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.logs import TextLines
from tests import secrets_heard
from tests.secrets_heard import EXCEPTED, SECRETS, SecretsHeard, masked
from tests.simulators import bfl, fal, replicate, together

PROJECT = Path(__file__).parents[1]
HEX = "0123456789abcdef" * 4
PLANTED = {
    "Replicate's key": replicate.KEY,
    "Replicate's webhook secret": replicate.WEBHOOK_SECRET,
    "fal's key": fal.KEY,
    "Black Forest Labs' key": bfl.KEY,
    "Together's key": together.KEY,
    "a presigned signature": f"https://s3.example/x.zip?X-Amz-Signature={HEX}&x=1",
    "a presigned signature ": "https://s3.example/x.zip?X-Amz-Credential=AKIAABCDEFGH%2F20261121%2Fauto",
    "a presigned signature  ": f"https://s3.example/x.zip?x-amz-security-token={HEX}",
    "a signed link": "https://blob.example/x.png?se=2026&sig=c2lnbmVkLWRlbGl2ZXJ51",
    "a signed link ": f"https://cdn.example/x.png?Expires=1&Signature={HEX}&Key-Pair-Id=K",
    "a bearer token": "{'Authorization': 'Bearer a1b2c3d4e5f6a7b8'}",
    "a key header": "{'Authorization': 'Key 0a1b2c3d4e5f6a7b'}",
    "an x-key header": "{'x-key': '0a1b2c3d4e5f'}",
    "an x-key header ": "x-key: 0a1b2c3d4e5f",
    "a token": "token r8_Abcdefghijklmnop0123",
    "a token ": "token bfl_another-key-0123456789",
    "a token  ": "token tgp_v1_AnotherKey0123456789",
    "a token   ": "secret whsec_C2FrE7MIIBVZ7Gq4Yhz0mQ==",
    "a Hugging Face token": "token=hf_abcdefghijklmnopqrstuvwxyz",
    "a fal key": "11111111-2222-3333-4444-555555555555:0123456789abcdef0123456789abcdef",
    "a playground's token": "logging in with MTAwMTAwMTAw.play.abcdefghijklmnopqrstuvwxyz-0123456789",
    "a Discord token": "logging in with MTAwMTAwMTAwMTAwMTAwMTAw.Gabcde.abcdefghijklmnopqrstuvwxyz_0123456789",
    "an interaction's token": f"POST https://discord.com/api/v10/webhooks/123/{HEX}/messages/@original",
    "an interaction's token ": f"POST https://discord.com/api/v10/interactions/123/{HEX}/callback",
    "a webhook of ours": f"https://atelier.example/webhooks/fal/31/{HEX}",
    "a long run of base64": f"data:application/zip;base64,{'UEsDBBQA' * 26}==",
}
ORDINARY = [
    "Job 1310000000000000000, stage training, attempt 2: Replicate did not answer; trying again.",
    f"weights/{HEX}.safetensors is stored",
    f"sha256:{HEX} matches {HEX}",
    "GET https://api.replicate.com/v1/predictions/0123456789abcdef0123456789 answered 404",
    "GET https://s3.example/x.zip?X-Amz-Signature=[secret]&X-Amz-Credential=[secret]&sig=[secret]",
    "POST https://discord.com/api/v10/webhooks/123/[secret]/messages/@original",
    "Authorization: Bearer [secret], Key [secret], x-key: [secret], whsec_…, Key and Bearer authentication is needed",
    "11111111-2222-3333-4444-555555555555: ready after 1200 seconds",
    "atelier-bot/atelier-1310000000000000000:" + HEX,
    "A webhook of fal for job 31 is not genuine: x-fal-webhook-signature is by none of fal's keys",
    "no signature in webhook-signature matches; signature=",
    "hf_token is not set, whsec_secrets begin so, r8_ too, tgp_v1_ as well, bfl_legacy_finetune is off",
    'File "/opt/atelier/.venv/lib/python3.11/site-packages/sqlalchemy/engine/base.py", line 1969, in _exec_context',
    "/".join(["tmp/pytest-of-somebody/pytest-0/a-very-long-folder.name"] * 12),
    "=" * 300,
    "-" * 300,
    "https://huggingface.co/atelier-bot/luna-1310000000000000000/resolve/main/lora.safetensors",
    "INSERT INTO jobs (id, kind, status) VALUES (%(id)s, %(kind)s, %(status)s)",
]

log = logging.getLogger("bot.a_test_of_secrets")


def kinds(findings: list[secrets_heard.Finding]) -> set[str]:
    return {finding.kind for finding in findings}


@pytest.mark.parametrize(("kind", "text"), PLANTED.items())
def test_a_secret_is_heard_in_a_message_an_argument_and_a_traceback(kind: str, text: str) -> None:
    with SECRETS.expecting() as heard:
        log.debug(text.replace("%", "%%"))
        assert kinds(heard) == {kind.strip()}
        heard.clear()
        log.info("it says %s", text)
        assert kinds(heard) == {kind.strip()}
        heard.clear()
        log.info("it says %(what)r", {"what": {"inside": text}})
        assert kinds(heard) == {kind.strip()}
        heard.clear()
        try:
            try:
                raise OSError(text)
            except OSError as problem:
                raise RuntimeError("no way in") from problem
        except RuntimeError:
            log.exception("broken")
        assert kinds(heard) == {kind.strip()}


def test_an_argument_that_its_message_cuts_short_is_heard() -> None:
    with SECRETS.expecting() as heard:
        log.info("it begins with %.4s", replicate.KEY)
        assert kinds(heard) == {"Replicate's key"}


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_not_heard(text: str) -> None:
    with SECRETS.expecting() as heard:
        log.warning("%s", text)
        assert heard == []


@pytest.mark.parametrize(
    "name", ["bot.x", "cogs.x", "storage.x", "dbos", "discord.http", "huggingface_hub.x", "httpx2"]
)
def test_every_logger_that_matters_is_listened_to_during_an_ordinary_test(name: str) -> None:
    with SECRETS.expecting() as heard:
        logging.getLogger(name).warning("it says %s", fal.KEY)
        assert [finding.logger for finding in heard] == [name]


def test_our_own_loggers_are_heard_however_little_they_matter(request: pytest.FixtureRequest) -> None:
    assert "no_secret_is_logged" in request.fixturenames
    assert SECRETS.is_up()
    for name in ("bot", "cogs", "storage"):
        assert logging.getLogger(f"{name}.anything").isEnabledFor(logging.DEBUG)


def test_a_logger_whose_handlers_were_cleared_is_heard_all_the_same() -> None:
    """The engine does so with the one of its library."""
    logger = logging.getLogger("dbos")
    logger.handlers.clear()
    with SECRETS.expecting() as heard:
        logger.warning("it says %s", fal.KEY)
        assert len(heard) == 1, "and once, though two handlers are on its way"


def test_what_a_library_says_only_because_a_test_asked_is_not_heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="httpx")
    with SECRETS.expecting() as heard:
        logging.getLogger("httpx").debug("GET %s", PLANTED["a signed link"])
        logging.getLogger("discord.gateway").info("%s", fal.KEY)
        logging.getLogger("somebody.else").error("%s", fal.KEY)
        assert heard == []


def test_a_value_that_was_made_up_for_one_test_can_be_made_known() -> None:
    listener = SecretsHeard()
    listener.search("bot", "opened with correct-horse")
    assert listener.take() == []
    listener.know("a passphrase", "correct-horse")
    listener.search("bot", "opened with correct-horse")
    assert kinds(listener.take()) == {"a passphrase"}


def test_the_output_of_another_process_is_searched_line_by_line(tmp_path: Path) -> None:
    output = tmp_path / "bot.log"
    output.write_bytes(b"INFO ready\nERROR 401 for " + replicate.KEY.encode() + b"\n\xff\xfe\n")
    listener = SecretsHeard()
    listener.read_output("the bot's process", output)
    listener.read_output("the bot's process", tmp_path / "never-written.log")
    listener.read_output("the bot's process", b"fine")
    listener.read_output("the bot's process", f"not fine: {fal.KEY}")
    assert [finding.kind for finding in listener.take()] == ["Replicate's key", "fal's key"]


def test_a_finding_shows_where_it_was_and_not_what() -> None:
    listener = SecretsHeard()
    listener.search("bot.wire", f"it answered 401 for {replicate.KEY} twice")
    (finding,) = listener.take()
    assert str(finding) == "Replicate's key in bot.wire: it answered 401 for r8_Sim[40 characters] twice"
    assert len(replicate.KEY) == 40
    assert "cret" not in masked("a secret here", 2, 8).replace("secret", "")


TWO_LEAKS = """
import logging
import pytest

@pytest.fixture(scope="module")
def late():
    yield
    logging.getLogger("storage").debug("late %s", "hf_abcdefghijklmnopqrstuvwxyz")

def test_loud():
    logging.getLogger("bot").debug("token %s", "r8_Abcdefghijklmnop0123")

def test_quiet(late):
    logging.getLogger("bot").info("nothing to hide")
"""


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (
            ["-k", "loud"],
            [
                "1 error",
                "ERROR at teardown of test_loud",
                "a token in bot: token r8_Abc[",
                "1 secrets in logs",
            ],
        ),
        (["-k", "quiet"], ["1 passed", "1 secrets in logs", "a Hugging Face token in storage: late hf_abc["]),
        ([], ["2 passed", "1 error", "2 secrets in logs"]),
    ],
    ids=["in a test", "after it", "both"],
)
def test_a_secret_fails_the_test_it_is_heard_in_and_the_session(
    tmp_path: Path, chosen: list[str], expected: list[str]
) -> None:
    """A session of its own, with the same conftest as this one."""
    (tmp_path / "conftest.py").write_text("from tests.conftest import *\n")
    (tmp_path / "test_leaks.py").write_text(TWO_LEAKS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:cacheprovider", "test_leaks.py", *chosen],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == pytest.ExitCode.TESTS_FAILED
    for said in expected:
        assert said in run.stdout


def test_every_exception_names_a_test_that_exists_and_a_reason() -> None:
    for node, reason in EXCEPTED.items():
        file, _, name = node.partition("::")
        assert re.search(rf"def {re.escape(name.partition('[')[0])}\(", (PROJECT / file).read_text())
        assert reason


def test_the_link_that_the_hubs_library_names_is_replaced_in_our_lines() -> None:
    """The one exception: heard in the record, and not in what is written."""
    said = f"'Server disconnected.' thrown while requesting PUT https://lfs.example/x?X-Amz-Signature={HEX}&size=136"
    record = logging.LogRecord("huggingface_hub.utils._http", logging.WARNING, "_http.py", 1, said, None, None)
    assert HEX not in TextLines([]).format(record)
