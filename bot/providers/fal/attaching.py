"""A request that a person found at fal.ai, held against what its job asked for."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from bot.errors import ProviderBroken, ProviderGone, ProviderModerated, ProviderRefused
from bot.providers.attaching import UUID, another, difference, id_within, unknown
from bot.providers.fal import replies, requests
from bot.providers.fal.cards import CARD
from bot.providers.tasks import Finished, GenerationRequest, Task, TrainingRequest
from bot.providers.wire import Wire

WEIGHTS = ("diffusers_lora_file", "lora_file")


def id_in(pasted: str) -> str:
    """Raises `ProviderRefused`."""
    return id_within(pasted, UUID, title=CARD.title)


async def found(
    queue: Wire, results: Wire, *, api_url: str, request: TrainingRequest | GenerationRequest, request_id: str
) -> Task:
    """fal knows a request below its app only, so one of another app is not found (`ProviderGone`).

    Endpoints of one app share their addresses, and a status says nothing of what was asked: only a result does.
    """
    links = requests.links_of(api_url, endpoint_of(request), request_id)
    try:
        status = (await queue.read(links["status_url"])).json()
    except ProviderGone:
        raise unknown(CARD.title, f"request to {endpoint_of(request)}") from None
    task = Task(id=request_id, links={**links, **replies.links_in(status)})
    if isinstance(replies.state_of(status), Finished):
        with suppress(ProviderBroken, ProviderGone, ProviderModerated):  # how it failed is for `check` to say
            result = await _result(results, task)
            if why := why_another(result, request):
                raise another(CARD.title, why)
    return task


def endpoint_of(request: TrainingRequest | GenerationRequest) -> str:
    """One that fal is known for: it becomes part of an address. Raises `ProviderRefused`."""
    endpoint = request.trainer if isinstance(request, TrainingRequest) else request.generator
    if CARD.trainer(endpoint) is None and CARD.generator(endpoint) is None:
        raise ProviderRefused(f"{CARD.title} has nothing of that name: nothing there can be this job's.")
    return endpoint


def why_another(result: Mapping[str, Any], request: TrainingRequest | GenerationRequest) -> str:
    """Half a sentence; "" when nothing in the result speaks against it. Pure."""
    if isinstance(request, TrainingRequest):
        return "it made pictures and trained nothing" if "images" in result else ""
    if any(name in result for name in WEIGHTS):
        return "it is a training"
    differing = difference({"seed": request.seed, "prompt": request.prompt}, result)
    return f"its {differing} is not what was asked for" if differing else ""


async def _result(results: Wire, task: Task) -> Mapping[str, Any]:
    """Empty for a refusal in its place."""
    try:
        body = (await results.read(task.links["response_url"])).json()
    except ProviderRefused:
        return {}
    return body if isinstance(body, dict) else {}
