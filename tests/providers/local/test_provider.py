"""The local provider as a durable remote service: nothing accepted is lost, nothing is accepted twice by itself."""

import asyncio
import io
import os
import stat
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from PIL import Image, ImageDraw

from bot.datasets.captions.captions import MAX_CAPTION_CHARACTERS
from bot.errors import OutcomeUnknown, ProviderBroken, ProviderRefused, ProviderUnreachable
from bot.pictures.learning import learn
from bot.pictures.learnt import read_manifest
from bot.providers.local.failures import MEANINGS, Failures
from bot.providers.local.provider import LocalProvider
from bot.providers.tasks import (
    Finished,
    ModelInUse,
    Stopped,
    Task,
    TaskState,
    TrainingRequest,
    Working,
)
from tests.providers.benches.local import a_generation, a_training, smaller_pictures

OUTSIDE: list[tuple[str, object]] = [
    ("iterations", 99),
    ("iterations", 1001),
    ("learning_rate", 0.5),
    ("learning_rate", float("nan")),
    ("lora_rank", 8),
    ("trigger_word", " "),
    ("trigger_word", "x" * 101),
]


def drawn_picture(number: int) -> bytes:
    image = Image.new("RGB", (96, 80), (200 - 20 * number, 90, 40))
    ImageDraw.Draw(image).ellipse((20, 10, 70, 70), fill=(240, 190, 30 * number))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def dataset_of(folder: Path, count: int = 4, **further: bytes) -> Path:
    dataset = folder / f"dataset-{count}-{len(further)}.zip"
    with zipfile.ZipFile(dataset, "w") as archive:
        for number in range(count):
            archive.writestr(f"{number}.png", drawn_picture(number))
            archive.writestr(f"{number}.txt", f"picture {number}")
        for name, content in further.items():
            archive.writestr(name, content)
    return dataset


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("weights") / "weights.zip"
    file.write_bytes(
        learn([drawn_picture(n) for n in range(4)], [""] * 4, mode="style", trigger_word="TOK", iterations=100)
    )
    return file


@pytest.fixture
def half_the_size() -> Iterator[None]:
    with smaller_pictures(0.5):
        yield


Opener = Callable[..., LocalProvider]


@pytest.fixture
async def opened(tmp_path: Path, pool: Executor) -> AsyncIterator[Opener]:
    """Opens providers on the same home, as one process after another would."""
    every: list[LocalProvider] = []

    def provider(failures: str = "", **changes: Any) -> LocalProvider:
        settings = {"home": tmp_path / "home", "pool": pool, "failures": Failures.parse(failures)} | changes
        every.append(LocalProvider(**settings))
        return every[-1]

    yield provider
    for one in every:
        await one.close()


def training(tmp_path: Path, job_id: str = "job-1", **changes: Any) -> TrainingRequest:
    return a_training(dataset_of(tmp_path), job_id, **changes)


async def ended(provider: LocalProvider, task: Task) -> TaskState:
    while isinstance(state := await provider.check(task), Working):
        assert 0.0 <= progress_of(state) <= 1.0
        await asyncio.sleep(0.005)
    return state


def progress_of(state: TaskState) -> float:
    """It always knows how far it is."""
    assert isinstance(state, Working)
    assert state.progress is not None
    return state.progress


async def crash() -> None:
    """Everything under way in this process is gone at once, and nobody tidies up."""
    workers = [task for task in asyncio.all_tasks() if task.get_name().startswith("local-")]
    assert workers
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)


async def until_under_way(provider: LocalProvider, task: Task, progress: float = 0.2) -> float:
    while (seen := progress_of(await provider.check(task))) < progress:
        await asyncio.sleep(0.005)
    return seen


async def found(provider: LocalProvider, tmp_path: Path, job_id: str = "job-1") -> list[Task]:
    return list(await provider.find(training(tmp_path, job_id), since=0.0))


def acceptances(tmp_path: Path) -> list[list[str]]:
    return [line.split() for line in (tmp_path / "home" / "accepted.log").read_text().splitlines()]


