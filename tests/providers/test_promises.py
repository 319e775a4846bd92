"""What every provider promises, the same tests for each. What a provider cannot do is in the tables at the end.

`bench` is one provider before a service that obeys; `provider` is the same one, listened to: whatever it says, in an
error or in a log, is a `ProviderError` in a short sentence and holds no secret.
"""

import asyncio
import contextlib
import importlib
import inspect
import json
import logging
import re
import time
import traceback
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.errors import (
    OutcomeUnknown,
    ProviderBusy,
    ProviderDenied,
    ProviderError,
    ProviderGone,
    ProviderModerated,
    ProviderRefused,
    ProviderUnpaid,
    ProviderUnreachable,
)
from bot.providers.base_models import BY_ID
from bot.providers.card import CaptionRule, GeneratorCard, Handover, Range, TrainerCard
from bot.providers.contract import (
    Ability,
    Attaches,
    Balances,
    Cancels,
    Deletes,
    Imports,
    Knocks,
    Lists,
    abilities_of,
)
from bot.providers.signatures import NotGenuine
from bot.providers.tasks import (
    Balance,
    FetchedPictures,
    Finished,
    GenerationRequest,
    ModelInUse,
    Stopped,
    Task,
    TaskState,
    TrainedWeights,
    TrainingRequest,
    Webhook,
    Working,
)
from bot.providers.weights import check_lora
from tests.providers.benches.bench import Bench, Mishap

PROVIDERS = ("local", "replicate", "fal", "bfl", "together")
LONGEST_SENTENCE = 400
LONGEST_WAIT_SECONDS = 60.0
BASE64 = re.compile(r"[A-Za-z0-9+/]{80,}")
QUIET = ("httpx", "httpcore")  # `bot/logs.py` never lets these say less than a warning: they name whole addresses

Request = TrainingRequest | GenerationRequest


class Kind(StrEnum):
    """What is paid for."""

    TRAINING = "training"
    WITH_MODEL = "generation with a model"
    WITHOUT_MODEL = "generation without a model"


GENERATIONS = (Kind.WITH_MODEL, Kind.WITHOUT_MODEL)
any_kind = pytest.mark.parametrize("kind", Kind)
any_generation = pytest.mark.parametrize("kind", GENERATIONS)


class Listening:
    """The bench's provider of the moment; a local one is opened anew when something is ordered of it."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.said: list[str] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._bench.provider, name)
        if not inspect.iscoroutinefunction(found):
            return found

        async def listened(*args: Any, **options: Any) -> Any:
            try:
                return await found(*args, **options)
            except NotGenuine as error:
                assert name == "check_webhook"
                self.said.append("".join(traceback.format_exception(error)))
                raise
            except ProviderError as error:
                self._hear(error)
                raise
            except Exception as error:
                raise AssertionError(f"{name} raised {error!r}, which is no ProviderError") from error

        return listened

    def _hear(self, error: ProviderError) -> None:
        assert 0 < len(error.sentence) < LONGEST_SENTENCE
        assert not BASE64.search(error.sentence)
        self.said += [error.sentence, error.advice, repr(error), "".join(traceback.format_exception(error))]

    def held_secrets(self, records: Sequence[logging.LogRecord]) -> list[str]:
        """Those of the bench's secrets that were said anywhere."""
        written = [logging.Formatter().format(record) for record in records]
        everything = "\n".join([*self.said, *written, repr(self._bench.provider), repr(self._bench.provider.card)])
        return [secret for secret in self._bench.logs_must_not_hold if secret in everything]


