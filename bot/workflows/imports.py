"""Import: a LoRA that exists somewhere becomes a model here, after it has been looked at.

received → verified → announced
"""

import asyncio
import re
from dataclasses import dataclass, replace
from typing import Literal

from bot.addresses import AddressRefused, AllowedHosts
from bot.errors import BadInput
from bot.hub.hub import Hub
from bot.providers.base_models import BY_ID
from bot.providers.contract import Imports
from bot.providers.disk import results_written
from bot.providers.weights import LARGEST_WEIGHTS, WeightsRefused, check_lora
from bot.providers.wire import Wire
from bot.workflows.engine import Json
from bot.workflows.models import reachable_by
from bot.workflows.requests import checked_name, checked_trigger_word
from bot.workflows.workbench import Workbench, weights_key
from storage.jobs import Job
from storage.models import Model, add_model, find_model, model_named
from storage.places import Place
from storage.statuses import JobKind, JobStatus, Stage

IMPORT = "import"
NOT_KEPT_YET = "0" * 64
REPOSITORY = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")
PROVIDER_REFERENCE = re.compile(r"([a-z]{2,20}):([\w./-]{1,200})")
HUB_PAGE = re.compile(r"https://huggingface\.co/([\w.-]{1,96}/[\w.-]{1,96})/?(?:tree/main/?)?")
WEIGHTS_TYPES = ("application/", "binary/")
NO_SOURCE = (
    "Name a Hugging Face repository (owner/name), a link to a .safetensors file, or a finetune that exists at a "
    "provider (bfl:its-name)."
)


