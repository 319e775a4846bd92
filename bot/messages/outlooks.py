"""How long it will take, in words: a place in line, and times that Discord shows in the reader's own clock."""

from bot.messages.words import moment
from bot.outlook import Outlook


def in_line(position: int) -> str:
    ending = "th" if position % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(position % 10, "th")
    return f"{position:,}{ending} in line"


def waits(outlook: Outlook, position: int) -> str:
    span = _span(outlook)
    return f"**{in_line(position)}**{f' · begins {span}' if span else ''}"


def is_ready(outlook: Outlook) -> str:
    """Empty when nothing can be said."""
    span = _span(outlook)
    return f"ready {span}" if span else ""


def _span(outlook: Outlook) -> str:
    earliest, latest = outlook.earliest_ms, outlook.latest_ms
    if latest is None:
        return ""
    if earliest is None:
        return f"by {moment(latest)}"
    return f"about {moment(latest)}" if earliest == latest else f"{moment(earliest)} to {moment(latest)}"
