"""The settings: read once from `.env` and the environment, typed, and refused all at once with a way to fix each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from dotenv import dotenv_values

from bot.providers.local_failures import Failures

Value = TypeVar("Value")

SIZES = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
DURATIONS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
KNOWN_PROVIDERS = ("local",)
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class SettingsRejected(Exception):
    """Every wrong setting, one line each: the variable, what is wrong, how to fix it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("The settings need a correction:\n" + "\n".join(f"  {problem}" for problem in problems))
        self.problems = problems


class Secret:
    """A value that never shows itself: not in `repr`, not in a log line, not in a traceback's locals."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(set)" if self._value else "Secret(empty)"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> str:
        raise TypeError("A secret is not written anywhere.")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One field for each variable in `.env.example`, the same name in lower case."""

    discord_token: Secret
    discord_api_url: str
    discord_gateway_url: str | None
    data_dir: Path
    database_url: Secret
    providers: tuple[str, ...]
    allowed_download_hosts: tuple[str, ...]
    max_upload_size: int
    log_level: str
    log_format: str
    card_edit_interval: float
    local_training_time: float
    local_generation_time: float
    local_failures: Failures


def read_settings(environment: Mapping[str, str], *, env_file: Path | None = None) -> Settings:
    """This process's settings; `environment` wins over `env_file`. Raises `SettingsRejected` with every problem."""
    values: dict[str, str | None] = dict(dotenv_values(env_file)) if env_file and env_file.is_file() else {}
    values.update(environment)
    reader = _Reader(values)
    data_dir = reader.read("DATA_DIR", _path, "./data")
    found = {
        "discord_token": reader.secret("DISCORD_TOKEN", required=True),
        "discord_api_url": reader.read("DISCORD_API_URL", _http_url, "https://discord.com/api/v10"),
        "discord_gateway_url": reader.optional("DISCORD_GATEWAY_URL", _socket_url),
        "data_dir": data_dir,
        "database_url": reader.database(data_dir),
        "providers": reader.read("PROVIDERS", _providers, "local"),
        "allowed_download_hosts": reader.read("ALLOWED_DOWNLOAD_HOSTS", _list, ""),
        "max_upload_size": reader.read("MAX_UPLOAD_SIZE", _size, "500MiB"),
        "log_level": reader.read("LOG_LEVEL", _one_of(*LOG_LEVELS), "INFO"),
        "log_format": reader.read("LOG_FORMAT", _one_of("text", "json"), "text"),
        "card_edit_interval": reader.read("CARD_EDIT_INTERVAL", _duration, "2s"),
        "local_training_time": reader.read("LOCAL_TRAINING_TIME", _duration, "0s"),
        "local_generation_time": reader.read("LOCAL_GENERATION_TIME", _duration, "0s"),
        "local_failures": reader.read("LOCAL_FAILURES", Failures.parse, ""),
    }
    if reader.problems:
        raise SettingsRejected(reader.problems)
    return Settings(**found)


def variable_names() -> tuple[str, ...]:
    return tuple(field.name.upper() for field in fields(Settings))


class _Reader:
    """Reads one variable after the other and keeps every problem for the end."""

    def __init__(self, values: Mapping[str, str | None]) -> None:
        self._values = values
        self.problems: list[str] = []

    def _text(self, name: str, default: str) -> str:
        return (self._values.get(name) or "").strip() or default

    def read(self, name: str, parse: Callable[[str], Value], default: str) -> Any:
        text = self._text(name, default)
        try:
            return parse(text)
        except ValueError as problem:
            self.problems.append(f"{name}={text!r}: {problem}")
            return None

    def optional(self, name: str, parse: Callable[[str], Value]) -> Any:
        return self.read(name, parse, "") if self._text(name, "") else None

    def secret(self, name: str, *, required: bool) -> Secret:
        text = self._text(name, "")
        if required and not text:
            self.problems.append(
                f"{name} is not set: copy the bot's token from Discord's developer portal into .env, "
                "or run `make demo`, which needs none."
            )
        elif any(sign.isspace() for sign in text):
            self.problems.append(f"{name} has a space or line break inside: paste it again, without quotes.")
        return Secret(text)

    def database(self, data_dir: Path | None) -> Secret:
        """A database URL carries a password, so a problem never repeats it."""
        text = self._text("DATABASE_URL", f"sqlite:///{(data_dir or Path()) / 'atelier.sqlite3'}")
        if not text.startswith(("sqlite:///", "postgresql://")):
            self.problems.append("DATABASE_URL: begin it with postgresql:// or sqlite:///, or leave it empty.")
        return Secret(text)


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip().lower() for part in text.split(",") if part.strip())


def _one_of(*words: str) -> Callable[[str], str]:
    by_lower = {word.lower(): word for word in words}

    def parse(text: str) -> str:
        if text.lower() not in by_lower:
            raise ValueError(f"choose one of {', '.join(words)}.")
        return by_lower[text.lower()]

    return parse


def _measure(text: str, units: Mapping[str, float], example: str) -> float:
    number = text.rstrip("".join({sign for unit in units for sign in unit.upper() + unit.lower()}) + " ")
    unit = text[len(number) :].strip()
    key = next((known for known in units if known.lower() == unit.lower()), None)
    try:
        amount = float(number)
    except ValueError:
        amount = -1.0
    if key is None or not 0 <= amount < 1e15:
        raise ValueError(f"write a number with a unit, for example {example}.")
    return amount * units[key]


def _size(text: str) -> int:
    size = int(_measure(text, SIZES, "500MiB"))
    if size < 1:
        raise ValueError("write a size above zero, for example 500MiB.")
    return size


def _duration(text: str) -> float:
    return _measure(text, DURATIONS, "90s or 5m")


def _url(text: str, schemes: tuple[str, ...]) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in schemes or not parts.hostname:
        raise ValueError(f"write a whole address that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}.")
    return text.rstrip("/")


def _http_url(text: str) -> str:
    return _url(text, ("https", "http"))


def _socket_url(text: str) -> str:
    return _url(text, ("wss", "ws"))


def _providers(text: str) -> tuple[str, ...]:
    names = _list(text)
    unknown = [name for name in names if name not in KNOWN_PROVIDERS]
    if unknown or not names:
        raise ValueError(
            f"{', '.join(unknown) or 'nothing'} is not a provider; choose from {', '.join(KNOWN_PROVIDERS)}."
        )
    return names
