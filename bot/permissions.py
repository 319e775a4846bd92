"""Who may do what to which row. Pure, and the only place that decides; every workflow and view asks here."""

from dataclasses import dataclass
from enum import StrEnum

from bot.errors import NotFound, NotYours
from storage.datasets import Dataset
from storage.places import DIRECT_MESSAGE, Place


class Action(StrEnum):
    USE_MODEL = "use this model"
    CHANGE_MODEL = "change this model"
    CHANGE_DATASET = "see and change this dataset"
    SEE_JOB = "see this job"
    CHANGE_JOB = "change this job"
    DECIDE_JOB = "decide about this job"


@dataclass(frozen=True, kw_only=True)
class Asker:
    """A person, the server whose settings they may manage and ask from, and whether they operate the whole bot."""

    person_id: int
    manages_server: int | None = None
    operates: bool = False


def require(person_id: int, action: Action, place: Place) -> None:
    """Raise `NotYours` unless this person may act on a row that lives at `place`."""
    if person_id != place.person_id:
        raise NotYours(f"Only the person it belongs to may {action}.")


def own_dataset(dataset: Dataset | None, person_id: int) -> Dataset:
    """A dataset that is there is its person's alone. Raises `NotFound`, `NotYours`."""
    if dataset is None:
        raise NotFound("That dataset is gone: /dataset list shows those you have.")
    require(person_id, Action.CHANGE_DATASET, dataset.place)
    return dataset


def require_sight(asker: Asker, place: Place) -> None:
    """A job is seen by its person, by who manages its server, and by who operates the bot."""
    manages = asker.manages_server is not None and asker.manages_server == place.server_id != DIRECT_MESSAGE
    if not (manages or asker.operates):
        require(asker.person_id, Action.SEE_JOB, place)


def require_decision(asker: Asker, place: Place) -> None:
    """What an unanswered paid request came to, its person may say, and who operates the bot and sees the bill."""
    if not asker.operates:
        require(asker.person_id, Action.DECIDE_JOB, place)
