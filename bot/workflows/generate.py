"""Generate: from a prompt, with a model or without, to pictures in the channel.

received → generating → archived → announced
"""

import logging
import secrets
from dataclasses import asdict, replace
from pathlib import Path

from bot.errors import (
    NotFound,
    OutcomeUnknown,
    ProviderBroken,
    ProviderBusy,
    ProviderDenied,
    ProviderError,
    ProviderGone,
    ProviderModerated,
    ProviderUnpaid,
    ProviderUnreachable,
)
from bot.providers.card import GeneratorCard
from bot.providers.contract import Generates
from bot.providers.tasks import GenerationRequest, ModelInUse
from bot.workflows.choosing import GeneratorChoice
from bot.workflows.collecting import Collector, seed_of
from bot.workflows.deadlines import deadline_of
from bot.workflows.engine import Json
from bot.workflows.reconciliation import Paid
from bot.workflows.references import References
from bot.workflows.requests import SEEDS, GenerateRequest, checked_generation
from bot.workflows.workbench import Workbench, lane_of, weights_key
from storage.jobs import Job
from storage.models import Model, find_model
from storage.places import Place
from storage.statuses import JobKind, JobStatus, Stage

log = logging.getLogger(__name__)

GENERATE = "generate"
ALL_WITHHELD = "The provider's safety check held back every picture: word the prompt differently."