async def test_a_training_and_then_a_picture(opened: Opener, tmp_path: Path) -> None:
    provider = opened()
    task = await provider.submit_training(training(tmp_path))
    assert await ended(opened(), task) == Finished()
    learnt = (await provider.fetch_weights(task, tmp_path / "out")).path
    manifest = read_manifest(learnt)
    assert (manifest.mode, manifest.trigger_word, manifest.iterations) == ("style", "TOK", 100)
    assert [picture.caption for picture in manifest.pictures] == [f"picture {number}" for number in range(4)]

    task = await provider.submit_generation(a_generation(learnt, count=2, aspect_ratio="16:9"))
    assert await ended(opened(), task) == Finished()
    pictures = (await provider.fetch_pictures(task, tmp_path / "out")).paths
    assert len(pictures) == 2
    assert pictures[0].read_bytes() != pictures[1].read_bytes()
    with Image.open(pictures[0]) as image:
        assert image.size == (1024, 576)
        assert image.info["Atelier-Method"] == "offline preview by image quilting, not FLUX"


async def test_the_units_of_work_can_be_sent_to_other_processes(opened: Opener, tmp_path: Path) -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        provider = opened(pool=processes)
        task = await provider.submit_training(training(tmp_path))
        assert await ended(provider, task) == Finished()
        learnt = (await provider.fetch_weights(task, tmp_path / "out")).path
        task = await provider.submit_generation(a_generation(learnt))
        assert await ended(provider, task) == Finished()


async def test_the_same_training_gives_the_same_weights(opened: Opener, tmp_path: Path) -> None:
    provider = opened()
    contents = []
    for job_id in ("job-1", "job-2"):
        task = await provider.submit_training(training(tmp_path, job_id))
        await ended(provider, task)
        contents.append((await provider.fetch_weights(task, tmp_path / "out")).path.read_bytes())
    assert contents[0] == contents[1]


async def test_submitting_a_job_twice_makes_two_tasks_and_find_answers_both_the_newest_first(
    opened: Opener, tmp_path: Path
) -> None:
    seconds = iter(range(1000, 2000))
    provider = opened(now=lambda: float(next(seconds)))
    tasks = [await provider.submit_training(training(tmp_path)) for _ in range(2)]
    assert acceptances(tmp_path) == [["job-1", task.id] for task in tasks]
    assert await found(opened(), tmp_path) == tasks[::-1]
    assert await found(provider, tmp_path, "job-3") == []


async def test_nothing_is_found_before_anything_was_accepted(opened: Opener, tmp_path: Path) -> None:
    assert await found(opened(), tmp_path) == []


@pytest.mark.parametrize("fails", ["check", "cancel", "fetch"])
async def test_an_unknown_task_is_refused(opened: Opener, tmp_path: Path, fails: str) -> None:
    provider = opened()
    calls = {
        "check": provider.check,
        "cancel": provider.cancel,
        "fetch": lambda task: provider.fetch_weights(task, tmp_path),
    }
    for name in ("local-0123456789abcdef-0123456789ab", "../../etc", "", "\0"):
        with pytest.raises(ProviderRefused):
            await calls[fails](Task(id=name))


