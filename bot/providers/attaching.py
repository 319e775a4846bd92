"""What a person copied from a provider's pages, and what proves that it is not a job's: for every `attach`. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from bot.errors import ProviderGone, ProviderRefused

UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
LONGEST_PASTE = 2000
CLOCKS_DIFFER_SECONDS = 900.0
SNOWFLAKE = re.compile(r"[0-9]{15,20}")  # Discord: milliseconds since 2015 and 22 bits more
SNOWFLAKES_BEGIN_MS = 1_420_070_400_000


def id_within(pasted: str, form: str, *, title: str) -> str:
    """The only id of that form in a text, in small letters: bare, in back-ticks, in a link or in a sentence.

    `form` is a regular expression. Raises `ProviderRefused` when there is none or more than one.
    """
    if len(pasted) > LONGEST_PASTE:
        raise ProviderRefused("That is far too long: paste the id of the task alone.")
    alone = re.compile(rf"(?<![\w-])(?:{form})(?![\w-])", re.ASCII | re.IGNORECASE)
    found = {match[0].lower() for match in alone.finditer(pasted)}
    if not found:
        raise ProviderRefused(f"There is no id of a task at {title} in that: copy it from the task's page there.")
    if len(found) > 1:
        raise ProviderRefused("There is more than one id in that: paste the id of the task alone.")
    return found.pop()


def refuse_older(begun_at: float | None, job_id: str, *, title: str) -> None:
    """Raises `ProviderRefused` for a task that was there (epoch seconds) before its job was asked for.

    A job's id is that of a Discord interaction, which holds its moment; of any other id nobody can tell.
    """
    if begun_at is None or not SNOWFLAKE.fullmatch(job_id):
        return
    asked_at = ((int(job_id) >> 22) + SNOWFLAKES_BEGIN_MS) / 1000
    if begun_at < asked_at - CLOCKS_DIFFER_SECONDS:
        raise another(title, "it began before this job was asked for")


def difference(wanted: Mapping[str, Any], said: Mapping[str, Any]) -> str:
    """The first thing of which the provider says something else than was wanted; "" when there is none."""
    return next((name for name in wanted if said.get(name) not in (None, "", wanted[name])), "")


def another(title: str, why: str) -> ProviderRefused:
    """`why` is half a sentence."""
    return ProviderRefused(f"That is another task at {title}: {why}. Look for the one of this job.")


def unknown(title: str, what: str) -> ProviderGone:
    return ProviderGone(f"{title} knows no {what} of that id (any more): check the id and whose account it is in.")