@pytest.fixture(params=PROVIDERS)
async def bench(
    request: pytest.FixtureRequest, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[Bench]:
    for name in QUIET:
        caplog.set_level(logging.WARNING, logger=name)
    caplog.set_level(logging.DEBUG)  # last, for it is also what `caplog` itself listens to
    folder = tmp_path / "bench"
    folder.mkdir()
    async with importlib.import_module(f"tests.providers.benches.{request.param}").open_bench(folder) as opened:
        yield opened


@pytest.fixture
def provider(bench: Bench, caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
    listening = Listening(bench)
    yield listening
    records = [*caplog.get_records("setup"), *caplog.get_records("call")]
    assert listening.held_secrets(records) == []


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def asked(bench: Bench, kind: Kind, job_id: str = "job-1", *, count: int = 1) -> Any:
    """A request of this kind that the provider takes; skips where it takes none."""
    if kind is Kind.TRAINING:
        request: Request | None = bench.training(job_id)
    else:
        request = bench.generation(job_id, with_model=kind is Kind.WITH_MODEL, count=count)
    if request is None:
        pytest.skip(f"{bench.provider.card.title} has no {kind}")
    return request


def trainings(bench: Bench) -> list[TrainingRequest]:
    """With a link to the dataset, and where the trainer can do without one also without."""
    request = asked(bench, Kind.TRAINING)
    ways = {way for way, _ in trainer_of(bench, request).handover}
    if request.dataset_link is None or ways == {Handover.LINK}:
        return [request]
    return [request, replace(request, job_id="job-2", dataset_link=None)]


def trainer_of(bench: Bench, request: TrainingRequest) -> TrainerCard:
    trainer = bench.provider.card.trainer(request.trainer)
    assert trainer is not None
    return trainer


def generator_of(bench: Bench, request: GenerationRequest) -> GeneratorCard:
    generator = bench.provider.card.generator(request.generator)
    assert generator is not None
    return generator


def most_pictures(bench: Bench, kind: Kind) -> int:
    return int(generator_of(bench, asked(bench, kind)).pictures.highest)


def befalls(bench: Bench, mishap: Mishap) -> None:
    if not bench.cause(mishap):
        pytest.skip(f"{bench.provider.card.title} cannot meet this: {mishap}")


def can_be_found(bench: Bench, request: Request) -> None:
    if not isinstance(bench.provider, Lists):
        pytest.skip(f"{bench.provider.card.title} lists nothing")
    card = trainer_of(bench, request) if isinstance(request, TrainingRequest) else generator_of(bench, request)
    if not card.can_be_found:
        pytest.skip(f"{bench.provider.card.title} does not promise that it lists what {card.title} accepted")


def can_be_attached(bench: Bench, request: Request) -> Request:
    """As sent with a webhook: then a service need not say where it wants to be asked."""
    if not isinstance(bench.provider, Attaches):
        pytest.skip(f"{bench.provider.card.title} attaches nothing")
    return replace(request, webhook=Webhook(url="https://bot.example.org/webhooks/any", secret="b" * 64))


async def prepared(provider: Any, request: Request) -> Request:
    """As the workflow does it: what is prepared goes through JSON."""
    if not isinstance(request, TrainingRequest):
        return request
    return replace(request, prepared=json.loads(json.dumps(dict(await provider.prepare_training(request)))))


async def submit(provider: Any, request: Request) -> Task:
    """Of a request that is prepared."""
    submitting = provider.submit_training if isinstance(request, TrainingRequest) else provider.submit_generation
    task = await submitting(request)
    assert isinstance(task, Task)
    assert task.id
    assert json.loads(json.dumps([task.id, dict(task.links)])) == [task.id, task.links]
    return task


async def submitted(provider: Any, request: Request) -> Task:
    return await submit(provider, await prepared(provider, request))


async def fetch(provider: Any, request: Request, task: Task, into: Path) -> TrainedWeights | FetchedPictures:
    fetching = provider.fetch_weights if isinstance(request, TrainingRequest) else provider.fetch_pictures
    fetched = await fetching(task, into)
    assert isinstance(fetched, TrainedWeights | FetchedPictures)
    return fetched


async def ended(provider: Any, task: Task) -> TaskState:
    """What it says on the way there makes sense."""
    async with asyncio.timeout(LONGEST_WAIT_SECONDS):
        while isinstance(state := await provider.check(task), Working):
            assert_it_makes_sense(state)
            await asyncio.sleep(0.01)
    assert isinstance(state, Finished | Stopped)
    return state


def assert_it_makes_sense(state: TaskState) -> None:
    assert isinstance(state, Working | Finished)
    if isinstance(state, Working):
        assert state.progress is None or 0.0 <= state.progress <= 1.0
        assert state.seconds_left is None or state.seconds_left >= 0.0
        assert isinstance(state.note, str)


def assert_a_sentence(error: ProviderError) -> None:
    assert isinstance(error, ProviderError)
    assert 0 < len(error.sentence) < LONGEST_SENTENCE
    assert error.sentence.rstrip().endswith((".", "!", "?", "…")), error.sentence
    assert not BASE64.search(error.sentence)


def assert_pictures(paths: Sequence[Path], into: Path) -> None:
    assert len(set(paths)) == len(paths)
    for path in paths:
        assert path.is_relative_to(into)
        with Image.open(path) as image:
            image.load()


# What it says of itself.


def test_a_card_is_sound(bench: Bench) -> None:
    card = bench.provider.card
    assert card.name
    assert card.title
    assert card.concurrent_jobs > 0
    assert card.submissions_per_minute is None or card.submissions_per_minute > 0
    assert card.training_poll_seconds > 0
    assert card.generation_poll_seconds > 0
    assert card.settles_in_seconds >= 0
    for offered in (card.trainers, card.generators):
        assert len({one.id for one in offered}) == len(offered)
        assert len({one.title.lower() for one in offered}) == len(offered), "people may type the title"
        assert all(one.id and one.title for one in offered)
    assert card.trainers or card.generators


def test_each_trainer_is_sound(bench: Bench) -> None:
    for trainer in bench.provider.card.trainers:
        assert trainer.base_model in BY_ID, trainer.id
        for allowed in (trainer.image_count, trainer.iterations, trainer.learning_rate):
            assert_a_range(allowed, trainer.id)
        least, most = trainer.advised_images
        assert trainer.image_count.lowest <= least <= most <= trainer.image_count.highest, trainer.id
        assert 256 <= trainer.advised_side <= 4096, trainer.id
        for choices in (trainer.lora_ranks, trainer.modes, trainer.priorities, trainer.finetune_types):
            assert len(set(choices)) == len(choices), trainer.id
        assert all(rank > 0 for rank in trainer.lora_ranks), trainer.id
        assert trainer.handover, trainer.id
        assert all(most_bytes > 0 for _, most_bytes in trainer.handover), trainer.id
        assert trainer.price is None or (trainer.price.once >= 0 and trainer.price.per_iteration >= 0), trainer.id
        assert 0 < trainer.usual_seconds <= trainer.deadline_seconds, trainer.id


def test_each_generator_is_sound(bench: Bench) -> None:
    for generator in bench.provider.card.generators:
        assert set(generator.base_models) <= set(BY_ID), generator.id
        assert bool(generator.base_models) == bool(generator.model_by), generator.id
        for allowed in (generator.strength, generator.pictures):
            assert_a_range(allowed, generator.id)
        assert generator.pictures.lowest >= 1, generator.id
        assert generator.aspect_ratios, generator.id
        assert len(set(generator.aspect_ratios)) == len(generator.aspect_ratios), generator.id
        assert all(re.fullmatch(r"[1-9]\d?:[1-9]\d?", ratio) for ratio in generator.aspect_ratios), generator.id
        assert generator.prompt_characters > 0, generator.id
        assert generator.reference_images >= 0, generator.id
        assert generator.usd_per_picture is None or generator.usd_per_picture >= 0, generator.id
        assert generator.deadline_seconds > 0, generator.id


def test_a_default_caption_names_the_trigger_word_as_the_captions_do(bench: Bench) -> None:
    """A trainer that fails without captions learns from them alone, so those that are there have to name it too."""
    for trainer in bench.provider.card.trainers:
        assert trainer.trigger_in_captions or trainer.captions is not CaptionRule.DEFAULTED, trainer.id
        assert trainer.describes_pictures == (trainer.captions is CaptionRule.DESCRIBED), trainer.id


def test_a_generator_that_needs_a_model_says_which_base_models_it_takes(bench: Bench) -> None:
    for generator in bench.provider.card.generators:
        assert generator.base_models or not generator.needs_model, generator.id


def assert_a_range(allowed: Range | None, of: str) -> None:
    if allowed is not None:
        assert allowed.lowest <= allowed.highest, of
        assert allowed.holds(allowed.default), of


async def test_reading_it_all_again_changes_nothing_while_nothing_is_retired(bench: Bench, provider: Any) -> None:
    before = bench.provider.card
    await provider.refresh()
    await provider.refresh()
    assert bench.provider.card == before
    assert bench.paid() == 0


async def test_closing_may_be_repeated(bench: Bench, provider: Any) -> None:
    await provider.close()
    await provider.close()


# From a request to its result.


async def test_a_training_ends_with_weights_on_disk(bench: Bench, provider: Any, out: Path) -> None:
    for request in trainings(bench):
        task = await submitted(provider, request)
        assert_it_makes_sense(await provider.check(task))
        await bench.finish()
        assert await ended(provider, task) == Finished()
        trained = await provider.fetch_weights(task, out)
        assert trained.path.is_relative_to(out)
        assert trained.path.stat().st_size > 0
        if trainer_of(bench, request).base_model != "local-quilting":
            assert trained.path.suffix == ".safetensors"
            check_lora(trained.path)
        assert json.loads(json.dumps(dict(trained.remote))) == trained.remote
        assert all(isinstance(part, str) for pair in trained.remote.items() for part in pair)


@any_generation
async def test_a_generation_ends_with_exactly_as_many_pictures_as_were_asked_for(
    bench: Bench, provider: Any, out: Path, kind: Kind
) -> None:
    for count in sorted({1, most_pictures(bench, kind)}):
        task = await submitted(provider, asked(bench, kind, f"job-{count}", count=count))
        assert_it_makes_sense(await provider.check(task))
        await bench.finish()
        assert await ended(provider, task) == Finished()
        fetched = await provider.fetch_pictures(task, out)
        assert (len(fetched.paths), fetched.withheld, fetched.missing) == (count, 0, 0)
        assert_pictures(fetched.paths, out)


@any_kind
async def test_what_was_fetched_can_be_fetched_again_into_the_same_folder(
    bench: Bench, provider: Any, out: Path, kind: Kind
) -> None:
    request = asked(bench, kind)
    task = await submitted(provider, request)
    await bench.finish()
    assert await ended(provider, task) == Finished()
    contents = []
    for _ in range(2):
        fetched = await fetch(provider, request, task, out)
        paths = [fetched.path] if isinstance(fetched, TrainedWeights) else fetched.paths
        contents.append([path.read_bytes() for path in paths])
    assert contents[0] == contents[1]


async def test_preparing_may_be_repeated_survives_json_and_holds_no_secret(bench: Bench, provider: Any) -> None:
    for request in trainings(bench):
        answers = [dict(await provider.prepare_training(request)) for _ in range(2)]
        for answer in answers:
            written = json.dumps(answer)
            assert json.loads(written) == answer
            assert [secret for secret in bench.logs_must_not_hold if secret in written] == []
        assert bench.paid() == 0
        for answer in answers:
            await provider.tidy_training(answer)


async def test_tidying_may_be_repeated_however_the_training_ended(bench: Bench, provider: Any) -> None:
    for request in trainings(bench):
        ready = await prepared(provider, request)
        assert isinstance(ready, TrainingRequest)
        task = await submit(provider, ready)
        await bench.finish()
        await ended(provider, task)
        for _ in range(3):
            await provider.tidy_training(ready.prepared)
        assert request.dataset.is_file(), "the dataset is ours"


@any_generation
async def test_a_picture_that_is_held_back_is_counted_and_not_handed_over(
    bench: Bench, provider: Any, out: Path, kind: Kind
) -> None:
    count = most_pictures(bench, kind)
    if count < 2:
        pytest.skip(f"{bench.provider.card.title} makes one picture at a time")
    request = asked(bench, kind, count=count)
    if not bench.withhold_one_picture():
        pytest.skip(f"{bench.provider.card.title} holds back everything or nothing")
    task = await submitted(provider, request)
    await bench.finish()
    assert await ended(provider, task) == Finished()
    fetched = await provider.fetch_pictures(task, out)
    assert (len(fetched.paths), fetched.withheld, fetched.missing) == (count - 1, 1, 0)
    assert_pictures(fetched.paths, out)


# What is paid, and what goes wrong with it.


@any_kind
async def test_each_submission_is_paid_once_and_two_are_never_merged(bench: Bench, provider: Any, kind: Kind) -> None:
    request = await prepared(provider, asked(bench, kind))
    first = await submit(provider, request)
    assert bench.paid() == 1
    second = await submit(provider, request)
    assert bench.paid() == 2
    assert first.id != second.id


@any_kind
@pytest.mark.parametrize("mishap", [Mishap.NEVER_SENT, Mishap.BUSY])
async def test_what_was_certainly_not_accepted_is_busy_and_costs_nothing(
    bench: Bench, provider: Any, kind: Kind, mishap: Mishap
) -> None:
    request = await prepared(provider, asked(bench, kind))
    befalls(bench, mishap)
    with pytest.raises(ProviderBusy) as caught:
        await submit(provider, request)
    assert caught.value.retry_after_seconds >= 0
    assert bench.paid() == 0
    await submit(provider, request)
    assert bench.paid() == 1


@any_kind
@pytest.mark.parametrize("mishap", [Mishap.LOST, Mishap.BROKEN])
async def test_when_nobody_can_say_the_outcome_is_unknown_and_it_was_sent_once(
    bench: Bench, provider: Any, kind: Kind, mishap: Mishap
) -> None:
    request = await prepared(provider, asked(bench, kind))
    befalls(bench, mishap)
    with pytest.raises(OutcomeUnknown):
        await submit(provider, request)
    assert bench.paid() == 1


@any_kind
@pytest.mark.parametrize("mishap", [Mishap.LOST, Mishap.BROKEN])
async def test_what_was_accepted_without_an_answer_is_found_and_nothing_else(
    bench: Bench, provider: Any, kind: Kind, mishap: Mishap
) -> None:
    request = await prepared(provider, asked(bench, kind))
    can_be_found(bench, request)
    other = await submitted(provider, asked(bench, kind, "another-job"))
    since = time.time()
    befalls(bench, mishap)
    with pytest.raises(OutcomeUnknown):
        await submit(provider, request)
    (found,) = await provider.find(request, since=since)
    assert found.id != other.id
    await bench.finish()
    assert await ended(provider, found) == Finished()
    assert [task.id for task in await provider.find(request, since=since)] == [found.id]


@any_generation
async def test_a_part_that_was_accepted_without_an_answer_is_told_from_the_others(
    bench: Bench, provider: Any, kind: Kind
) -> None:
    """Its seed is its own; a workflow passes over what belongs to another part."""
    request = asked(bench, kind)
    can_be_found(bench, request)
    since = time.time()
    first = await submit(provider, request)
    part = replace(request, part=1, seed=request.seed + 1)
    befalls(bench, Mishap.LOST)
    with pytest.raises(OutcomeUnknown):
        await submit(provider, part)
    assert bench.paid() == 2
    (found,) = await provider.find(part, since=since)
    assert found.id != first.id
    assert [task.id for task in await provider.find(request, since=since)] == [first.id]


@any_kind
async def test_of_a_request_that_was_submitted_twice_both_are_found_the_newest_first(
    bench: Bench, provider: Any, kind: Kind
) -> None:
    request = await prepared(provider, asked(bench, kind))
    can_be_found(bench, request)
    since = time.time()
    tasks = [(await submit(provider, request)).id for _ in range(2)]
    assert [task.id for task in await provider.find(request, since=since)] == tasks[::-1]


@any_kind
async def test_what_was_submitted_long_before_that_moment_is_not_found(bench: Bench, provider: Any, kind: Kind) -> None:
    """Clocks need not agree to the minute."""
    request = await prepared(provider, asked(bench, kind))
    can_be_found(bench, request)
    await submit(provider, request)
    assert list(await provider.find(request, since=time.time() + 3600)) == []


@any_kind
async def test_a_request_that_was_never_submitted_is_not_found(bench: Bench, provider: Any, kind: Kind) -> None:
    request = await prepared(provider, asked(bench, kind))
    if not isinstance(bench.provider, Lists):
        pytest.skip(f"{bench.provider.card.title} lists nothing")
    assert list(await provider.find(request, since=0.0)) == []
    await submitted(provider, asked(bench, kind, "another-job"))
    assert list(await provider.find(request, since=time.time() - 60)) == []


@any_kind
@pytest.mark.parametrize(
    ("mishap", "meaning"),
    [(Mishap.UNPAID, ProviderUnpaid), (Mishap.DENIED, ProviderDenied), (Mishap.REFUSED, ProviderRefused)],
)
async def test_a_refusal_is_told_by_its_meaning_and_costs_nothing(
    bench: Bench, provider: Any, kind: Kind, mishap: Mishap, meaning: type[ProviderError]
) -> None:
    request = await prepared(provider, asked(bench, kind))
    befalls(bench, mishap)
    with pytest.raises(ProviderError) as caught:
        await submit(provider, request)
    assert type(caught.value) is meaning
    assert 0 < len(caught.value.sentence) < LONGEST_SENTENCE
    assert not BASE64.search(caught.value.sentence + caught.value.advice)
    assert bench.paid() == 0


# What a person found at the provider.


@any_kind
async def test_a_task_that_a_person_found_is_the_one_that_was_submitted(
    bench: Bench, provider: Any, out: Path, kind: Kind
) -> None:
    request = await prepared(provider, can_be_attached(bench, asked(bench, kind)))
    task = await submit(provider, request)
    at_work = await provider.attach(request, task.id)
    assert at_work == task
    assert isinstance(await provider.check(at_work), Working)
    await bench.finish()
    attached = await provider.attach(request, task.id)
    assert attached == task
    assert await ended(provider, attached) == Finished()
    assert await fetch(provider, request, attached, out)
    assert bench.paid() == 1


@any_kind
async def test_a_task_is_found_that_has_ended_badly(bench: Bench, provider: Any, kind: Kind) -> None:
    """How it ended is for `check` to say."""
    request = await prepared(provider, can_be_attached(bench, asked(bench, kind)))
    for end in (bench.fail_everything, bench.moderate_everything):
        task = await submit(provider, request)
        end()
        assert isinstance(await ended(provider, task), Stopped)
        assert isinstance(await ended(provider, await provider.attach(request, task.id)), Stopped)


@any_kind
async def test_an_id_is_found_in_whatever_was_pasted(bench: Bench, provider: Any, kind: Kind) -> None:
    request = await prepared(provider, can_be_attached(bench, asked(bench, kind)))
    task = await submit(provider, request)
    for pasted in (
        f"  {task.id}\n",
        f"`{task.id}`",
        f"```\n{task.id}\n```",
        f"<https://dashboard.example/p/{task.id}?tab=logs#top>",
        f"https://dashboard.example/requests?id={task.id}&page=2",
        f"https://dashboard.example/{task.id}/status",
        f"it is {task.id}, I think ({task.id})",
        task.id.upper(),
    ):
        assert await provider.attach(request, pasted) == task, pasted


@any_kind
async def test_what_holds_no_id_of_its_form_is_refused_and_never_sent(bench: Bench, provider: Any, kind: Kind) -> None:
    request = await prepared(provider, can_be_attached(bench, asked(bench, kind)))
    task = await submit(provider, request)
    heard = bench.heard()
    for pasted in (
        "",
        "  ",
        "../../account",
        f"{task.id}x",
        task.id[:-1],
        f"x-{task.id}",
        f"{task.id} {bench.nobodys_id}",
        task.id * 200,
        f"{task.id} " * 200,
        task.id.replace(task.id[-1], "é"),
        "\0",
        "https://169.254.169.254/latest/meta-data",
    ):
        with pytest.raises(ProviderRefused):
            await provider.attach(request, pasted)
    assert bench.heard() == heard


@any_kind
async def test_an_id_that_nobody_has_is_gone(bench: Bench, provider: Any, kind: Kind) -> None:
    request = await prepared(provider, can_be_attached(bench, asked(bench, kind)))
    with pytest.raises(ProviderGone) as caught:
        await provider.attach(request, bench.nobodys_id)
    assert_a_sentence(caught.value)


@any_kind
async def test_another_jobs_task_is_refused_where_the_provider_can_tell(
    bench: Bench, provider: Any, kind: Kind, name: str
) -> None:
    request = await prepared(provider, can_be_attached(bench, asked(bench, kind)))
    theirs = await prepared(provider, can_be_attached(bench, asked(bench, kind, "another-job")))
    if isinstance(theirs, GenerationRequest):
        theirs = replace(theirs, seed=theirs.seed + 1)
    task = await submit(provider, theirs)
    await bench.finish()
    if kind not in TELLS_JOBS_APART[name]:
        assert await provider.attach(request, task.id) == task
        return
    with pytest.raises(ProviderRefused) as caught:
        await provider.attach(request, task.id)
    assert_a_sentence(caught.value)


async def test_a_task_of_the_other_kind_is_not_attached(bench: Bench, provider: Any, name: str) -> None:
    training = await prepared(provider, can_be_attached(bench, asked(bench, Kind.TRAINING)))
    generation = can_be_attached(bench, asked(bench, Kind.WITH_MODEL, "job-2"))
    for request, other in ((training, generation), (generation, training)):
        task = await submit(provider, other)
        for _ in range(2):
            with pytest.raises((ProviderRefused, ProviderGone)) as caught:
                await provider.attach(request, task.id)
            assert_a_sentence(caught.value)
            await bench.finish()


@any_kind
async def test_files_and_links_that_are_gone_hinder_nobody_from_finding_a_task(
    bench: Bench, provider: Any, tmp_path: Path, kind: Kind
) -> None:
    """As when a job was cancelled meanwhile, and what it had laid out was cleared away."""
    request = await prepared(provider, can_be_attached(bench, asked(bench, kind)))
    since = time.time()
    task = await submit(provider, request)
    bare = without_files(request, tmp_path / "gone")
    assert await provider.attach(bare, task.id) == task
    if isinstance(bench.provider, Lists) and kind in CAN_BE_FOUND[bench.provider.card.name]:
        assert [found.id for found in await provider.find(bare, since=since)] == [task.id]


def without_files(request: Request, gone: Path) -> Request:
    if isinstance(request, TrainingRequest):
        return replace(request, dataset=gone, dataset_link=None, webhook=None)
    model = request.model and replace(request.model, weights=None, weights_link=None)
    return replace(request, model=model, images=(gone,), webhook=None)


# What is refused before anything is paid.


@pytest.mark.parametrize("strange", ["no-such-thing", "../../account", ""])
async def test_a_strange_trainer_is_refused(bench: Bench, provider: Any, strange: str) -> None:
    request = replace(asked(bench, Kind.TRAINING), trainer=strange)
    with pytest.raises((ProviderRefused, ProviderGone)):
        await submitted(provider, request)
    assert bench.paid() == 0


@any_generation
@pytest.mark.parametrize("strange", ["no-such-thing", "../../account", ""])
async def test_a_strange_generator_is_refused(bench: Bench, provider: Any, kind: Kind, strange: str) -> None:
    request = replace(asked(bench, kind), generator=strange)
    with pytest.raises((ProviderRefused, ProviderGone)):
        await submitted(provider, request)
    assert bench.paid() == 0


async def test_another_base_models_lora_is_refused(bench: Bench, provider: Any) -> None:
    request = asked(bench, Kind.WITH_MODEL)
    taken = generator_of(bench, request).base_models
    for foreign in [*(base for base in BY_ID if base not in taken), "no-such-base", ""]:
        with pytest.raises(ProviderRefused):
            await submitted(provider, replace(request, model=replace(request.model, base_model=foreign)))
    assert bench.paid() == 0


async def test_a_generator_that_needs_a_model_is_refused_without_one(bench: Bench, provider: Any) -> None:
    with pytest.raises(ProviderRefused):
        await submitted(provider, replace(asked(bench, Kind.WITH_MODEL), model=None))
    assert bench.paid() == 0


async def test_a_generator_that_takes_no_model_is_refused_with_one(bench: Bench, provider: Any) -> None:
    request = asked(bench, Kind.WITHOUT_MODEL)
    assert not generator_of(bench, request).base_models
    with_model = bench.generation("job-2", with_model=True)
    assert with_model is not None
    with pytest.raises(ProviderRefused):
        await submitted(provider, replace(request, model=with_model.model))
    assert bench.paid() == 0


async def test_a_model_that_it_cannot_get_hold_of_is_refused(bench: Bench, provider: Any) -> None:
    request = asked(bench, Kind.WITH_MODEL)
    with pytest.raises(ProviderRefused):
        await submitted(provider, replace(request, model=ModelInUse(base_model=request.model.base_model, weights=None)))
    assert bench.paid() == 0


@any_generation
async def test_a_generation_outside_its_cards_limits_is_refused(bench: Bench, provider: Any, kind: Kind) -> None:
    request = asked(bench, kind)
    generator = generator_of(bench, request)
    outside: list[dict[str, Any]] = [
        {"prompt": "x" * (generator.prompt_characters + 1)},
        {"prompt": " "},
        {"count": int(generator.pictures.highest) + 1},
        {"count": 0},
        {"seed": -1},
        {"seed": 2**32},
        {"aspect_ratio": "5:1"},
        {"images": (Path("gone.png"),) * (generator.reference_images + 1)},
    ]
    if generator.strength is not None:
        outside += [{"strength": generator.strength.highest + 0.1}, {"strength": float("nan")}]
    for changes in outside:
        with pytest.raises(ProviderRefused):
            await submitted(provider, replace(request, **changes))
    assert bench.paid() == 0


async def test_a_training_outside_its_cards_limits_is_refused(bench: Bench, provider: Any) -> None:
    request = asked(bench, Kind.TRAINING)
    trainer = trainer_of(bench, request)
    outside = [
        replace(request, image_count=int(trainer.image_count.highest) + 1),
        replace(request, image_count=int(trainer.image_count.lowest) - 1),
        replace(request, settings=replace(request.settings, iterations=int(trainer.iterations.highest) + 1)),
        replace(request, settings=replace(request.settings, iterations=int(trainer.iterations.lowest) - 1)),
        replace(request, settings=replace(request.settings, trigger_word=" ")),
    ]
    if trainer.learning_rate is not None:
        too_fast = trainer.learning_rate.highest * 2
        outside.append(replace(request, settings=replace(request.settings, learning_rate=too_fast)))
    for one in outside:
        with pytest.raises(ProviderRefused):
            await submitted(provider, one)
    assert bench.paid() == 0


# While it is at work, and how it ends.


@any_kind
async def test_a_check_that_fails_in_passing_ends_nothing(bench: Bench, provider: Any, kind: Kind) -> None:
    task = await submitted(provider, asked(bench, kind))
    if not bench.stop_answering_once():
        pytest.skip(f"{bench.provider.card.title} is not asked again once it has answered")
    with contextlib.suppress(ProviderUnreachable, ProviderBusy):
        assert_it_makes_sense(await provider.check(task))
    assert_it_makes_sense(await provider.check(task))
    await bench.finish()
    assert await ended(provider, task) == Finished()


@any_kind
async def test_what_was_cancelled_does_not_finish(bench: Bench, provider: Any, kind: Kind) -> None:
    request = asked(bench, kind)
    if not isinstance(bench.provider, Cancels):
        pytest.skip(f"{bench.provider.card.title} cannot cancel")
    task = await submitted(provider, request)
    assert isinstance(await provider.check(task), Working)
    was_stopped = await provider.cancel(task)
    assert isinstance(was_stopped, bool)
    await bench.finish()
    state = await ended(provider, task)
    assert isinstance(state, Stopped) == was_stopped
    if isinstance(state, Stopped):
        assert_a_sentence(state.error)


@any_kind
async def test_what_has_ended_cannot_be_cancelled(bench: Bench, provider: Any, kind: Kind) -> None:
    request = asked(bench, kind)
    if not isinstance(bench.provider, Cancels):
        pytest.skip(f"{bench.provider.card.title} cannot cancel")
    task = await submitted(provider, request)
    await bench.finish()
    assert await ended(provider, task) == Finished()
    assert await provider.cancel(task) is False
    assert await ended(provider, task) == Finished()


@any_kind
async def test_a_failure_of_its_own_stops_the_task_with_a_sentence(
    bench: Bench, provider: Any, out: Path, kind: Kind
) -> None:
    request = asked(bench, kind)
    task = await submitted(provider, request)
    if not bench.fail_everything():
        pytest.skip(f"{bench.provider.card.title} fails only while it is asked")
    for _ in range(2):
        state = await ended(provider, task)
        assert isinstance(state, Stopped)
        assert_a_sentence(state.error)
    if isinstance(bench.provider, Cancels):
        assert await provider.cancel(task) is False
    with pytest.raises(ProviderError):
        await fetch(provider, request, task, out)


@any_kind
async def test_a_verdict_on_the_content_is_told_as_one(bench: Bench, provider: Any, out: Path, kind: Kind) -> None:
    request = asked(bench, kind)
    task = await submitted(provider, request)
    if not bench.moderate_everything():
        pytest.skip(f"{bench.provider.card.title} judges only while it is asked")
    state = await ended(provider, task)
    error = state.error if isinstance(state, Stopped) else None
    if error is None:
        with pytest.raises(ProviderError) as caught:
            await fetch(provider, request, task, out)
        error = caught.value
    assert isinstance(error, ProviderModerated)
    assert_a_sentence(error)


# Everything else that it can do.


async def test_it_says_whose_account_it_is(bench: Bench, provider: Any) -> None:
    if not isinstance(bench.provider, Balances):
        pytest.skip(f"{bench.provider.card.title} does not say what is left")
    balance = await provider.balance()
    assert isinstance(balance, Balance)
    assert balance.account
    assert balance.amount_usd is None or isinstance(balance.amount_usd, float)


async def test_deleting_a_model_may_be_repeated(bench: Bench, provider: Any) -> None:
    if not isinstance(bench.provider, Deletes):
        pytest.skip(f"{bench.provider.card.title} deletes no models")
    model = asked(bench, Kind.WITH_MODEL).model
    await provider.delete_model(model.remote)
    await provider.delete_model(model.remote)
    assert bench.paid() == 0


async def test_a_model_that_is_not_there_is_gone_and_one_that_is_can_be_used(bench: Bench, provider: Any) -> None:
    if not isinstance(bench.provider, Imports):
        pytest.skip(f"{bench.provider.card.title} imports no models")
    request = asked(bench, Kind.WITH_MODEL)
    with pytest.raises(ProviderGone):
        await provider.look_up("nobody-has-this", request.model.base_model)
    reference = next(iter(request.model.remote.values()))
    remote: Mapping[str, str] = await provider.look_up(reference, request.model.base_model)
    assert json.loads(json.dumps(dict(remote))) == remote
    await submit(provider, replace(request, model=replace(request.model, remote=remote)))
    assert bench.paid() == 1


async def test_a_strangers_webhook_is_not_genuine(bench: Bench, provider: Any) -> None:
    if not isinstance(bench.provider, Knocks):
        pytest.skip(f"{bench.provider.card.title} does not knock")
    forged = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(time.time())),
        "webhook-signature": "v1,AAAA",
        "x-fal-webhook-request-id": "1",
        "x-fal-webhook-user-id": "1",
        "x-fal-webhook-timestamp": str(int(time.time())),
        "x-fal-webhook-signature": "0" * 128,
        "x-bfl-signature": "sha256=" + "0" * 64,
        "x-webhook-secret": "guessed",
    }
    for headers in (forged, {}):
        with pytest.raises(NotGenuine):
            await provider.check_webhook(headers, b"{}", secret="whsec_c2VjcmV0", now=time.time())


