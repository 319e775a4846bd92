"""What is known of one job, gathered for whatever shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.advice import CaptionOffer
from bot.datasets.appraising.appraisal import Appraisal
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
from storage.training_sets import TrainingSet


@dataclass(frozen=True, kw_only=True)
class DatasetView:
    """A dataset with what a trainer makes of it. `subject` is what its buttons speak of: the training under review that
    it is shown with, or itself; `offer` is who would write the missing captions; `provider` None where nobody
    trains. A training's card is `public`: it shows no picture that is left out, and its sheet names no file. A private
    card shows all of them, as many at a time as a sheet holds: `page` is which of these, the last when there are fewer.
    """

    subject: str
    dataset: Dataset
    appraisal: Appraisal
    provider: ProviderCard | None
    trainer: TrainerCard
    mode: Mode
    is_public: bool = False
    page: int = 0
    offer: CaptionOffer | None = None


@dataclass(frozen=True, kw_only=True)
class JobView:
    """Everything a card shows."""

    job: Job
    events: Sequence[StageEvent]
    provider: ProviderCard
    trainer: TrainerCard | None = None  # of a finetune; None when it is not offered any more
    dataset: DatasetView | None = None  # of a training under review
    frozen: TrainingSet | None = None  # instead, once it was started: what is changed now changes it no more
    kept_as: str | None = None  # the name of the dataset, while it is there
    addition: Addition | None = None  # what came of an addition
    usual: Spread | None = None  # how long such trainings took here
    submissions: Sequence[Submission] = ()
    can_attach: bool = False  # whether the provider can be asked for a task by its id
    outlook: Outlook | None = None  # of what waits for its provider or is at work there
    deliveries: Sequence[Delivery] = ()
    outage: Outage | None = None  # what it waits for
    elsewhere: Elsewhere | None = None  # who could do it instead