@pytest.mark.parametrize(("name", "value"), OUTSIDE)
async def test_training_settings_out_of_range_are_refused(
    opened: Opener, tmp_path: Path, name: str, value: object
) -> None:
    with pytest.raises(ProviderRefused):
        await opened().submit_training(training(tmp_path, **{name: value}))
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": "x" * 2001},
        {"prompt": "  "},
        {"prompt": "\ud800"},
        {"strength": 2.1},
        {"strength": -0.1},
        {"strength": float("nan")},
        {"aspect_ratio": "5:1"},
        {"count": 5},
        {"count": 0},
        {"seed": 2**32},
        {"seed": -1},
    ],
)
async def test_generation_settings_out_of_range_are_refused(
    opened: Opener, weights: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    with pytest.raises(ProviderRefused):
        await opened().submit_generation(a_generation(weights, **changes))
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("trainer", ["", "generator", "Preview", "../preview", "x" * 5000])
async def test_a_trainer_that_is_not_here_is_refused(opened: Opener, tmp_path: Path, trainer: str) -> None:
    request = replace(training(tmp_path), trainer=trainer)
    for call in (opened().prepare_training, opened().submit_training):
        with pytest.raises(ProviderRefused) as caught:
            await call(request)
        assert len(caught.value.sentence) < 200
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("generator", ["", "trainer", "Preview", "../preview", "x" * 5000])
async def test_a_generator_that_is_not_here_is_refused(
    opened: Opener, weights: Path, tmp_path: Path, generator: str
) -> None:
    with pytest.raises(ProviderRefused) as caught:
        await opened().submit_generation(a_generation(weights, generator=generator))
    assert len(caught.value.sentence) < 200
    assert not (tmp_path / "home").exists()


async def test_a_generation_without_a_model_is_refused(opened: Opener, weights: Path, tmp_path: Path) -> None:
    with pytest.raises(ProviderRefused, match="model"):
        await opened().submit_generation(a_generation(weights, model=None))
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("base_model", ["flux.1-dev", "flux.2-klein-9b", "", "local"])
async def test_a_model_of_another_base_is_refused(
    opened: Opener, weights: Path, tmp_path: Path, base_model: str
) -> None:
    with pytest.raises(ProviderRefused, match="made for another base model"):
        await opened().submit_generation(
            a_generation(weights, model=ModelInUse(base_model=base_model, weights=weights))
        )
    assert not (tmp_path / "home").exists()


async def test_a_model_that_is_known_by_its_link_only_is_refused(opened: Opener, tmp_path: Path) -> None:
    link = "https://storage.example/weights.zip?X-Amz-Signature=0123abcd"
    model = ModelInUse(base_model="local-quilting", weights=None, weights_link=link, remote={"version": "1"})
    with pytest.raises(ProviderRefused, match="weights"):
        await opened().submit_generation(a_generation(None, model=model))
    assert not (tmp_path / "home").exists()


async def test_reference_pictures_are_refused(opened: Opener, weights: Path, tmp_path: Path) -> None:
    (tmp_path / "reference.png").write_bytes(drawn_picture(1))
    with pytest.raises(ProviderRefused, match="reference"):
        await opened().submit_generation(a_generation(weights, images=(tmp_path / "reference.png",)))
    assert not (tmp_path / "home").exists()


async def test_preparing_and_tidying_leave_nothing_and_may_be_repeated(opened: Opener, tmp_path: Path) -> None:
    provider, request = opened(), training(tmp_path)
    for _ in range(2):
        assert await provider.prepare_training(request) == {}
        await provider.tidy_training({})
    assert request.dataset.is_file()
    assert not (tmp_path / "home").exists()


@pytest.mark.usefixtures("half_the_size")
async def test_of_a_jobs_generations_only_the_part_that_is_meant_is_found(
    opened: Opener, weights: Path, tmp_path: Path
) -> None:
    provider = opened()
    requests = [a_generation(weights, part=part) for part in range(2)]
    tasks = [await provider.submit_generation(request) for request in requests]
    assert [list(await provider.find(request, since=0.0)) for request in requests] == [[task] for task in tasks]


async def test_what_was_accepted_before_that_moment_is_not_found(opened: Opener, tmp_path: Path) -> None:
    provider = opened(now=lambda: 1000.0)
    request = training(tmp_path)
    task = await provider.submit_training(request)
    assert list(await provider.find(request, since=1000.0)) == [task]
    assert list(await provider.find(request, since=5000.0)) == []


async def test_unreadable_weights_are_refused(opened: Opener, tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("hello")
    for weights in (tmp_path / "nowhere.zip", tmp_path / "text.zip", tmp_path):
        with pytest.raises(ProviderRefused):
            await opened().submit_generation(a_generation(weights))


async def test_too_few_or_unreadable_pictures_are_refused(opened: Opener, tmp_path: Path) -> None:
    provider = opened()
    few = replace(training(tmp_path), dataset=dataset_of(tmp_path, 3), image_count=3)
    lying = replace(few, image_count=4)
    (tmp_path / "text.zip").write_text("hello")
    for request in (few, lying, replace(lying, dataset=tmp_path / "text.zip")):
        with pytest.raises(ProviderRefused):
            await provider.submit_training(request)


async def test_a_dataset_with_a_broken_picture_stops_as_refused(opened: Opener, tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path, 3, **{"9.png": b"no picture"})
    provider = opened()
    task = await provider.submit_training(replace(training(tmp_path), dataset=dataset))
    state = await ended(provider, task)
    assert isinstance(state, Stopped)
    assert isinstance(state.error, ProviderRefused)
    assert "picture" in state.error.sentence


@pytest.mark.parametrize("meaning", [meaning for meaning in MEANINGS if meaning != "outcome_unknown"])
async def test_every_call_can_be_made_to_fail(opened: Opener, tmp_path: Path, weights: Path, meaning: str) -> None:
    error = MEANINGS[meaning][0]
    calls = ("submit", "find", "attach", "check", "cancel", "fetch")
    provider = opened(",".join(f"{call}:{meaning}" for call in calls))
    with pytest.raises(error):
        await provider.submit_training(training(tmp_path))
    assert not (tmp_path / "home").exists()
    task = await provider.submit_training(training(tmp_path))
    with pytest.raises(error):
        await found(provider, tmp_path)
    with pytest.raises(error):
        await provider.attach(training(tmp_path), task.id)
    for call in (provider.check, provider.cancel):
        with pytest.raises(error):
            await call(task)
    assert await ended(provider, task) == Finished()
    with pytest.raises(error):
        await provider.fetch_weights(task, tmp_path)
    assert (await provider.fetch_weights(task, tmp_path)).path.exists()


@pytest.mark.usefixtures("half_the_size")
@pytest.mark.parametrize("meaning", ["moderated", "broken"])
async def test_work_can_be_made_to_fail_halfway_and_stays_failed(
    opened: Opener, tmp_path: Path, weights: Path, meaning: str
) -> None:
    provider = opened(f"training:{meaning}, generation:{meaning}")
    tasks = [
        await provider.submit_training(training(tmp_path)),
        await provider.submit_generation(a_generation(weights)),
    ]
    for task in tasks:
        for state in (await ended(provider, task), await opened().check(task)):
            assert isinstance(state, Stopped)
            assert type(state.error) is MEANINGS[meaning][0]
        with pytest.raises(ProviderRefused):
            await provider.fetch_weights(task, tmp_path)


async def test_a_lost_answer_hides_a_task_that_can_be_found(opened: Opener, tmp_path: Path) -> None:
    provider = opened("submit:outcome_unknown")
    with pytest.raises(OutcomeUnknown):
        await provider.submit_training(training(tmp_path))
    (task,) = await found(opened(), tmp_path)
    assert await ended(provider, task) == Finished()
    assert acceptances(tmp_path) == [["job-1", task.id]]


async def test_a_training_goes_on_after_a_crash(opened: Opener, tmp_path: Path) -> None:
    first = opened(training_seconds=0.5)
    task = await first.submit_training(training(tmp_path))
    seen = await until_under_way(first, task)
    await crash()
    second = opened(training_seconds=0.5)
    assert await found(second, tmp_path) == [task]
    assert progress_of(await second.check(task)) >= seen
    assert await ended(second, task) == Finished()
    assert len(acceptances(tmp_path)) == 1


@pytest.mark.usefixtures("half_the_size")
async def test_pictures_painted_before_a_crash_are_kept(opened: Opener, tmp_path: Path, weights: Path) -> None:
    first = opened()
    task = await first.submit_generation(a_generation(weights, count=2))
    await until_under_way(first, task, 0.5)
    await crash()
    painted = tmp_path / "home" / "tasks" / task.id / "result" / "picture-0.png"
    before = painted.stat().st_mtime_ns
    assert await ended(second := opened(), task) == Finished()
    assert painted.stat().st_mtime_ns == before
    assert len((await second.fetch_pictures(task, tmp_path)).paths) == 2


async def test_closing_puts_the_work_down_and_another_process_takes_it_up(opened: Opener, tmp_path: Path) -> None:
    first = opened(training_seconds=30)
    task = await first.submit_training(training(tmp_path))
    await until_under_way(first, task, 0.001)
    await first.close()
    assert await ended(opened(), task) == Finished()


async def test_a_cancelled_task_stops_for_good(opened: Opener, tmp_path: Path) -> None:
    provider = opened(training_seconds=30)
    task = await provider.submit_training(training(tmp_path))
    await until_under_way(provider, task, 0.001)
    assert await provider.cancel(task) is True
    assert await provider.cancel(task) is False
    worker = next(one for one in asyncio.all_tasks() if one.get_name() == task.id)
    await asyncio.wait_for(worker, 5)
    for one in (provider, opened()):
        state = await one.check(task)
        assert isinstance(state, Stopped)
        assert "cancelled" in state.error.sentence


async def test_what_has_finished_cannot_be_cancelled(opened: Opener, tmp_path: Path) -> None:
    provider = opened()
    task = await provider.submit_training(training(tmp_path))
    await ended(provider, task)
    assert await provider.cancel(task) is False
    assert await provider.check(task) == Finished()


async def test_a_stretched_training_shows_smooth_progress(opened: Opener, tmp_path: Path) -> None:
    clock = [1000.0]

    async def sleep(seconds: float) -> None:
        clock[0] += seconds
        await asyncio.sleep(0)

    provider = opened(training_seconds=60, sleep=sleep, now=lambda: clock[0], steady=lambda: clock[0])
    task = await provider.submit_training(training(tmp_path))
    seen: list[Working] = []
    while isinstance(state := await provider.check(task), Working):
        seen.append(state)
    assert state == Finished()
    assert clock[0] >= 1060
    progress = [progress_of(one) for one in seen]
    assert progress == sorted(progress)
    assert len(set(progress)) > 20
    assert seen[-1].seconds_left is not None
    assert seen[-1].seconds_left < 20


async def test_an_error_nobody_foresaw_ends_the_task(opened: Opener, tmp_path: Path) -> None:
    closed = ThreadPoolExecutor(1)
    closed.shutdown()
    provider = opened(pool=closed)
    task = await provider.submit_training(training(tmp_path))
    state = await ended(provider, task)
    assert isinstance(state, Stopped)
    assert type(state.error) is MEANINGS["broken"][0]


async def test_only_the_owner_may_read_what_is_kept(opened: Opener, tmp_path: Path) -> None:
    provider = opened()
    before = os.umask(0)
    try:
        task = await provider.submit_training(training(tmp_path))
        await ended(provider, task)
        fetched = (await provider.fetch_weights(task, tmp_path / "out")).path
    finally:
        os.umask(before)
    for path in [*(tmp_path / "home").rglob("*"), tmp_path / "home", fetched]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


async def test_a_half_filled_folder_was_never_accepted(opened: Opener, tmp_path: Path) -> None:
    provider = opened()
    accepted = await provider.submit_training(training(tmp_path))
    half = tmp_path / "home" / "incoming" / "local-half"
    half.mkdir()
    (half / "dataset.zip").write_text("half")
    os.utime(half, (0, 0))
    assert await found(provider, tmp_path, "half") == []
    await provider.submit_training(training(tmp_path, "job-2"))
    assert not half.exists()
    assert await found(provider, tmp_path) == [accepted]


async def test_changing_the_dataset_afterwards_changes_nothing(opened: Opener, tmp_path: Path) -> None:
    request = training(tmp_path)
    provider = opened()
    task = await provider.submit_training(request)
    request.dataset.write_text("gone")
    assert await ended(provider, task) == Finished()


# Captions.


async def test_a_picture_without_caption_is_described_when_captioning_is_on(opened: Opener, tmp_path: Path) -> None:
    provider = opened()
    dataset = dataset_of(tmp_path, **{"bare.png": drawn_picture(4)})
    said = {}
    for number, captioning in enumerate((True, False)):
        request = a_training(dataset, f"job-{number}", captioning=captioning)
        task = await provider.submit_training(replace(request, image_count=5))
        assert await ended(provider, task) == Finished()
        trained = await provider.fetch_weights(task, tmp_path / f"out-{number}")
        assert trained.path is not None
        said[captioning] = [picture.caption for picture in read_manifest(trained.path).pictures]
    given = [f"picture {number}" for number in range(4)]
    assert said[False] == [*given, ""]
    assert said[True] == [*given, "a softly lit, mostly brown and beige picture in landscape format"]


async def test_a_caption_may_be_as_long_as_people_may_write_it(opened: Opener, tmp_path: Path) -> None:
    provider = opened()
    written = ("ohwx, " + "😺" * MAX_CAPTION_CHARACTERS).encode()
    dataset = dataset_of(tmp_path, **{"cat.png": drawn_picture(4), "cat.txt": written})
    task = await provider.submit_training(replace(a_training(dataset, "job-1"), image_count=5))
    assert await ended(provider, task) == Finished()


async def test_a_description_is_the_same_in_another_process(opened: Opener, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(drawn_picture(1))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as elsewhere:
        there = await opened(pool=elsewhere).caption(picture)
        with pytest.raises(ProviderRefused, match="not there any more"):
            await opened(pool=elsewhere).caption(tmp_path / "gone.png")
    assert there == await opened().caption(picture)


async def test_a_pool_that_is_closed_describes_nothing(opened: Opener, tmp_path: Path) -> None:
    closed = ThreadPoolExecutor(1)
    closed.shutdown()
    with pytest.raises(ProviderBroken):
        await opened(pool=closed).caption(tmp_path / "picture.png")


async def test_a_pool_that_is_busy_for_too_long_is_not_waited_for(
    opened: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.providers.local.captions.LONGEST_SECONDS", 0.05)
    done = Event()
    with ThreadPoolExecutor(1) as busy:
        busy.submit(done.wait, 30)
        try:
            with pytest.raises(ProviderUnreachable):
                await opened(pool=busy).caption(tmp_path / "picture.png")
        finally:
            done.set()