# Nothing but errors that a person can read, and no secret in them.


@any_kind
async def test_a_task_that_nobody_knows_raises_provider_errors_only(
    bench: Bench, provider: Any, out: Path, kind: Kind
) -> None:
    request = asked(bench, kind)
    for name in ("00000000-0000-0000-0000-000000000000", "../../account", "\0"):
        task = Task(id=name)
        await answers_or_says_why(provider.check(task))
        with pytest.raises(ProviderError):
            await fetch(provider, request, task, out)
        if isinstance(bench.provider, Cancels):
            await answers_or_says_why(provider.cancel(task))
    assert list(out.iterdir()) == []


@any_kind
async def test_a_result_that_is_not_there_yet_is_no_result(bench: Bench, provider: Any, out: Path, kind: Kind) -> None:
    request = asked(bench, kind)
    task = await submitted(provider, request)
    if not isinstance(await provider.check(task), Working):
        pytest.skip(f"{bench.provider.card.title} answers with the result itself")
    with pytest.raises(ProviderError):
        await fetch(provider, request, task, out)
    assert list(out.iterdir()) == []


async def test_a_dataset_that_is_gone_is_refused(bench: Bench, provider: Any, tmp_path: Path) -> None:
    request = replace(asked(bench, Kind.TRAINING), dataset=tmp_path / "gone.zip", dataset_link=None)
    with pytest.raises(ProviderError):
        await submitted(provider, request)
    assert bench.paid() == 0


