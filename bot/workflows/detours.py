"""Ways around a provider that is out: who else could do a job that waits for it, and with which parameters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import takewhile
from typing import Any

from bot.errors import BadInput
from bot.providers.card import GeneratorCard, ProviderCard, Range, TrainerCard
from bot.providers.registry import Providers
from bot.workflows.handover import way_to
from bot.workflows.models import reachable_by
from bot.workflows.requests import default_settings
from storage.database import Connection, Database
from storage.files import Files
from storage.jobs import Job
from storage.models import find_model
from storage.outages import Outage, current_outage, providers_out
from storage.statuses import WAIT_FOR_PROVIDERS, JobKind, JobStatus
from storage.submissions import submissions_of
from storage.training_sets import find_training_set

Details = dict[str, Any]
Way = tuple[ProviderCard, GeneratorCard | TrainerCard]


@dataclass(frozen=True, kw_only=True)
class Detour:
    """`details` are the job's at this provider; those that `changed` are [before, now] by their names."""

    provider: ProviderCard
    does: GeneratorCard | TrainerCard
    details: Details

    @property
    def changed(self) -> Mapping[str, Sequence[Any]]:
        return dict(self.details["changed"])


class Detours:
    def __init__(self, *, database: Database, providers: Providers, files: Files, has_object_storage: bool) -> None:
        self._database = database
        self._providers = providers
        self._files = files
        self._has_object_storage = has_object_storage

    async def held_up(self, job: Job) -> tuple[Outage | None, Way | None]:
        """The outage that this job waits for, and the best way around it; None for what there is not."""
        if job.status is not JobStatus.RUNNING or job.kind not in WAIT_FOR_PROVIDERS:
            return None, None
        async with self._database.reading() as connection:
            outage = await current_outage(connection, job.provider)
            if outage is None or not outage.is_open:
                return None, None
            is_there = any(one.verdict is None for one in await submissions_of(connection, job.id))
            if is_there:
                return (outage if job.held_ms is not None else None), None
            ways = await self.around(connection, job)
        return outage, (ways[0].provider, ways[0].does) if ways else None

    async def around(self, connection: Connection, job: Job) -> list[Detour]:
        """The one that changes least comes first. A stand-in for FLUX is no way around FLUX."""
        if job.kind not in (JobKind.FINETUNE, JobKind.GENERATE):
            return []
        out = await providers_out(connection)
        is_real = not self._providers.card_of(job.provider).notice
        find = self._trainers if job.kind is JobKind.FINETUNE else self._generators
        return [
            detour
            for detour in await find(connection, job)
            if detour.provider.name not in (job.provider, *out) and not (is_real and detour.provider.notice)
        ]

    async def _generators(self, connection: Connection, job: Job) -> list[Detour]:
        if job.details["model"] is None:
            offered = self._providers.generators_without_model()
        else:
            model = await find_model(connection, job.details["model"])
            if model is None or model.deleted_ms is not None:
                return []
            offered = reachable_by(self._providers, model, has_object_storage=self._has_object_storage)
        now = self._providers.card_of(job.provider).generator(job.details["generator"])
        detours = [
            Detour(provider=provider, does=generator, details=_generation_at(generator, job.details))
            for provider, generator in offered
            if _takes(generator, job.details)
        ]
        return sorted(detours, key=lambda detour: (len(detour.changed), -_likeness(detour.does, now)))

    async def _trainers(self, connection: Connection, job: Job) -> list[Detour]:
        now = self._providers.card_of(job.provider).trainer(job.details["trainer"])
        training_set = await find_training_set(connection, job.id)
        prepared = training_set.prepared_file if training_set else None
        if now is None or training_set is None or prepared is None or not self._files.has(prepared):
            return []
        size = self._files.path_of(prepared).stat().st_size
        return [
            Detour(provider=provider, does=trainer, details=details)
            for provider, trainer in self._providers.trainers()
            if trainer.base_model == now.base_model
            and trainer.image_count.holds(len(training_set.images))
            and way_to(trainer, size, has_object_storage=self._has_object_storage) is not None
            for details in _training_at(trainer, job.details)
        ]


def _takes(generator: GeneratorCard, details: Mapping[str, Any]) -> bool:
    """What cannot be put right without making another picture of it."""
    return (
        len(details["uploads"]) <= generator.reference_images
        and len(details["prompt"]) <= generator.prompt_characters
        and bool(generator.aspect_ratios)
    )


def _generation_at(generator: GeneratorCard, details: Mapping[str, Any]) -> Details:
    """The same parameters, and the nearest of those that this generator does not know."""
    ratio = _nearest_ratio(details["aspect_ratio"], generator.aspect_ratios)
    strength = _nearest(details["strength"], generator.strength)
    found = {"aspect_ratio": ratio, "strength": strength}
    changed = {name: [details[name], value] for name, value in found.items() if value != details[name]}
    price = generator.usd_per_picture
    return {
        **details,
        **found,
        "generator": generator.id,
        "name": details["name"] if details["model"] else generator.title,
        "price_usd": None if price is None else price * details["count"],
        "changed": changed,
    }


def _training_at(trainer: TrainerCard, details: Mapping[str, Any]) -> Iterator[Details]:
    """This trainer's own settings; none when it does not know what should be learnt."""
    settings = details["settings"]
    try:
        new = default_settings(trainer, trigger_word=settings["trigger_word"], mode=settings["mode"])
    except BadInput:
        return
    if trainer.describes_pictures:
        new = replace(new, captioning=settings["captioning"])
    kept = {name: value for name, value in details.items() if name != "prepared"}
    yield {**kept, "trainer": trainer.id, "settings": asdict(new), "changed": {}}


def _nearest(value: float | None, allowed: Range | None) -> float | None:
    if value is None or allowed is None:
        return value
    return min(max(value, allowed.lowest), allowed.highest)


def _nearest_ratio(wished: str, known: Sequence[str]) -> str:
    if wished in known:
        return wished
    shape = _shape(wished)
    return min(known, key=lambda ratio: abs(_shape(ratio) - shape))


def _shape(ratio: str) -> float:
    """Width by height; a word is far from every number."""
    width, _, height = ratio.partition(":")
    is_number = width.isdecimal() and height.isdecimal() and int(height) > 0
    return int(width) / int(height) if is_number else float("1e9")


def _likeness(one: GeneratorCard | TrainerCard, other: GeneratorCard | None) -> int:
    """How much of their titles is the same: FLUX.1 [dev] is nearer to FLUX.1 [dev] LoRA than to FLUX.2 [pro]."""
    if other is None:
        return 0
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one.title, other.title, strict=False)))
