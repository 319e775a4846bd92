"""Listens to every log of a whole test session for secrets: in messages, arguments and tracebacks, before we redact.

`tests/conftest.py` puts it up; what is heard fails the test that it is heard in. Outputs of the bot's own processes are
read by whoever started them, with `read_output`.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.simulators import bfl, fal, replicate, together

# The level that `bot/logs.py` and `bot/workflows/engine.py` give each; our own at DEBUG, so that nothing is missed.
LEVELS = {
    "bot": logging.DEBUG,
    "cogs": logging.DEBUG,
    "storage": logging.DEBUG,
    "dbos": logging.WARNING,
    "discord": logging.INFO,
    "discord.client": logging.ERROR,
    "discord.gateway": logging.WARNING,
    "huggingface_hub": logging.WARNING,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "httpx2": logging.WARNING,
    "httpcore2": logging.WARNING,
    "alembic": logging.WARNING,
}
HEARD = tuple(name for name in LEVELS if "." not in name)

# Tests whose planted secrets are heard on purpose: node id, and why. As few as possible.
EXCEPTED: dict[str, str] = {
    "tests/hub/test_hub_failures.py::test_a_passing_failure_of_an_upload_is_retried_by_the_library": (
        "huggingface_hub names the presigned link that it tries again; our formatter replaces its signature"
    ),
}

KNOWN = {
    replicate.KEY: "Replicate's key",
    replicate.WEBHOOK_SECRET: "Replicate's webhook secret",
    fal.KEY: "fal's key",
    bfl.KEY: "Black Forest Labs' key",
    together.KEY: "Together's key",
}

# A value that is real: not "[secret]", "…" or "%s", and with a digit in it, so that no ordinary word is one.
VALUE = r"(?=[^\s'\"&,;]*\d)[A-Za-z0-9][A-Za-z0-9._~:+/=%-]"
RUN = r"[A-Za-z0-9+/_-]"
SHAPES = {
    "a presigned signature": re.compile(
        r"(?i)X-Amz-(?:Signature|Credential|Security-Token)=[A-Za-z0-9][\w.~+/=%-]{5,}"
    ),
    "a signed link": re.compile(r"(?i)(?<![a-z-])(?:hm|sig|signature)=" + VALUE + "{11,}"),
    "a bearer token": re.compile(r"(?i)\bBearer['\"]?[ :]+['\"]?" + VALUE + "{11,}"),
    "a key header": re.compile(r"\bKey ['\"]?" + VALUE + "{11,}"),
    "an x-key header": re.compile(r"(?i)\bx-key\b['\"]?\s*[:=,]\s*b?['\"]?" + VALUE + "{7,}"),
    "a token": re.compile(
        r"(?<![A-Za-z0-9])(?:r8_|bfl_|tgp_|whsec_)(?=[A-Za-z0-9+/=_-]*[0-9A-Z])[A-Za-z0-9+/=_-]{12,}"
    ),
    "a Hugging Face token": re.compile(r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{16,}"),
    "a fal key": re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}:[0-9a-zA-Z]{16,}"),
    "a playground's token": re.compile(r"[\w-]{8,}\.play\.[\w-]{27,}"),
    "a Discord token": re.compile(r"(?<![\w.-])[MNO][A-Za-z\d_-]{17,30}\.[A-Za-z\d_-]{6,7}\.[A-Za-z\d_-]{27,}"),
    "an interaction's token": re.compile(r"/(?:webhooks|interactions)/\d+/[A-Za-z0-9_-][\w.-]{39,}"),
    "a webhook of ours": re.compile(r"/webhooks/[a-z]+/\d+/[0-9a-f]{64}"),
    "a long run of base64": re.compile(rf"(?<!{RUN})(?=[a-z_/-]*[A-Z0-9+]){RUN}{{201,}}={{0,2}}"),
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`excerpt` shows where, with the secret itself masked."""

    logger: str
    kind: str
    excerpt: str

    def __str__(self) -> str:
        return f"{self.kind} in {self.logger}: {self.excerpt}"


