"""The settings: read once from `.env` and the environment, typed, and refused all at once with a way to fix each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from dotenv import dotenv_values

from bot.providers.local.failures import Failures
from bot.secret import Secret
from bot.setting_values import (
    comma_list,
    discord_id,
    discord_ids,
    http_url,
    one_of,
    path,
    plain_name,
    port,
    positive,
    seconds,
    size_in_bytes,
    size_or_no_bound,
    socket_url,
    weights,
    yes_or_no,
)

Value = TypeVar("Value")

KNOWN_PROVIDERS = {
    "fal": "FAL_KEY",
    "replicate": "REPLICATE_API_TOKEN",
    "bfl": "BFL_API_KEY",
    "together": "TOGETHER_API_KEY",
    "local": None,
}  # each with the key it needs, in the order that is chosen when PROVIDERS is empty
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class SettingsRejected(Exception):
    """Every wrong setting, one line each: the variable, what is wrong, how to fix it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("The settings need a correction:\n" + "\n".join(f"  {problem}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One field for each variable in `.env.example`, the same name in lower case."""

    discord_token: Secret
    discord_api_url: str
    discord_gateway_url: str | None
    data_dir: Path
    database_url: Secret
    providers: tuple[str, ...]
    replicate_api_token: Secret
    replicate_api_url: str
    replicate_owner: str | None
    fal_key: Secret
    fal_queue_url: str
    bfl_api_key: Secret
    bfl_api_url: str
    bfl_legacy_finetune: bool
    together_api_key: Secret
    together_api_url: str
    huggingface_api_token: Secret
    huggingface_username: str | None
    hf_endpoint: str
    cloudflare_r2_access_key_id: Secret
    cloudflare_r2_secret_access_key: Secret
    cloudflare_r2_bucket: str | None
    cloudflare_r2_endpoint: str | None
    cloudflare_r2_public_url: str | None
    public_url: str | None
    webhook_port: int
    allowed_download_hosts: tuple[str, ...]
    max_upload_size: int
    dataset_space_per_person: int
    log_level: str
    log_format: str
    card_edit_interval: float
    operator_ids: tuple[int, ...]
    operator_channel: int | None
    role_weights: Mapping[str, int]
    jobs_per_person: int
    jobs_per_server: int
    local_training_time: float
    local_generation_time: float
    local_failures: Failures


def read_settings(environment: Mapping[str, str], *, env_file: Path | None = None) -> Settings:
    """This process's settings; `environment` wins over `env_file`. Raises `SettingsRejected` with every problem."""
    values: dict[str, str | None] = dict(dotenv_values(env_file)) if env_file and env_file.is_file() else {}
    values.update(environment)
    reader = _Reader(values)
    data_dir = reader.read("DATA_DIR", path, "./data")
    found = {
        "discord_token": reader.secret("DISCORD_TOKEN", required=True),
        "discord_api_url": reader.read("DISCORD_API_URL", http_url, "https://discord.com/api/v10"),
        "discord_gateway_url": reader.optional("DISCORD_GATEWAY_URL", socket_url),
        "data_dir": data_dir,
        "database_url": reader.database(data_dir),
        "providers": reader.providers(),
        "allowed_download_hosts": reader.read("ALLOWED_DOWNLOAD_HOSTS", comma_list, ""),
        "max_upload_size": reader.read("MAX_UPLOAD_SIZE", size_in_bytes, "2GiB"),
        "dataset_space_per_person": reader.read("DATASET_SPACE_PER_PERSON", size_or_no_bound, "5GiB"),
        "log_level": reader.read("LOG_LEVEL", one_of(*LOG_LEVELS), "INFO"),
        "log_format": reader.read("LOG_FORMAT", one_of("text", "json"), "text"),
        "card_edit_interval": reader.read("CARD_EDIT_INTERVAL", seconds, "2s"),
        **_community_settings(reader),
        **_provider_settings(reader),
        **_storage_settings(reader),
        "local_training_time": reader.read("LOCAL_TRAINING_TIME", seconds, "0s"),
        "local_generation_time": reader.read("LOCAL_GENERATION_TIME", seconds, "0s"),
        "local_failures": reader.read("LOCAL_FAILURES", Failures.parse, ""),
    }
    reader.check_together(found)
    if reader.problems:
        raise SettingsRejected(reader.problems)
    return Settings(**found)


def _community_settings(reader: "_Reader") -> dict[str, Any]:
    return {
        "operator_ids": reader.read("OPERATOR_IDS", discord_ids, ""),
        "operator_channel": reader.optional("OPERATOR_CHANNEL", discord_id),
        "role_weights": reader.read("ROLE_WEIGHTS", weights, ""),
        "jobs_per_person": reader.read("JOBS_PER_PERSON", positive, "25"),
        "jobs_per_server": reader.read("JOBS_PER_SERVER", positive, "1000"),
    }


def _provider_settings(reader: "_Reader") -> dict[str, Any]:
    return {
        "replicate_api_token": reader.secret("REPLICATE_API_TOKEN"),
        "replicate_api_url": reader.read("REPLICATE_API_URL", http_url, "https://api.replicate.com/v1"),
        "replicate_owner": reader.optional("REPLICATE_OWNER", plain_name),
        "fal_key": reader.secret("FAL_KEY"),
        "fal_queue_url": reader.read("FAL_QUEUE_URL", http_url, "https://queue.fal.run"),
        "bfl_api_key": reader.secret("BFL_API_KEY"),
        "bfl_api_url": reader.read("BFL_API_URL", http_url, "https://api.bfl.ai"),
        "bfl_legacy_finetune": reader.read("BFL_LEGACY_FINETUNE", yes_or_no, "false"),
        "together_api_key": reader.secret("TOGETHER_API_KEY"),
        "together_api_url": reader.read("TOGETHER_API_URL", http_url, "https://api.together.ai/v1"),
    }


def _storage_settings(reader: "_Reader") -> dict[str, Any]:
    return {
        "huggingface_api_token": reader.secret("HUGGINGFACE_API_TOKEN"),
        "huggingface_username": reader.optional("HUGGINGFACE_USERNAME", plain_name),
        "hf_endpoint": reader.read("HF_ENDPOINT", http_url, "https://huggingface.co"),
        "cloudflare_r2_access_key_id": reader.secret("CLOUDFLARE_R2_ACCESS_KEY_ID"),
        "cloudflare_r2_secret_access_key": reader.secret("CLOUDFLARE_R2_SECRET_ACCESS_KEY"),
        "cloudflare_r2_bucket": reader.optional("CLOUDFLARE_R2_BUCKET", str),
        "cloudflare_r2_endpoint": reader.optional("CLOUDFLARE_R2_ENDPOINT", http_url),
        "cloudflare_r2_public_url": reader.optional("CLOUDFLARE_R2_PUBLIC_URL", http_url),
        "public_url": reader.optional("PUBLIC_URL", http_url),
        "webhook_port": reader.read("WEBHOOK_PORT", port, "8080"),
    }


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

    def secret(self, name: str, *, required: bool = False) -> Secret:
        text = self._text(name, "")
        if required and not text:
            self.problems.append(
                f"{name} is not set: copy the bot's token from Discord's developer portal into .env, "
                "or run `make demo`, which needs none."
            )
        elif any(sign.isspace() for sign in text):
            self.problems.append(f"{name} has a space or line break inside: paste it again, without quotes.")
        return Secret(text)

    def providers(self) -> tuple[str, ...] | None:
        """As named; otherwise each that has a key, and the local one when none has."""
        if self._text("PROVIDERS", ""):
            names: tuple[str, ...] | None = self.read("PROVIDERS", _providers, "")
            for name in names or ():
                key = KNOWN_PROVIDERS[name]
                if key and not self._text(key, ""):
                    self.problems.append(f"{key} is not set: PROVIDERS names {name}, which needs it.")
            return names
        with_key = tuple(name for name, key in KNOWN_PROVIDERS.items() if key and self._text(key, ""))
        return with_key or ("local",)

    def check_together(self, found: Mapping[str, Any]) -> None:
        """What makes sense only as a whole."""
        names = ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "BUCKET", "ENDPOINT")
        missing = [name for name in names if not found[f"cloudflare_r2_{name.lower()}"]]
        if missing and len(missing) < len(names):
            self.problems.append(f"CLOUDFLARE_R2_{missing[0]} is not set: object storage needs all four or none.")
        if found["huggingface_api_token"] and not found["huggingface_username"]:
            self.problems.append("HUGGINGFACE_USERNAME is not set: models are published below that name.")
        if found["public_url"] and not found["public_url"].startswith("https://"):
            self.problems.append("PUBLIC_URL: begin it with https://, providers knock at nothing else.")

    def database(self, data_dir: Path | None) -> Secret:
        """A database URL carries a password, so a problem never repeats it."""
        text = self._text("DATABASE_URL", f"sqlite:///{(data_dir or Path()) / 'atelier.sqlite3'}")
        if not text.startswith(("sqlite:///", "postgresql://")):
            self.problems.append("DATABASE_URL: begin it with postgresql:// or sqlite:///, or leave it empty.")
        return Secret(text)


def _providers(text: str) -> tuple[str, ...]:
    names = comma_list(text)
    unknown = [name for name in names if name not in KNOWN_PROVIDERS]
    if unknown or not names:
        raise ValueError(
            f"{', '.join(unknown) or 'nothing'} is not a provider; choose from {', '.join(KNOWN_PROVIDERS)}."
        )
    return names
