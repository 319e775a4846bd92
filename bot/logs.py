"""Sets up logging: text or JSON lines, and no secret in either."""

import json
import logging
import re
from urllib.parse import unquote, urlsplit

from bot.secret import Secret
from bot.settings import Settings

# Interaction tokens and our own unguessable paths in webhook routes, and the signatures of signed links.
TOKENS_IN_URLS = re.compile(
    r"(/(?:webhooks|interactions)/(?:[a-z]{2,20}/)?\d+/)[\w.-]{20,}"
    r"|([?&](?:hm|sig|signature|policy|key-pair-id|X-Amz-[\w-]+)=)[^&\s'\"]+",
    re.IGNORECASE,
)


def set_up_logs(settings: Settings) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(_formatter(settings))
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    logging.getLogger("discord.client").setLevel(logging.ERROR)  # it warns of voice libraries that a text bot lacks
    for chatty in ("httpx", "httpcore", "httpx2", "httpcore2", "huggingface_hub", "discord.gateway", "alembic"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[settings.log_level]))


def _formatter(settings: Settings) -> logging.Formatter:
    secrets = [value.reveal() for value in vars(settings).values() if isinstance(value, Secret) and value]
    password = urlsplit(settings.database_url.reveal()).password  # drivers name it without the address around it
    secrets += [password, unquote(password)] if password else []
    return JsonLines(secrets) if settings.log_format == "json" else TextLines(secrets)


class TextLines(logging.Formatter):
    """Replaces every secret in the finished line, so tracebacks are covered too."""

    def __init__(self, secrets: list[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._secrets = sorted(secrets, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        return self._clean(super().format(record))

    def _clean(self, line: str) -> str:
        for secret in self._secrets:
            line = line.replace(secret, "[secret]")
        return TOKENS_IN_URLS.sub(lambda match: f"{match[1] or match[2]}[secret]", line)


class JsonLines(TextLines):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S"),
            "level": record.levelname,
            "logger": record.name,
            "message": self._clean(record.getMessage()),
        }
        if record.exc_info:
            line["traceback"] = self._clean(self.formatException(record.exc_info))
        return json.dumps(line)
