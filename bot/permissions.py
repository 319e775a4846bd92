"""Who may do what to which row. Pure, and the only place that decides; every workflow and view asks here."""

from enum import StrEnum

from bot.errors import NotYours
from storage.places import Place


class Action(StrEnum):
    USE_MODEL = "use this model"
    CHANGE_MODEL = "change this model"
    SEE_JOB = "see this job"
    CHANGE_JOB = "change this job"


def require(person_id: int, action: Action, place: Place) -> None:
    """Raise `NotYours` unless this person may act on a row that lives at `place`."""
    if person_id != place.person_id:
        raise NotYours(f"Only the person it belongs to may {action}.")
