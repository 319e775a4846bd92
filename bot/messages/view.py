"""What is known of one job, gathered for whatever shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.messages.outages import Elsewhere
from bot.outlook import Outlook
from bot.providers.card import ProviderCard, TrainerCard
from storage.datasets import Dataset
from storage.deliveries import Delivery
from storage.history import StageEvent
from storage.jobs import Job
from storage.outages import Outage
from storage.submissions import Submission


@dataclass(frozen=True, kw_only=True)
class JobView:
    """Everything a card shows. `trainer` is that of a finetune, None when it is not offered any more; `can_attach`
    says whether the provider can be asked for a task by its id; `outlook` is that of a job which waits for its provider
    or is at work there; `outage` is what it waits for, None when it does not, and `elsewhere` who could do it instead.
    """

    job: Job
    events: Sequence[StageEvent]
    provider: ProviderCard
    trainer: TrainerCard | None = None
    dataset: Dataset | None = None
    submissions: Sequence[Submission] = ()
    can_attach: bool = False
    outlook: Outlook | None = None
    deliveries: Sequence[Delivery] = ()
    outage: Outage | None = None
    elsewhere: Elsewhere | None = None
