"""What every provider promises. Workflows speak to this and to nothing behind it.

A provider is data (`ProviderCard`) plus the abilities it implements; `abilities_of` reads them off the class, so that
nothing can be declared and missing. Submitting may cost money, so it is never repeated blindly.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from bot.providers.card import ProviderCard
from bot.providers.tasks import (
    Balance,
    FetchedPictures,
    GenerationRequest,
    Task,
    TaskState,
    TrainedWeights,
    TrainingRequest,
)


class Ability(StrEnum):
    TRAIN = "train"
    GENERATE_WITH_MODEL = "generate with a model"
    GENERATE = "generate without a model"
    CAPTION = "caption"
    CANCEL = "cancel"
    LIST = "list"
    ATTACH = "attach"
    BALANCE = "balance"
    DELETE = "delete"
    IMPORT = "import"
    WEBHOOK = "webhook"


@runtime_checkable
class Provider(Protocol):
    """Every call of every ability raises only `ProviderError`s."""

    @property
    def card(self) -> ProviderCard:
        """Data; it may change when `refresh` finds that something is retired."""
        ...

    async def refresh(self) -> None:
        """Read what is stable for a while (key, account, offered models) again, when it is due."""

    async def check(self, task: Task) -> TaskState: ...

    async def close(self) -> None: ...


@runtime_checkable
class Trains(Provider, Protocol):
    async def prepare_training(self, request: TrainingRequest) -> Mapping[str, Any]:
        """Whatever must be there before and costs nothing; repeating it is harmless. The answer is stored as JSON."""

    async def submit_training(self, request: TrainingRequest) -> Task:
        """Paid. `ProviderBusy` only when certainly not accepted; `OutcomeUnknown` when nobody can say."""

    async def fetch_weights(self, task: Task, into: Path) -> TrainedWeights:
        """Write the trained weights below `into`, or answer what the provider calls them when it alone has them."""

    async def tidy_training(self, prepared: Mapping[str, Any]) -> None:
        """Remove what `prepare_training` uploaded, however the training ended; what is gone already is no error."""


@runtime_checkable
class Generates(Provider, Protocol):
    async def submit_generation(self, request: GenerationRequest) -> Task:
        """Paid. `ProviderBusy` only when certainly not accepted; `OutcomeUnknown` when nobody can say."""

    async def fetch_pictures(self, task: Task, into: Path) -> FetchedPictures:
        """Write the finished pictures below `into`, in order."""


@runtime_checkable
class Lists(Provider, Protocol):
    async def find(self, request: TrainingRequest | GenerationRequest, *, since: float) -> Sequence[Task]:
        """Tasks submitted since that moment (epoch seconds) that are this request, newest first.

        Also of a job that was cancelled meanwhile: no file of the request is opened (`dataset`, `weights`, `images`),
        and its links may be missing. Each provider says which fields it reads.
        """


@runtime_checkable
class Attaches(Provider, Protocol):
    async def attach(self, request: TrainingRequest | GenerationRequest, task_id: str) -> Task:
        """The task that a person found at the provider, as `submit_*` would have answered it. Pays nothing.

        `task_id` is what was pasted: the id, alone or in a link, in back-ticks, in a sentence. Raises `ProviderGone`
        when there is no such task, `ProviderRefused` when it cannot be this request's, and, before anything is sent,
        when no id of this provider's form is in it.
        """


@runtime_checkable
class Cancels(Provider, Protocol):
    async def cancel(self, task: Task) -> bool:
        """Ask the task to stop; False when it had already ended or cannot be stopped."""


@runtime_checkable
class Balances(Provider, Protocol):
    async def balance(self) -> Balance: ...


@runtime_checkable
class Deletes(Provider, Protocol):
    async def delete_model(self, remote: Mapping[str, str]) -> None:
        """Remove the trained model there; one that is gone already is no error."""


@runtime_checkable
class Captions(Provider, Protocol):
    async def caption(self, picture: Path) -> str:
        """A line of plain text that describes the picture: a PNG or JPEG of ours, of at most 20 MiB.

        May be paid. `ProviderBusy` and `ProviderUnreachable` only when certainly nothing was accepted, `OutcomeUnknown`
        when nobody can say; whatever else is raised, another call is another request. `ProviderRefused`, before
        anything is sent, for a file that is too large, no picture or gone.
        """


@runtime_checkable
class Imports(Provider, Protocol):
    async def look_up(self, reference: str, base_model: str) -> Mapping[str, str]:
        """`ModelInUse.remote` of a model that exists there; raises `ProviderGone` when it does not."""


@runtime_checkable
class Knocks(Provider, Protocol):
    async def check_webhook(self, headers: Mapping[str, str], body: bytes, *, secret: str, now: float) -> str:
        """Prove that a delivery is genuine; answers its id, for replay protection. Raises `NotGenuine`."""


def abilities_of(provider: Provider) -> frozenset[Ability]:
    """Read off the class and the card, so that they are true."""
    card = provider.card
    pairs = (
        (Ability.TRAIN, isinstance(provider, Trains) and any(not t.retired for t in card.trainers)),
        (Ability.GENERATE_WITH_MODEL, isinstance(provider, Generates) and any(g.base_models for g in card.generators)),
        (Ability.GENERATE, isinstance(provider, Generates) and any(not g.needs_model for g in card.generators)),
        (Ability.CAPTION, isinstance(provider, Captions) and card.captioner is not None),
        (Ability.CANCEL, isinstance(provider, Cancels)),
        (Ability.LIST, isinstance(provider, Lists)),
        (Ability.ATTACH, isinstance(provider, Attaches)),
        (Ability.BALANCE, isinstance(provider, Balances)),
        (Ability.DELETE, isinstance(provider, Deletes)),
        (Ability.IMPORT, isinstance(provider, Imports)),
        (Ability.WEBHOOK, isinstance(provider, Knocks)),
    )
    return frozenset(ability for ability, has in pairs if has)
