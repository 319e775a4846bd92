"""A training or prediction that a person found at Replicate, held against what its job asked for."""

from collections.abc import Mapping
from typing import Any

from bot.errors import ProviderGone, ProviderRefused
from bot.providers.attaching import another, id_within, refuse_older, unknown
from bot.providers.replicate.cards import TITLE
from bot.providers.replicate.replies import Record, record, version_of
from bot.providers.replicate.requests import (
    Prepared,
    Version,
    chosen_input,
    is_same_input,
    lies_elsewhere,
    recognised_input,
)
from bot.providers.tasks import GenerationRequest, TrainingRequest
from bot.providers.wire import Wire

ID = r"[a-z0-9]{26}"  # every id in replicate.openapi.json; its pages are replicate.com/p/<id>


def id_in(pasted: str) -> str:
    """Raises `ProviderRefused`."""
    return id_within(pasted, ID, title=TITLE)


def kind_of(request: TrainingRequest | GenerationRequest) -> str:
    """The list that its tasks are in."""
    return "trainings" if isinstance(request, TrainingRequest) else "predictions"


async def read_task(wire: Wire, request: TrainingRequest | GenerationRequest, task_id: str) -> Record:
    """Raises `ProviderGone` for what the key's account does not have, `ProviderRefused` for another's task."""
    if isinstance(request, TrainingRequest) and not request.prepared:
        raise ProviderRefused("This training never came as far as Replicate: nothing there can be its task.")
    kind = kind_of(request)
    try:
        found = record((await wire.read(f"{kind}/{task_id}")).json())
    except ProviderGone:
        raise unknown(TITLE, kind.removesuffix("s")) from None
    refuse_older(found.created_at, request.job_id, title=TITLE)
    if why := why_another(found, request):
        raise another(TITLE, why)
    return found


def why_another(found: Record, request: TrainingRequest | GenerationRequest) -> str:
    """Half a sentence; "" when nothing that Replicate says speaks against it. What it removed says nothing. Pure."""
    return _of_training(found, request) if isinstance(request, TrainingRequest) else _of_generation(found, request)


def _of_training(found: Record, request: TrainingRequest) -> str:
    prepared = Prepared.of(request.prepared)
    if found.version and found.version != prepared.version:
        return "another version or another trainer was used"
    if (trained := version_of(found)) and not trained.startswith(f"{prepared.destination}:"):
        return "it trained another model"
    return _differing(recognised_input(prepared, request), found.input)


def _of_generation(found: Record, request: GenerationRequest) -> str:
    version = Version.of(request.model.remote).id if request.model else ""
    if version and found.version and found.version != version:
        return "another model made it"
    if not version and found.model and found.model != request.generator:
        return "another generator made it"
    return _differing(chosen_input(request), found.input)


def _differing(wanted: Mapping[str, Any], listed: Mapping[str, Any]) -> str:
    for name, value in wanted.items():
        if name not in listed or (name == "input_images" and lies_elsewhere(wanted, listed)):
            continue
        if not is_same_input({name: value}, listed):
            return f"its {name} is not what was asked for"
    return ""