async def test_a_reference_picture_that_is_gone_is_refused(bench: Bench, provider: Any, tmp_path: Path) -> None:
    request = asked(bench, Kind.WITHOUT_MODEL)
    generators = [g for g in bench.provider.card.generators if g.reference_images and not g.needs_model]
    if not generators:
        pytest.skip(f"{bench.provider.card.title} takes no reference pictures")
    for generator in generators:
        with pytest.raises(ProviderRefused):
            await submitted(provider, replace(request, generator=generator.id, images=(tmp_path / "gone.png",)))
    assert bench.paid() == 0


@any_kind
async def test_a_folder_that_cannot_be_written_is_a_provider_error(
    bench: Bench, provider: Any, tmp_path: Path, kind: Kind
) -> None:
    request = asked(bench, kind)
    task = await submitted(provider, request)
    await bench.finish()
    assert await ended(provider, task) == Finished()
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ProviderError):
        await fetch(provider, request, task, tmp_path / "file" / "below")


async def test_no_secret_is_written_or_said_whatever_happens(
    bench: Bench, provider: Any, out: Path, caplog: pytest.LogCaptureFixture
) -> None:
    if not bench.logs_must_not_hold:
        pytest.skip(f"{bench.provider.card.title} has no key and reads no links")
    logging.getLogger("bot").debug("whatever is said is heard")
    requests = [request for request in (offered(bench, kind) for kind in Kind) if request]
    for request in requests:
        ready = await prepared(provider, request)
        for mishap in Mishap:
            if bench.cause(mishap):
                await answers_or_says_why(submit(provider, ready))
        task = await submit(provider, ready)
        bench.stop_answering_once()
        await answers_or_says_why(provider.check(task))
        await bench.finish()
        await answers_or_says_why(provider.check(task))
        await fetch(provider, request, task, out)
        if isinstance(bench.provider, Lists):
            await provider.find(ready, since=time.time() - 60)
        if isinstance(bench.provider, Attaches):
            await answers_or_says_why(provider.attach(ready, task.id))
            await answers_or_says_why(provider.attach(ready, bench.nobodys_id))
        for end in (bench.fail_everything, bench.moderate_everything):
            task = await submit(provider, ready)
            end()
            await answers_or_says_why(provider.check(task))
            await answers_or_says_why(fetch(provider, request, task, out))
    assert provider.said
    assert "whatever is said is heard" in [record.getMessage() for record in caplog.records]
    assert provider.held_secrets([*caplog.get_records("setup"), *caplog.records]) == []