@dataclass(frozen=True, kw_only=True)
class ImportRequest:
    source: str
    base_model: str
    trigger_word: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the LoRA is: a `repository` of the Hub, a `link`, or what a `provider` calls it."""

    kind: Literal["repository", "link", "provider"]
    reference: str
    provider: str = ""


class Import:
    """`wire` fetches weights from `hosts` and nowhere else, without any key."""

    def __init__(self, bench: Workbench, *, hub: Hub, wire: Wire, hosts: AllowedHosts) -> None:
        self._bench = bench
        self._stages = bench.stages
        self._hub = hub
        self._wire = wire
        self._hosts = hosts
        bench.engine.tell(IMPORT, bench.endings.with_an_edge(self._tell))

    async def request(self, job_id: str, place: Place, request: ImportRequest) -> None:
        """Take a request in; its card appears in the channel. Raises `BadInput`."""
        source = self._checked_source(request.source)
        if request.base_model not in BY_ID:
            raise BadInput("Choose the base model that this LoRA was trained on from the list.")
        if not any(request.base_model in generator.base_models for _, generator in self._bench.providers.generators()):
            raise BadInput(self._bench.providers.why_no_generator(request.base_model))
        name = checked_name(request.name)
        job = Job(
            id=job_id,
            place=place,
            kind=JobKind.IMPORT,
            status=JobStatus.RUNNING,
            provider=source.provider or "huggingface",
            details={
                "name": name,
                "source": request.source.strip(),
                "base_model": request.base_model,
                "trigger_word": checked_trigger_word(request.trigger_word),
            },
        )
        async with self._bench.database.writing() as connection:
            if await model_named(connection, place.person_id, name) is not None:
                raise BadInput(f"You already have a model called {name}: choose another name.")
            if await self._bench.add(connection, job):
                await self._bench.enqueue(connection, job, story=IMPORT, lane=IMPORT)

    def _checked_source(self, text: str) -> Source:
        source = source_meant(text)
        if source.kind == "link":
            try:
                self._hosts.host_of(source.reference)
            except AddressRefused as problem:
                raise BadInput(
                    f"I do not fetch from there ({problem}): put the file on the Hugging Face Hub, or ask the bot's "
                    "operator to add its host to ALLOWED_DOWNLOAD_HOSTS."
                ) from None
        if source.kind == "provider":
            provider = self._bench.providers.find(source.provider)
            if not isinstance(provider, Imports):
                raise BadInput(f"Nothing can be imported from {source.provider} here. {NO_SOURCE}")
        return source

    # The story

    async def _tell(self, job_id: str) -> None:
        received = await self._stages.run(job_id, Stage.RECEIVED, self._receive, can_be_cut_short=True)
        await self._stages.run(job_id, Stage.VERIFIED, lambda job: self._verify(job, received))
        await self._stages.run(job_id, Stage.ANNOUNCED, self._stages.announce)
        await self._stages.finish(job_id)

    async def _receive(self, job: Job) -> Json:
        """The provider is asked, or the file lies in the job's work folder."""
        source = source_meant(job.details["source"])
        if source.kind == "provider":
            provider = self._bench.providers.that(source.provider, Imports)
            return {"remote": dict(await provider.look_up(source.reference, job.details["base_model"]))}
        is_link, base_model = source.kind == "link", job.details["base_model"]
        link = source.reference if is_link else await self._in_repository(source.reference, base_model)
        path = await self._bench.files.empty_work_folder(job.id) / "weights"
        await self._wire.download(link, path, max_bytes=LARGEST_WEIGHTS, types=WEIGHTS_TYPES)
        return {"public_link": link}

    async def _in_repository(self, repository: str, base_model: str) -> str:
        """The link to its LoRA. What only the bot's own token may read is nobody's to import."""
        found = await self._hub.lora_file(repository)
        if found.private:
            raise BadInput(f"{repository} is private or gated: only public repositories can be imported.")
        said = next((base for base in BY_ID.values() if base.hub_id and base.hub_id == found.base_model), None)
        if said is not None and said.hub_id != BY_ID[base_model].hub_id:
            raise BadInput(f"{repository} says that it belongs to {said.title}: choose that base model.")
        return found.url

    async def _verify(self, job: Job, received: Json) -> Json:
        """Nothing is saved that could not be used: the file is a LoRA, and somebody here generates with it."""
        async with self._bench.database.reading() as connection:
            is_stored = await find_model(connection, job.id) is not None  # a crash came between the row and this step
        if not is_stored:
            has_storage = self._bench.objects is not None
            model = self._model(job, received, weights_file=None if "remote" in received else NOT_KEPT_YET)
            if not reachable_by(self._bench.providers, model, has_object_storage=has_storage):
                raise BadInput(
                    self._bench.providers.why_no_generator(model.base_model, has_file=model.weights_file is not None)
                )
            if model.weights_file is not None:
                model = replace(model, weights_file=await self._keep(job))
            async with self._bench.database.writing() as connection:
                await add_model(connection, model)
        await self._bench.files.clear_work(job.id)
        return {}

    def _model(self, job: Job, received: Json, *, weights_file: str | None) -> Model:
        details = job.details
        link = received.get("public_link", "")
        return Model(
            id=job.id,
            place=job.place,
            name=details["name"],
            job_id=job.id,
            training_set_id=None,
            provider=job.provider,
            base_model=details["base_model"],
            trigger_word=details["trigger_word"],
            settings={"source": details["source"], **({"public_link": link} if link else {})},
            weights_file=weights_file,
            remote={job.provider: received["remote"]} if "remote" in received else {},
        )

    async def _keep(self, job: Job) -> str:
        path = self._bench.files.work_folder(job.id) / "weights"
        if not path.is_file():
            raise BadInput("The file went missing on our disk: please import it again.")
        try:
            await asyncio.to_thread(check_lora, path)
        except WeightsRefused as problem:
            raise BadInput(f"These weights cannot be used: {problem}.") from None
        with results_written():
            weights_file = await self._bench.files.keep(path)
        await self._bench.share_if_possible(self._bench.files.path_of(weights_file), weights_key(weights_file))
        return weights_file


def source_meant(text: str) -> Source:
    """Raises `BadInput` with what can be named."""
    text = text.strip()
    if page := HUB_PAGE.fullmatch(text):
        return Source(kind="repository", reference=page[1])
    if text.startswith("https://huggingface.co/"):  # what the browser shows, and the file behind it
        text = text.replace("/blob/", "/resolve/", 1)
    if text.startswith(("https://", "http://")):
        return Source(kind="link", reference=text)
    if named := PROVIDER_REFERENCE.fullmatch(text):
        return Source(kind="provider", provider=named[1], reference=named[2])
    if REPOSITORY.fullmatch(text):
        return Source(kind="repository", reference=text)
    raise BadInput(NO_SOURCE)
