"""Builds the workflows with everything they need of each other. Called by `bot/client.py`."""

from dataclasses import dataclass

from bot.providers.registry import Providers
from bot.startup import Resources
from bot.workflows.cancel import CANCEL, Cancel
from bot.workflows.caps import Caps
from bot.workflows.captioning import Captioning
from bot.workflows.choosing import GeneratorChoice
from bot.workflows.collecting import Collector
from bot.workflows.datasets import Datasets
from bot.workflows.detours import Detours
from bot.workflows.endings import Endings
from bot.workflows.engine import Engine, Lane
from bot.workflows.finetune import Finetune
from bot.workflows.generate import Generate
from bot.workflows.handover import Handovers
from bot.workflows.imports import IMPORT, Import
from bot.workflows.models import FORGET, Models
from bot.workflows.moving import LEAVE, Moving
from bot.workflows.outages import Outages
from bot.workflows.preparation import LANE as PREPARATION_LANE
from bot.workflows.preparation import Preparation
from bot.workflows.publish import PUBLISH, Publish
from bot.workflows.references import References
from bot.workflows.retry import Retry
from bot.workflows.review import Review
from bot.workflows.room import Room
from bot.workflows.stages import Cards, Stages
from bot.workflows.submission import Submissions
from bot.workflows.training_sets import TrainingSets
from bot.workflows.vigil import Announcer, Vigil
from bot.workflows.watchdog import Watchdog
from bot.workflows.workbench import Workbench, lane_of


@dataclass(frozen=True, kw_only=True)
class Workflows:
    captioning: Captioning
    choice: GeneratorChoice
    datasets: Datasets
    finetune: Finetune
    generate: Generate
    cancel: Cancel
    review: Review
    retry: Retry
    watchdog: Watchdog
    models: Models
    imports: Import
    publish: Publish
    moving: Moving
    vigil: Vigil


def build_workflows(resources: Resources, engine: Engine, cards: Cards, announcer: Announcer) -> Workflows:
    vigil = Vigil(
        database=resources.database,
        providers=resources.providers,
        cards=cards,
        operators=resources.operators,
        announcer=announcer,
        now_ms=resources.now_ms,
    )
    bench = _workbench(resources, engine, cards, vigil)
    _open_lanes(engine, resources.providers)
    downloads, pool, limits, weights = resources.downloads, resources.pool, resources.limits, resources.weights
    Preparation(bench, downloads=downloads, pool=pool, limits=limits)
    references = References(files=resources.files, downloads=downloads, pool=pool, limits=limits)
    handovers, choice = Handovers(bench), GeneratorChoice(bench)
    training_sets = TrainingSets(bench, pool=pool)
    finetune = Finetune(bench, handovers, training_sets, max_upload_bytes=limits.max_upload_bytes)
    generate = Generate(bench, choice, references, Collector(bench, pool=pool))
    cancel = Cancel(bench, handovers, finetune=finetune, generate=generate)
    return Workflows(
        captioning=Captioning(bench),
        choice=choice,
        datasets=Datasets(bench, limits=limits),
        finetune=finetune,
        generate=generate,
        cancel=cancel,
        review=Review(bench, training_sets),
        retry=Retry(bench, finetune=finetune, generate=generate),
        watchdog=Watchdog(bench, cancel),
        models=Models(bench),
        imports=Import(bench, hub=resources.hub, wire=weights.wire, hosts=weights.hosts),
        publish=Publish(bench, resources.hub),
        moving=Moving(bench, detours_of(resources)),
        vigil=vigil,
    )


def _workbench(resources: Resources, engine: Engine, cards: Cards, vigil: Vigil) -> Workbench:
    database, files, settings = resources.database, resources.files, resources.settings
    outages = Outages(
        database=database,
        providers=resources.providers,
        wakeups=resources.wakeups,
        operators=resources.operators,
        vigil=vigil,
        now_ms=resources.now_ms,
    )
    return Workbench(
        database=database,
        engine=engine,
        files=files,
        cards=cards,
        providers=resources.providers,
        stages=Stages(database=database, engine=engine, cards=cards, sleep=resources.sleep),
        endings=Endings(database=database, engine=engine, cards=cards, files=files, operators=resources.operators),
        submissions=Submissions(database=database, cards=cards, wakeups=resources.wakeups, outages=outages),
        outages=outages,
        objects=resources.objects,
        webhook_for=resources.hooks.webhook_for,
        operators=resources.operators,
        caps=Caps(per_person=settings.jobs_per_person, per_server=settings.jobs_per_server),
        room=Room(
            database=database,
            files=files,
            most_bytes_per_person=settings.dataset_space_per_person,
            pause=resources.sleep,
        ),
    )


def _open_lanes(engine: Engine, providers: Providers) -> None:
    """What waits for a provider waits in that provider's queue; what is our own work has queues of its own."""
    for provider in providers:
        card = provider.card
        engine.open_lane(
            Lane(name=lane_of(card.name), at_once=card.concurrent_jobs, per_minute=card.submissions_per_minute)
        )
    for name, at_once in ((PREPARATION_LANE, 4), (IMPORT, 4), (PUBLISH, 4), (FORGET, 4)):
        engine.open_lane(Lane(name=name, at_once=at_once, at_once_per_person=2))
    for name in (CANCEL, LEAVE):
        engine.open_lane(Lane(name=name, at_once=50, at_once_per_person=50))


def detours_of(resources: Resources) -> Detours:
    return Detours(
        database=resources.database,
        providers=resources.providers,
        files=resources.files,
        has_object_storage=resources.objects is not None,
    )
