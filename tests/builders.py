"""Values for tests: sensible by default, changed by keyword."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from bot.advice import appraisal_of
from bot.datasets.measuring.measures import measure
from bot.messages.view import DatasetView
from bot.providers.card import (
    CaptionRule,
    FinetuneType,
    GeneratorCard,
    Handover,
    Mode,
    ModelBy,
    Price,
    Priority,
    ProviderCard,
    Range,
    TrainerCard,
)
from bot.settings import Settings, read_settings
from storage.database import Connection
from storage.dataset_steps import add_images, change_images
from storage.datasets import Dataset, DatasetImage, create_dataset, find_dataset
from storage.jobs import Job
from storage.models import Model
from storage.places import Place
from storage.statuses import DatasetAct, JobKind, JobStatus
from storage.submissions import Submission
from storage.training_sets import TrainingImage, TrainingSet
from tests.dataset_files import photo

PLACE = Place(server_id=11, channel_id=22, person_id=33)
TRAINING_SETTINGS = {
    "trigger_word": "ohwx",
    "mode": "style",
    "iterations": 300,
    "learning_rate": None,
    "captioning": True,
    "priority": "quality",
    "finetune_type": "lora",
    "lora_rank": 32,
}
GENERATION = {
    "prompt": "a fox in snow",
    "strength": 1.0,
    "aspect_ratio": "1:1",
    "count": 2,
    "seed": 7,
    "generator": "generator",
    "uploads": [],
    "price_usd": 0.04,
}
TRAINER = TrainerCard(
    id="trainer",
    title="Fake trainer",
    base_model="flux-fake",
    image_count=Range(lowest=4, highest=50, default=10),
    advised_images=(4, 50),
    advised_side=512,
    iterations=Range(lowest=100, highest=1000, default=300),
    learning_rate=Range(lowest=1e-6, highest=5e-3, default=1e-4),
    lora_ranks=(32, 16),
    modes=tuple(Mode),
    priorities=(Priority.QUALITY, Priority.SPEED),
    finetune_types=(FinetuneType.LORA, FinetuneType.FULL),
    captions=CaptionRule.DESCRIBED,
    trigger_in_captions=False,
    handover=((Handover.FILE, 2**30),),
    price=Price(once=1.5),
    usual_seconds=600,
    deadline_seconds=30,
    can_be_found=True,
)
GENERATOR = GeneratorCard(
    id="generator",
    title="Fake generator",
    base_models=("flux-fake",),
    needs_model=True,
    strength=Range(lowest=0, highest=2, default=1),
    aspect_ratios=("1:1", "16:9"),
    pictures=Range(lowest=1, highest=4, default=1),
    prompt_characters=2000,
    has_seed=True,
    reference_images=0,
    usd_per_picture=0.02,
    deadline_seconds=30,
    can_be_found=True,
    model_by=(ModelBy.FILE,),
)
CARD = ProviderCard(
    name="fake",
    title="Fake provider",
    notice="",
    trainers=(TRAINER,),
    generators=(GENERATOR,),
    concurrent_jobs=4,
    submissions_per_minute=None,
    training_poll_seconds=0.01,
    generation_poll_seconds=0.01,
)


def finetune_job(**changes: Any) -> Job:
    job = Job(
        id="1001",
        place=PLACE,
        kind=JobKind.FINETUNE,
        status=JobStatus.PREPARING,
        provider="fake",
        details={"name": "Luna", "trainer": "trainer", "settings": TRAINING_SETTINGS, "uploads": []},
    )
    job = replace(job, **changes)
    return job if "dataset" in job.details else replace(job, details={**job.details, "dataset": job.id, "is_new": True})


def finetune_submission(**changes: Any) -> Submission:
    values: dict[str, Any] = {
        "job_id": "1001",
        "part": 0,
        "round": 0,
        "provider": CARD.name,
        "intended_ms": 1_700_000_000_000,
        "accepted_ms": 1_700_000_001_000,
        "remote_id": "task-1",
        "links": {},
        "finished_ms": None,
        "fetched": None,
        "verdict": None,
        "verdict_sentence": "",
    }
    return Submission(**{**values, **changes})


def generate_job(**changes: Any) -> Job:
    job = Job(
        id="2002",
        place=PLACE,
        kind=JobKind.GENERATE,
        status=JobStatus.RUNNING,
        provider="fake",
        details={"name": "Luna", "model": "1001", **GENERATION},
    )
    return replace(job, **changes)


def import_job(**changes: Any) -> Job:
    job = Job(
        id="3003",
        place=PLACE,
        kind=JobKind.IMPORT,
        status=JobStatus.RUNNING,
        provider="huggingface",
        details={"name": "Luna", "source": "ann/luna", "base_model": "flux.1-dev", "trigger_word": "ohwx"},
    )
    return replace(job, **changes)


def publish_job(**changes: Any) -> Job:
    job = Job(
        id="4004",
        place=PLACE,
        kind=JobKind.PUBLISH,
        status=JobStatus.RUNNING,
        provider="huggingface",
        details={"name": "Luna", "model": "1001", "private": True},
    )
    return replace(job, **changes)


def add_job(**changes: Any) -> Job:
    upload = {"url": "https://cdn.discordapp.com/a.jpg", "name": "a.jpg", "size_bytes": 1000}
    job = Job(
        id="5005",
        place=PLACE,
        kind=JobKind.ADD,
        status=JobStatus.PREPARING,
        provider="atelier",
        details={"name": "Luna", "dataset": "1001", "is_new": False, "uploads": [upload, upload]},
    )
    return replace(job, **changes)


def caption_job(**changes: Any) -> Job:
    job = Job(
        id="6006",
        place=PLACE,
        kind=JobKind.CAPTION,
        status=JobStatus.RUNNING,
        provider="fake",
        details={"name": "Luna", "dataset": "1001", "count": 4, "price_usd": 0.04},
    )
    return replace(job, **changes)


@cache
def measures_of(number: int) -> Mapping[str, Any]:
    """Those of a drawn picture, each another one."""
    return measure(photo(number)).to_json()


async def store_dataset(connection: Connection, value: Dataset) -> None:
    """As an addition by the job of the same id left it; then its person left out what is not in."""
    await create_dataset(connection, value.id, value.place, value.name)
    empty = replace(value, images=())
    await add_images(connection, empty, value.images, left_out=value.left_out, job_id=value.id)
    if out := {image.number: {"is_in": False} for image in value.images if not image.is_in}:
        stored = await find_dataset(connection, value.id)
        assert stored is not None
        await change_images(connection, stored, DatasetAct.LEAVE_OUT, out)


def dataset_image(number: int, **changes: Any) -> DatasetImage:
    value = DatasetImage(
        number=number,
        name=f"{number}.jpg",
        file=f"{number:064x}",
        width=1024,
        height=768,
        original_width=1024,
        original_height=768,
        size_bytes=100_000,
        measures=measures_of(number),
    )
    return replace(value, **changes)


def dataset(**changes: Any) -> Dataset:
    value = Dataset(
        id="1001",
        place=PLACE,
        name="Luna",
        images=tuple(dataset_image(number) for number in range(1, 5)),
        left_out=(("notes.pdf", "is not a picture"),),
    )
    return replace(value, **changes)


def dataset_view(*, trainer: TrainerCard = TRAINER, mode: Mode = Mode.STYLE, **changes: Any) -> DatasetView:
    """As a training under review shows it."""
    data = dataset(**changes)
    return DatasetView(
        subject=data.id,
        dataset=data,
        appraisal=appraisal_of(data, trainer, mode, has_object_storage=False),
        provider=CARD,
        trainer=trainer,
        mode=mode,
    )


def training_set(**changes: Any) -> TrainingSet:
    value = TrainingSet(
        id="1001",
        place=PLACE,
        name="Luna",
        prepared_file="a" * 64,
        images=tuple(TrainingImage(name=f"{n}.jpg", width=640, height=480, sha256=f"{n:064x}") for n in range(4)),
    )
    return replace(value, **changes)


def model(**changes: Any) -> Model:
    value = Model(
        id="1001",
        place=PLACE,
        name="Luna",
        job_id="1001",
        training_set_id="1001",
        provider="fake",
        base_model="flux-fake",
        trigger_word="ohwx",
        settings=TRAINING_SETTINGS,
        weights_file="b" * 64,
    )
    return replace(value, **changes)


def settings(data_dir: Path, **variables: str) -> Settings:
    return read_settings(
        {"DISCORD_TOKEN": "MTAwMQ.x.y", "DATA_DIR": str(data_dir), "CARD_EDIT_INTERVAL": "0", **variables}
    )
