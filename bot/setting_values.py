"""How the text of a setting becomes a value. Each raises `ValueError` with a way to put it right. Pure."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

SIZES = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
MOST_WEIGHT = 20
DURATIONS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def yes_or_no(text: str) -> bool:
    if text.lower() not in ("true", "false", "yes", "no", "1", "0"):
        raise ValueError("write true or false.")
    return text.lower() in ("true", "yes", "1")


def plain_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}", text):
        raise ValueError("write a plain name: letters, digits, dots, - and _.")
    return text


def port(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text) < 2**16:
        raise ValueError("write a port number, for example 8080.")
    return int(text)


def path(text: str) -> Path:
    return Path(text).expanduser().absolute()


def comma_list(text: str) -> tuple[str, ...]:
    return tuple(part.strip().lower() for part in text.split(",") if part.strip())


def positive(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) < 10**9:
        raise ValueError("write a whole number above zero, for example 25.")
    return int(text)


def discord_id(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 2**63:
        raise ValueError("write a Discord id: a long number, copied with Developer Mode on.")
    return int(text)


def discord_ids(text: str) -> tuple[int, ...]:
    return tuple(discord_id(part) for part in comma_list(text))


def weights(text: str) -> dict[str, int]:
    """Role names or ids with their weight, for example `Supporter=3, Moderator=2`; names in lower case."""
    found: dict[str, int] = {}
    for part in comma_list(text):
        role, _, weight = (piece.strip() for piece in part.rpartition("="))
        if not role or not weight.isdecimal() or not 1 <= int(weight) <= MOST_WEIGHT:
            raise ValueError(f"write role=weight with weights of 1 to {MOST_WEIGHT}, for example Supporter=3.")
        found[role] = int(weight)
    return found


def one_of(*words: str) -> Callable[[str], str]:
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


def size_in_bytes(text: str) -> int:
    size = int(_measure(text, SIZES, "500MiB"))
    if size < 1:
        raise ValueError("write a size above zero, for example 500MiB.")
    return size


def size_or_no_bound(text: str) -> int:
    """0 is no bound."""
    return 0 if text == "0" else size_in_bytes(text)


def seconds(text: str) -> float:
    return _measure(text, DURATIONS, "90s or 5m")


def _url(text: str, schemes: tuple[str, ...]) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in schemes or not parts.hostname:
        raise ValueError(f"write a whole address that begins with {' or '.join(f'{scheme}://' for scheme in schemes)}.")
    return text.rstrip("/")


def http_url(text: str) -> str:
    return _url(text, ("https", "http"))


def socket_url(text: str) -> str:
    return _url(text, ("wss", "ws"))
