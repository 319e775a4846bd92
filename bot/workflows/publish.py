"""Publish: a trained model, its card and a few of its pictures in one commit on the Hugging Face Hub.

published → announced
"""

from bot.errors import BadInput, NotFound
from bot.hub.card import PublishedModel, Sample
from bot.hub.hub import Hub
from bot.hub.names import repo_name_for
from bot.pictures.checking import kind_of
from bot.providers.base_models import BY_ID, BaseModel, title_of
from bot.workflows.engine import Json
from bot.workflows.models import model_meant
from bot.workflows.workbench import Workbench
from storage.jobs import Job
from storage.models import Model, find_model, model_published
from storage.pictures import Picture, pictures_of_model
from storage.places import Place
from storage.statuses import JobKind, JobStatus, Stage

PUBLISH = "publish"
SAMPLES = 4
SHOWN_SETTINGS = ("iterations", "learning_rate", "lora_rank", "mode")


class Publish:
    def __init__(self, bench: Workbench, hub: Hub) -> None:
        self._bench = bench
        self._stages = bench.stages
        self._hub = hub
        bench.engine.tell(PUBLISH, bench.endings.with_an_edge(self._tell))

    async def request(self, job_id: str, place: Place, model: str, *, private: bool) -> None:
        """Take a request in; its card appears in the channel. Raises `BadInput`, `NotFound`, `NotYours`."""
        if not self._hub.can_publish:
            raise BadInput("Publishing is switched off here: the bot's operator can set HUGGINGFACE_API_TOKEN.")
        async with self._bench.database.writing() as connection:
            meant = await model_meant(connection, place.person_id, model)
            _base_of(meant)
            if meant.weights_file is None:
                raise BadInput(f"{meant.name} lives at {meant.provider} only: there are no weights to publish.")
            job = Job(
                id=job_id,
                place=place,
                kind=JobKind.PUBLISH,
                status=JobStatus.RUNNING,
                provider="huggingface",
                details={"name": meant.name, "model": meant.id, "private": private},
            )
            if await self._bench.add(connection, job):
                await self._bench.enqueue(connection, job, story=PUBLISH, lane=PUBLISH)

    async def _tell(self, job_id: str) -> None:
        await self._stages.run(job_id, Stage.PUBLISHED, self._publish, can_be_cut_short=True)
        await self._stages.run(job_id, Stage.ANNOUNCED, self._stages.announce)
        await self._stages.finish(job_id)

    async def _publish(self, job: Job) -> Json:
        """The repository is named after the model's own id: publishing a model again adds a commit to it."""
        async with self._bench.database.reading() as connection:
            model = await find_model(connection, job.details["model"])
            pictures = await pictures_of_model(connection, job.details["model"], job.place.person_id, limit=SAMPLES)
        if model is None or model.deleted_ms is not None or model.weights_file is None:
            raise NotFound("That model was deleted: there is nothing to publish.")
        if not self._bench.files.has(model.weights_file):
            raise NotFound("Its weights went missing on our disk: there is nothing to publish.")
        kept = [picture for picture in pictures if self._bench.files.has(picture.file)]
        samples = [self._bench.files.path_of(picture.file) for picture in kept]
        publication = await self._hub.publish(
            repo_name=repo_name_for(model.name, model.id),
            model=_published(model, kept, [kind_of(path) for path in samples]),
            weights=self._bench.files.path_of(model.weights_file),
            sample_files=samples,
            private=job.details["private"],
            job_id=job.id,
        )
        async with self._bench.database.writing() as connection:
            await model_published(connection, model.id, publication.url)
        return {"url": publication.url}


def _published(model: Model, pictures: list[Picture], kinds: list[str]) -> PublishedModel:
    settings = {name.replace("_", " "): model.settings[name] for name in SHOWN_SETTINGS if model.settings.get(name)}
    return PublishedModel(
        name=model.name,
        trigger_word=model.trigger_word,
        base_model=_base_of(model),
        samples=tuple(
            Sample(prompt=picture.prompt, file_name=f"images/sample_{number}.{kind}")
            for number, (picture, kind) in enumerate(zip(pictures, kinds, strict=True), start=1)
        ),
        settings=settings,
    )


def _base_of(model: Model) -> BaseModel:
    base = BY_ID.get(model.base_model)
    if base is None or base.hub_id is None:
        raise BadInput(f"Only FLUX LoRAs can be published, and {model.name} is of {title_of(model.base_model)}.")
    return base