def offered(bench: Bench, kind: Kind) -> Request | None:
    if kind is Kind.TRAINING:
        return bench.training("job-1")
    return bench.generation("job-1", with_model=kind is Kind.WITH_MODEL)


async def answers_or_says_why(call: Any) -> None:
    """Both will do; anything but a `ProviderError` was noticed by whoever listens."""
    with contextlib.suppress(ProviderError):
        await call


# Who can do what: a test that is skipped above is one of these.

ABILITIES: Mapping[str, set[Ability]] = {
    "local": {
        Ability.TRAIN,
        Ability.GENERATE_WITH_MODEL,
        Ability.CAPTION,
        Ability.CANCEL,
        Ability.LIST,
        Ability.ATTACH,
    },
    "replicate": {
        Ability.TRAIN,
        Ability.GENERATE_WITH_MODEL,
        Ability.GENERATE,
        Ability.CAPTION,
        Ability.CANCEL,
        Ability.LIST,
        Ability.ATTACH,
        Ability.BALANCE,
        Ability.DELETE,
        Ability.WEBHOOK,
    },
    "fal": {
        Ability.TRAIN,
        Ability.GENERATE_WITH_MODEL,
        Ability.GENERATE,
        Ability.CANCEL,
        Ability.ATTACH,
        Ability.WEBHOOK,
    },
    "bfl": {
        Ability.GENERATE_WITH_MODEL,
        Ability.GENERATE,
        Ability.LIST,  # of the trainings of 2025; a generation is never found
        Ability.ATTACH,
        Ability.BALANCE,
        Ability.DELETE,
        Ability.IMPORT,
        Ability.WEBHOOK,
    },
    "together": {Ability.GENERATE_WITH_MODEL, Ability.GENERATE},
}
CAN_BE_FOUND: Mapping[str, set[Kind]] = {
    "local": {Kind.TRAINING, Kind.WITH_MODEL},
    "replicate": set(Kind),
    "fal": set(),
    "bfl": set(),
    "together": set(),
}
TELLS_JOBS_APART: Mapping[str, set[Kind]] = {
    "local": {Kind.TRAINING, Kind.WITH_MODEL},
    "replicate": set(Kind),
    "fal": set(GENERATIONS),  # by what a result repeats; one of a training repeats nothing
    "bfl": set(GENERATIONS),
}
MISHAPS: Mapping[str, set[Mishap]] = {
    "local": {Mishap.BUSY, Mishap.DENIED, Mishap.REFUSED, Mishap.LOST},  # no wire, and nothing to pay
    "replicate": set(Mishap),
    "fal": set(Mishap),
    "bfl": set(Mishap),
    "together": set(Mishap),
}
HANDS: Mapping[str, set[str]] = {
    "local": {"stop_answering_once", "fail_everything", "moderate_everything"},
    "replicate": {"stop_answering_once", "fail_everything", "moderate_everything", "withhold_one_picture"},
    "fal": {"stop_answering_once", "fail_everything", "moderate_everything", "withhold_one_picture"},
    "bfl": {"stop_answering_once", "fail_everything", "moderate_everything"},  # one picture at a time
    "together": set(),  # it says everything in its one answer
}


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return str(request.node.callspec.params["bench"])