class SecretsHeard(logging.Handler):
    """`findings` wait to be taken by the test they belong to; `failed` have failed theirs."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.findings: list[Finding] = []
        self.failed: list[Finding] = []
        self._known = dict(KNOWN)
        self._tracebacks = logging.Formatter()

    def know(self, kind: str, secret: str) -> None:
        """One more value that must be in no log, such as a key that was made up for this test."""
        assert len(secret) >= 8, "too short to be told from ordinary text"
        self._known[secret] = kind

    def put_up(self) -> None:
        """On every logger, because an engine may clear one's handlers or not pass its records on; and on the root."""
        for name, level in LEVELS.items():
            logging.getLogger(name).setLevel(level)
        for name in ("", *HEARD):
            logger = logging.getLogger(name)
            if self not in logger.handlers:
                logger.addHandler(self)

    def is_up(self) -> bool:
        return all(self in logging.getLogger(name).handlers for name in ("", "bot", "cogs", "storage"))

    def take_down(self) -> None:
        for name in ("", *HEARD):
            logging.getLogger(name).removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """A record comes by once for each logger on its way up, and is looked at once.

        A test may make a library say more than it does in the product: that is not looked at.
        """
        level = level_of(record.name)
        if level is None or record.levelno < level or getattr(record, "was_searched", False):
            return
        record.was_searched = True
        self.search(record.name, said_by(record, self._tracebacks))

    def read_output(self, name: str, output: str | bytes | Path) -> None:
        """What another process wrote; each line is searched."""
        if isinstance(output, Path):
            output = output.read_bytes() if output.is_file() else b""
        text = output.decode("utf-8", "replace") if isinstance(output, bytes) else output
        for line in text.splitlines():
            self.search(name, line)

    def search(self, logger: str, text: str) -> None:
        for kind, start, end in found_in(text, self._known):
            self.findings.append(Finding(logger=logger, kind=kind, excerpt=masked(text, start, end)))

    def take(self) -> list[Finding]:
        taken, self.findings = self.findings, []
        return taken

    @contextmanager
    def expecting(self) -> Iterator[list[Finding]]:
        """For tests of this listener: what is heard inside is theirs, and no failure."""
        before, self.findings = self.findings, []
        try:
            yield self.findings
        finally:
            self.findings = before


def level_of(name: str) -> int | None:
    """The level of the nearest logger above that has one; None when nobody listens there."""
    while name and name not in LEVELS:
        name = name.rpartition(".")[0]
    return LEVELS.get(name)


def said_by(record: logging.LogRecord, formatter: logging.Formatter) -> str:
    """The message, each argument by itself, and the tracebacks."""
    try:
        message = record.getMessage()
    except (TypeError, ValueError):
        message = str(record.msg)
    args = record.args.values() if isinstance(record.args, dict) else record.args or ()
    parts = [message, *(str(one) for one in args), *(repr(one) for one in args)]
    if record.exc_info:
        parts.append(formatter.formatException(record.exc_info))
    parts += [text for text in (record.exc_text, record.stack_info) if text]
    return "\n".join(dict.fromkeys(parts))


def found_in(text: str, known: dict[str, str]) -> Iterator[tuple[str, int, int]]:
    """Every kind once. What is known is named so, and is not looked at again for its shape."""
    for secret, kind in known.items():
        start = text.find(secret)
        if start >= 0:
            text = text.replace(secret, "•" * len(secret))
            yield kind, start, start + len(secret)
    for kind, shape in SHAPES.items():
        if match := shape.search(text):
            text = text.replace(match[0], "•" * len(match[0]))
            yield kind, *match.span()


def masked(text: str, start: int, end: int) -> str:
    shown = text[start : start + 6]
    before, after = text[max(0, start - 80) : start], text[end : end + 40]
    return " ".join(f"{before}{shown}[{end - start} characters]{after}".split())


SECRETS = SecretsHeard()
