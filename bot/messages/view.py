"""What is known of one job, gathered for whatever shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.advice import CaptionOffer
from bot.datasets.appraisal import Appraisal
from bot.messages.outages import Elsewhere
from bot.outlook import Outlook, Spread
from bot.providers.card import Mode, ProviderCard, TrainerCard
from storage.dataset_steps import Addition
from storage.datasets import Dataset
from storage.deliveries import Delivery
from storage.history import StageEvent
from storage.jobs import Job
from storage.outages import Outage
from storage.submissions import Submission


@dataclass(frozen=True, kw_only=True)
class DatasetView:
    """A dataset with what a trainer makes of it. `subject` is what its buttons speak of: the training under review that
    it is shown with, or itself; `offer` is who would write the missing captions."""

    subject: str
    dataset: Dataset
    appraisal: Appraisal
    provider: ProviderCard
    trainer: TrainerCard
    mode: Mode
    offer: CaptionOffer | None = None


@dataclass(frozen=True, kw_only=True)
class JobView:
    """Everything a card shows. `dataset` is that of a training under review, `kept_as` the name of any job's dataset
    that is still there; `addition` what came of an addition; `usual` how long such trainings took here. `trainer` is
    that of a finetune, None when it is not offered any more; `can_attach` says whether the provider can be asked for a
    task by its id; `outlook` is that of a job which waits for its provider or is at work there; `outage` is what it
    waits for, None when it does not, and `elsewhere` who could do it instead.
    """

    job: Job
    events: Sequence[StageEvent]
    provider: ProviderCard
    trainer: TrainerCard | None = None
    dataset: DatasetView | None = None
    addition: Addition | None = None
    usual: Spread | None = None
    kept_as: str | None = None
    submissions: Sequence[Submission] = ()
    can_attach: bool = False
    outlook: Outlook | None = None
    deliveries: Sequence[Delivery] = ()
    outage: Outage | None = None
    elsewhere: Elsewhere | None = None