class Generate:
    def __init__(self, bench: Workbench, choice: GeneratorChoice, references: References, collector: Collector) -> None:
        self._bench = bench
        self._database = bench.database
        self._stages = bench.stages
        self._files = bench.files
        self._providers = bench.providers
        self._choice = choice
        self._references = references
        self._collector = collector
        bench.engine.tell(GENERATE, bench.endings.with_an_edge(self._tell))

    async def request(self, job_id: str, place: Place, request: GenerateRequest, *, weight: int = 1) -> None:
        """Take a request in; its card appears in the channel. Raises `BadInput`, `NotFound`, `NotYours`, `TooMany`."""
        async with self._database.writing() as connection:
            model, (provider, generator) = await self._choice.meant(connection, place.person_id, request)
            checked = checked_generation(generator, request, base_model=model.base_model if model else None)
            job = Job(
                id=job_id,
                place=place,
                kind=JobKind.GENERATE,
                status=JobStatus.RUNNING,
                provider=provider.name,
                weight=weight,
                details=_details(checked, model, generator),
            )
            if await self._bench.add(connection, job):
                await self._bench.enqueue(connection, job, story=GENERATE, lane=lane_of(provider.name))

    # The story

    async def _tell(self, job_id: str) -> None:
        received = await self._stages.run(job_id, Stage.RECEIVED, self._receive, can_be_cut_short=True)
        generated = await self._stages.run(
            job_id, Stage.GENERATING, lambda job: self._generate(job, received), can_be_cut_short=True
        )
        await self._stages.run(job_id, Stage.ARCHIVED, lambda job: self._archive(job, generated))
        await self._stages.run(job_id, Stage.ANNOUNCED, self._stages.announce)
        await self._stages.finish(job_id)

    async def _receive(self, job: Job) -> Json:
        """What is needed lies ready; a model deleted since the request was made ends the job here."""
        await self._model_of(job)
        return {"images": await self._references.receive(job)}

    async def _generate(self, job: Job, received: Json) -> Json:
        """One request after the other, so that a job never takes more than one of the provider's places.

        What ends one part costs that part only, unless nothing else is left: the others are paid for.
        """
        generator = self._generator_of(job)
        requests = await self._requests(job, generator, self._references.paths(job, received["images"]))
        made: list[int] = []
        lost: list[ProviderError] = []
        for request in requests:
            try:
                await self._one(job, generator, request, parts=len(requests))
            except (ProviderBusy, ProviderUnreachable):
                raise  # the stage tries again, and finds the earlier parts submitted
            except ProviderError as verdict:
                lost.append(verdict)
                if isinstance(verdict, ProviderUnpaid | ProviderDenied):
                    break
            else:
                made.append(request.part)
        doubt = next((one for one in lost if isinstance(one, OutcomeUnknown)), None)
        if doubt is not None or not made:  # what is made stays made; what is in doubt is its person's to decide
            raise doubt or lost[0]
        return {"parts": made}

    async def _one(self, job: Job, generator: GeneratorCard, request: GenerationRequest, *, parts: int) -> None:
        """Its pictures come to us at once, before the next part is asked for: a provider's links expire."""
        provider, submissions = self._providers.that(job.provider, Generates), self._bench.submissions
        paid = Paid(
            job=job,
            provider=provider,
            request=request,
            submit=lambda: provider.submit_generation(request),
            can_be_found=generator.can_be_found,
            poll_seconds=provider.card.generation_poll_seconds,
            deadline_seconds=await deadline_of(
                self._database, job, Stage.GENERATING, declared_seconds=generator.deadline_seconds
            ),
            part=request.part,
            parts=parts,
        )
        await submissions.wait(paid, await submissions.submit_once(paid))
        try:
            await self._collector.collect(job, request.part)
        except ProviderError as problem:  # the next stage tries again; what is made stays made
            log.info("Job %s: part %d was not fetched at once: %s", job.id, request.part, problem)

    async def request_of(self, job: Job, part: int) -> GenerationRequest:
        """The paid request for that part, without its reference pictures. Raises `NotFound`."""
        return (await self._requests(job, self._generator_of(job), ()))[part]

    async def _requests(self, job: Job, generator: GeneratorCard, images: tuple[Path, ...]) -> list[GenerationRequest]:
        """As many as the generator needs for the count; a seed of its own for each."""
        details, per_request = job.details, int(generator.pictures.highest)
        first = GenerationRequest(
            job_id=job.id,
            part=0,
            generator=generator.id,
            model=await self._model_in_use(job),
            prompt=details["prompt"],
            strength=1.0 if details["strength"] is None else details["strength"],
            aspect_ratio=details["aspect_ratio"],
            count=0,
            seed=details["seed"],
            images=images,
            webhook=self._bench.webhook_for(job.provider, job.id),
        )
        starts = range(0, details["count"], per_request)
        return [
            replace(
                first,
                part=part,
                count=min(per_request, details["count"] - start),
                seed=seed_of(job, part, per_request),
            )
            for part, start in enumerate(starts)
        ]

    async def _model_in_use(self, job: Job) -> ModelInUse | None:
        model = await self._model_of(job)
        if model is None:
            return None
        file = model.weights_file
        link = await self._bench.shared_link(self._files.path_of(file), weights_key(file)) if file else None
        return ModelInUse(
            base_model=model.base_model,
            weights=self._files.path_of(file) if file else None,
            weights_link=link or model.settings.get("public_link"),
            remote=model.remote.get(job.provider, {}),
        )

    async def _archive(self, job: Job, generated: Json) -> Json:
        """Every part's pictures are with us, except those that are gone for good."""
        kept: list[str] = []
        verdict: ProviderError = ProviderBroken("The provider answered with no picture; trying again.")
        for part in generated["parts"]:
            try:
                fetched = await self._collector.collect(job, part)
            except (ProviderModerated, ProviderGone) as lost:  # this part only
                verdict = lost
                continue
            if fetched["withheld"]:
                verdict = ProviderModerated(ALL_WITHHELD)
            kept += fetched["pictures"]
        if not kept:
            raise verdict
        await self._files.clear_work(job.id)
        return {"pictures": kept}

    def _generator_of(self, job: Job) -> GeneratorCard:
        return self._providers.generator_of(job.provider, job.details["generator"])

    async def _model_of(self, job: Job) -> Model | None:
        if job.details["model"] is None:
            return None
        async with self._database.reading() as connection:
            model = await find_model(connection, job.details["model"])
        is_gone = model is None or model.deleted_ms is not None
        if model is None or is_gone or (model.weights_file and not self._files.has(model.weights_file)):
            raise NotFound("That model was deleted: choose another one.")
        return model


def _details(checked: GenerateRequest, model: Model | None, generator: GeneratorCard) -> Json:
    seed = secrets.randbelow(SEEDS) if checked.seed is None else checked.seed
    price = generator.usd_per_picture
    return {
        "prompt": checked.prompt,
        "strength": checked.strength if model is not None else None,
        "aspect_ratio": checked.aspect_ratio,
        "count": checked.count,
        "seed": seed,
        "model": model.id if model else None,
        "name": model.name if model else generator.title,
        "generator": generator.id,
        "uploads": [asdict(image) for image in checked.images],
        "price_usd": None if price is None else price * checked.count,
    }