def test_each_provider_can_do_exactly_this(bench: Bench, name: str) -> None:
    assert bench.provider.card.name == name
    assert abilities_of(bench.provider) == ABILITIES[name]


def test_each_bench_offers_what_its_provider_can_do(bench: Bench, name: str) -> None:
    kinds = {
        Kind.TRAINING: Ability.TRAIN,
        Kind.WITH_MODEL: Ability.GENERATE_WITH_MODEL,
        Kind.WITHOUT_MODEL: Ability.GENERATE,
    }
    assert {kinds[kind] for kind in Kind if offered(bench, kind)} == ABILITIES[name] & set(kinds.values())


def test_each_provider_promises_to_find_exactly_this(bench: Bench, name: str) -> None:
    card = bench.provider.card
    listed = isinstance(bench.provider, Lists)
    found = {
        Kind.TRAINING: [trainer.can_be_found for trainer in card.trainers],
        Kind.WITH_MODEL: [generator.can_be_found for generator in card.generators if generator.base_models],
        Kind.WITHOUT_MODEL: [generator.can_be_found for generator in card.generators if not generator.needs_model],
    }
    assert {kind for kind in Kind if listed and any(found[kind])} == CAN_BE_FOUND[name]


def test_each_bench_can_cause_exactly_this(bench: Bench, name: str) -> None:
    assert {mishap for mishap in Mishap if bench.cause(mishap)} == MISHAPS[name]


def test_each_bench_has_exactly_these_hands_on_its_service(bench: Bench, name: str) -> None:
    hands = ("stop_answering_once", "fail_everything", "moderate_everything", "withhold_one_picture")
    assert {hand for hand in hands if getattr(bench, hand)()} == HANDS[name]
