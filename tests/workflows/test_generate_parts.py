"""Generate, where one job is several paid requests, needs no model, chooses a generator, or begins with a picture."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.errors import BadInput, NotFound, OutcomeUnknown, ProviderBusy, ProviderModerated, ProviderUnreachable
from bot.permissions import Asker
from bot.providers.card import GeneratorCard, ModelBy, ProviderCard, Range
from bot.providers.tasks import FetchedPictures, GenerationRequest, Stopped, Task, TaskState
from bot.workflows.requests import REFERENCE_BYTES, SEEDS, GenerateRequest
from storage.database import Database
from storage.jobs import Job, add_job
from storage.models import add_model
from storage.pictures import Picture, pictures_of_job
from storage.statuses import ErrorCategory, JobStatus
from storage.training_sets import add_training_set
from tests.builders import CARD, GENERATION, GENERATOR, PLACE, finetune_job, model, training_set
from tests.dataset_files import jpeg_bytes, photo
from tests.fakes import FakeProvider
from tests.workflows.workshop import Workshop, upload

ME = PLACE.person_id
ONE_BY_ONE = replace(GENERATOR, pictures=Range(lowest=1, highest=1, default=1))
BASE = replace(
    GENERATOR,
    id="base",
    title="Base",
    base_models=(),
    needs_model=False,
    strength=None,
    model_by=(),
    reference_images=1,
)
RETIRED = replace(GENERATOR, id="old", title="Old", retired="Old was switched off in May: choose another generator.")
FOREIGN = replace(GENERATOR, id="foreign", title="Foreign", base_models=("flux.2-dev",))
BY_LINK = replace(GENERATOR, id="link", title="By link", model_by=(ModelBy.LINK,))

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@dataclass(frozen=True, kw_only=True)
class Moment:
    """`before` or `after` the effect of a call for one part."""

    call: str
    part: int
    when: str


class Painter(FakeProvider):
    """Needs no model where its card says so, and can refuse, withhold, spoil or hang on single parts."""

    def __init__(self, home: Path, *generators: GeneratorCard, card: ProviderCard = CARD) -> None:
        super().__init__(home, card=replace(card, generators=generators), checks_until_finished=1)
        self.refuses_at_once: set[int] = set()
        self.refuses_later: set[int] = set()
        self.doubts: set[int] = set()
        self.asked: list[int] = []
        self.withheld: dict[int, int] = {}
        self.spoils = 0
        self.hangs_at: Moment | None = None
        self.reached = asyncio.Event()
        self.seen: list[bytes] = []

    async def submit_generation(self, request: GenerationRequest) -> Task:
        await self._hang("submit", request.part, "before")
        self._fail("submit")
        self.asked.append(request.part)
        if request.part in self.doubts:
            raise OutcomeUnknown("no answer")
        self.seen += [path.read_bytes() for path in request.images]
        if request.part in self.refuses_at_once:
            raise ProviderModerated(f"Picture {request.part} was refused for its content.")
        if request.model is not None:
            assert request.model.weights is not None
            assert request.model.weights.is_file()
        name = f"{request.job_id}/{request.part}" if request.part else request.job_id
        task = self._accept(name, pictures=str(request.count), part=str(request.part), seed=str(request.seed))
        await self._hang("submit", request.part, "after")
        return task

    async def check(self, task: Task) -> TaskState:
        part = self._part_of(task)
        await self._hang("check", part, "before")
        state = await super().check(task)
        await self._hang("check", part, "after")
        if part in self.refuses_later:
            return Stopped(error=ProviderModerated(f"Picture {part} was refused for its content."))
        return state

    async def fetch_pictures(self, task: Task, into: Path) -> FetchedPictures:
        """The first pixel says of which part, and which of its pictures."""
        part = self._part_of(task)
        await self._hang("fetch", part, "before")
        self._fail("fetch")
        wanted = next(int(line["pictures"]) for line in self.accepted() if line["task"] == task.id)
        withheld = self.withheld.get(part, 0)
        paths = [into / f"{number}.png" for number in range(wanted - withheld)]
        for number, path in enumerate(paths):
            Image.new("RGB", (8, 8), (part, number, 0)).save(path)
        if self.spoils:
            self.spoils -= 1
            paths[0].write_text("<html>not a picture</html>")
        await self._hang("fetch", part, "after")
        return FetchedPictures(paths=paths, withheld=withheld)

    def _part_of(self, task: Task) -> int:
        return next(int(line["part"]) for line in self.accepted() if line["task"] == task.id)

    async def _hang(self, call: str, part: int, when: str) -> None:
        if self.hangs_at == Moment(call=call, part=part, when=when):
            self.reached.set()
            await asyncio.Event().wait()


@pytest.fixture
async def studio(database: Database, tmp_path: Path, pool: Executor) -> AsyncIterator[Workshop]:
    """Not started yet: each test names the generators first."""
    workshop = Workshop(database, tmp_path, pool)
    weights = workshop.files.work_folder("w") / "weights"
    weights.write_bytes(b"weights")
    name = await workshop.files.keep(weights)
    async with database.writing() as connection:
        await add_job(connection, finetune_job(status=JobStatus.DONE))
        await add_training_set(connection, training_set())
        await add_model(connection, model(weights_file=name))
    yield workshop
    await workshop.close()


async def opened(studio: Workshop, folder: Path, *generators: GeneratorCard) -> Painter:
    painter = Painter(folder / "painter", *generators)
    studio.provider = painter
    await studio.start()
    return painter


def request(**changes: Any) -> GenerateRequest:
    known = {name: GENERATION[name] for name in ("prompt", "strength", "aspect_ratio", "count", "seed")}
    return GenerateRequest(**{"model": "1001", **known, **changes})


async def ended(studio: Workshop, *, job_id: str = "2002", **changes: Any) -> Job:
    await studio.do.generate.request(job_id, PLACE, request(**changes))
    return await studio.until(job_id, JobStatus.DONE, JobStatus.FAILED)


async def pictures(studio: Workshop) -> list[Picture]:
    async with studio.database.reading() as connection:
        return await pictures_of_job(connection, "2002")


async def made_for(studio: Workshop) -> list[tuple[int, tuple[int, ...]]]:
    """Each picture's position, and the part and number that are painted on it."""
    found = []
    for picture in await pictures(studio):
        image = Image.open(io.BytesIO(await studio.files.read(picture.file)))
        pixel = image.getpixel((0, 0))
        assert isinstance(pixel, tuple)
        found.append((picture.position, pixel[:2]))
    return found


def submitted(painter: Painter) -> list[tuple[str, str, str]]:
    return [(line["job"], line["pictures"], line["seed"]) for line in painter.accepted()]


# Several requests.


async def test_a_generator_of_single_pictures_is_asked_once_for_each(studio: Workshop, tmp_path: Path) -> None:
    painter = await opened(studio, tmp_path, ONE_BY_ONE)
    job = await ended(studio, count=4, seed=7)
    assert job.error_sentence is None
    assert submitted(painter) == [
        ("2002", "1", "7"),
        ("2002/1", "1", "8"),
        ("2002/2", "1", "9"),
        ("2002/3", "1", "10"),
    ]
    assert await made_for(studio) == [(part, (part, 0)) for part in range(4)]
    assert job.progress == 1.0
    assert studio.cards.delivered == ["2002"]


async def test_seeds_begin_again_after_the_last_one(studio: Workshop, tmp_path: Path) -> None:
    painter = await opened(studio, tmp_path, ONE_BY_ONE)
    await ended(studio, count=4, seed=SEEDS - 2)
    assert [int(seed) for _, _, seed in submitted(painter)] == [SEEDS - 2, SEEDS - 1, 0, 1]


async def test_a_count_that_does_not_divide_ends_with_a_smaller_request(studio: Workshop, tmp_path: Path) -> None:
    painter = await opened(studio, tmp_path, replace(GENERATOR, pictures=Range(lowest=1, highest=2, default=1)))
    await ended(studio, count=3, seed=7)
    assert submitted(painter) == [("2002", "2", "7"), ("2002/1", "1", "9")]
    assert await made_for(studio) == [(0, (0, 0)), (1, (0, 1)), (2, (1, 0))]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", ["submit", "check", "fetch"])
async def test_a_crash_at_the_third_picture_submits_each_once(
    studio: Workshop, tmp_path: Path, call: str, when: str
) -> None:
    painter = await opened(studio, tmp_path, ONE_BY_ONE)
    painter.hangs_at = Moment(call=call, part=2, when=when)
    await studio.do.generate.request("2002", PLACE, request(count=4, seed=7))
    await asyncio.wait_for(painter.reached.wait(), 20)
    await studio.crash()
    painter.hangs_at = None
    await studio.start()
    job = await studio.until("2002", JobStatus.DONE, JobStatus.FAILED)

    assert job.error_sentence is None
    assert [name for name, _, _ in submitted(painter)] == ["2002", "2002/1", "2002/2", "2002/3"]
    assert await made_for(studio) == [(part, (part, 0)) for part in range(4)]
    assert set(studio.cards.delivered) == {"2002"}


async def test_a_part_that_is_told_to_wait_does_not_pay_the_others_again(studio: Workshop, tmp_path: Path) -> None:
    painter = await opened(studio, tmp_path, ONE_BY_ONE)
    painter.hangs_at = Moment(call="submit", part=2, when="before")
    await studio.do.generate.request("2002", PLACE, request(count=4))
    await asyncio.wait_for(painter.reached.wait(), 20)
    await studio.crash()
    painter.hangs_at = None
    painter.fail_next("submit", ProviderBusy("busy"), ProviderBusy("busy"))
    await studio.start()
    assert (await studio.until("2002", JobStatus.DONE, JobStatus.FAILED)).error_sentence is None
    assert [name for name, _, _ in submitted(painter)] == ["2002", "2002/1", "2002/2", "2002/3"]


# What a provider keeps back.


@pytest.mark.parametrize("moment", ["refuses_at_once", "refuses_later"])
async def test_a_part_that_is_refused_for_its_content_costs_that_part_only(
    studio: Workshop, tmp_path: Path, moment: str
) -> None:
    painter = await opened(studio, tmp_path, ONE_BY_ONE)
    setattr(painter, moment, {1})
    job = await ended(studio, count=4)
    assert (job.status, job.error_sentence) == (JobStatus.DONE, None)
    assert [position for position, _ in await made_for(studio)] == [0, 2, 3]


@pytest.mark.parametrize("moment", ["refuses_at_once", "refuses_later"])
async def test_when_every_part_is_refused_the_job_ends_with_the_verdict(
    studio: Workshop, tmp_path: Path, moment: str
) -> None:
    painter = await opened(studio, tmp_path, ONE_BY_ONE)
    setattr(painter, moment, {0, 1, 2})
    job = await ended(studio, count=3)
    assert (job.error_category, job.error_sentence) == (
        ErrorCategory.MODERATION,
        "Picture 0 was refused for its content.",
    )
    assert await pictures(studio) == []


async def test_a_picture_that_is_held_back_leaves_a_gap(studio: Workshop, tmp_path: Path) -> None:
    painter = await opened(studio, tmp_path, ONE_BY_ONE)
    painter.withheld = {1: 1}
    assert (await ended(studio, count=4)).status is JobStatus.DONE
    assert await made_for(studio) == [(0, (0, 0)), (2, (2, 0)), (3, (3, 0))]


async def test_the_next_request_keeps_its_places_when_one_before_is_short(studio: Workshop, tmp_path: Path) -> None:
    painter = await opened(studio, tmp_path, replace(GENERATOR, pictures=Range(lowest=1, highest=2, default=1)))
    painter.withheld = {0: 1}
    assert (await ended(studio, count=4)).status is JobStatus.DONE
    assert await made_for(studio) == [(0, (0, 0)), (2, (1, 0)), (3, (1, 1))]


async def test_when_every_picture_is_held_back_there_is_a_sentence(studio: Workshop, tmp_path: Path) -> None:
    painter = await opened(studio, tmp_path, ONE_BY_ONE)
    painter.withheld = {0: 1, 1: 1}
    job = await ended(studio, count=2)
    assert job.status is JobStatus.FAILED
    assert "safety check held back every picture" in (job.error_sentence or "")
    assert job.error_category is ErrorCategory.MODERATION
    assert len(painter.accepted()) == 2


async def test_something_that_is_no_picture_is_fetched_again(studio: Workshop, tmp_path: Path) -> None:
    painter = await opened(studio, tmp_path, ONE_BY_ONE)
    painter.spoils = 1
    assert (await ended(studio, count=2)).error_sentence is None
    assert await made_for(studio) == [(0, (0, 0)), (1, (1, 0))]
    assert len(painter.accepted()) == 2


async def test_something_that_is_never_a_picture_fails_with_a_sentence_and_is_not_paid_again(
    studio: Workshop, tmp_path: Path
) -> None:
    painter = await opened(studio, tmp_path, ONE_BY_ONE)
    painter.spoils = 100
    job = await ended(studio, count=1)
    assert (job.status, job.error_category) == (JobStatus.FAILED, ErrorCategory.SERVICE_ERROR)
    assert "is no picture, or a broken one" in (job.error_sentence or "")
    assert len(painter.accepted()) == 1
    assert await pictures(studio) == []


# Which generator.


async def test_without_a_model_pictures_belong_to_none(studio: Workshop, tmp_path: Path) -> None:
    await opened(studio, tmp_path, GENERATOR, BASE)
    for chosen in ("fake:base", "Base"):
        job_id = "2002" if chosen == "Base" else "2003"
        job = await ended(studio, job_id=job_id, model=chosen, strength=None)
        assert job.error_sentence is None
        assert (job.details["name"], job.details["model"], job.details["strength"]) == ("Base", None, None)
    assert [picture.model_id for picture in await pictures(studio)] == [None, None]


async def test_the_first_generator_that_fits_is_taken(studio: Workshop, tmp_path: Path) -> None:
    await opened(studio, tmp_path, FOREIGN, BASE, RETIRED, BY_LINK, GENERATOR, replace(GENERATOR, id="second"))
    job = await ended(studio)
    assert (job.status, job.details["generator"]) == (JobStatus.DONE, "generator")


@pytest.mark.parametrize("named", ["fake:second", " SECOND choice "])
async def test_a_generator_that_is_named_is_taken(studio: Workshop, tmp_path: Path, named: str) -> None:
    await opened(studio, tmp_path, GENERATOR, replace(GENERATOR, id="second", title="Second choice"))
    job = await ended(studio, generator=named)
    assert (job.status, job.details["generator"]) == (JobStatus.DONE, "second")


CANNOT_BE_USED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"generator": "fake:old"}, BadInput, "Old was switched off in May"),
    ({"generator": "fake:foreign"}, BadInput, "Foreign cannot use that model: it belongs to flux-fake"),
    ({"generator": "fake:base"}, BadInput, "Base cannot use that model"),
    ({"generator": "fake:nothing"}, BadInput, "no such generator here"),
    ({"model": "fake:generator"}, NotFound, "no model of that name"),
    ({"model": "fake:old"}, NotFound, "no model of that name"),
]


async def test_a_generator_that_cannot_be_used_is_refused_before_anything_is_paid(
    studio: Workshop, tmp_path: Path
) -> None:
    painter = await opened(studio, tmp_path, GENERATOR, RETIRED, FOREIGN, BASE)
    for changes, refusal, sentence in CANNOT_BE_USED:
        with pytest.raises(refusal, match=sentence):
            await studio.do.generate.request("2002", PLACE, request(**changes))
    assert painter.accepted() == []
    with pytest.raises(AssertionError):
        await studio.job("2002")


async def test_a_named_generator_that_cannot_get_hold_of_the_model_is_refused(studio: Workshop, tmp_path: Path) -> None:
    await opened(studio, tmp_path, GENERATOR, BY_LINK)
    with pytest.raises(BadInput, match="By link cannot get hold of Luna"):
        await studio.do.generate.request("2002", PLACE, request(generator="fake:link"))


@pytest.mark.parametrize(
    ("generators", "sentence"),
    [
        ((RETIRED,), "Old was switched off in May"),
        ((BY_LINK,), "only through a link that it can read"),
        ((FOREIGN,), "generates with models of flux-fake"),
        ((), "generates with models of flux-fake"),
    ],
)
async def test_a_model_that_nothing_here_can_use_says_why(
    studio: Workshop, tmp_path: Path, generators: tuple[GeneratorCard, ...], sentence: str
) -> None:
    await opened(studio, tmp_path, *generators)
    with pytest.raises(BadInput, match=sentence):
        await studio.do.generate.request("2002", PLACE, request())


async def test_jobs_of_a_provider_that_was_switched_off_since_end_with_a_sentence(
    studio: Workshop, tmp_path: Path
) -> None:
    """Two at work and one that still waits for its turn."""
    other = Painter(tmp_path / "other", GENERATOR, card=replace(CARD, name="other", title="Other"))
    other.hangs_at = Moment(call="check", part=0, when="before")
    studio.other_providers = [other]
    await opened(studio, tmp_path)
    ids = ("2002", "2003", "2004")
    for job_id in ids:
        await studio.do.generate.request(job_id, PLACE, request())
    async with asyncio.timeout(20):
        while len(other.accepted()) < 2:
            await asyncio.sleep(0.02)
    await studio.crash()
    studio.other_providers = []
    await studio.start()
    for job_id in ids:
        job = await studio.until(job_id, JobStatus.DONE, JobStatus.FAILED)
        assert job.error_category is ErrorCategory.GONE
        assert "not offered here any more" in job.error_sentence or "switched off" in job.error_sentence


# A picture to begin with.

WITH_REFERENCES = replace(GENERATOR, reference_images=2)


def holiday_photo(path: Path, number: int = 1) -> Path:
    """Says where and with what it was taken."""
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 0.0)
    path.write_bytes(jpeg_bytes(photo(number), exif=exif.tobytes(), comment=b"SecretPlace"))
    return path


def left_of(studio: Workshop, folder: Path) -> list[Path]:
    return [path for path in (folder / "files" / "work").rglob("*") if path.is_file() and path.name != "weights"]


async def test_a_reference_picture_reaches_the_generator_without_its_secrets_and_does_not_stay(
    studio: Workshop, tmp_path: Path
) -> None:
    painter = await opened(studio, tmp_path, WITH_REFERENCES)
    raw = holiday_photo(tmp_path / "holiday.jpg")
    assert b"SecretCamera" in raw.read_bytes()
    job = await ended(studio, images=(upload(raw), upload(holiday_photo(tmp_path / "second.jpg", 2))))
    assert job.error_sentence is None
    assert len(set(painter.seen)) == 2
    for content in painter.seen:
        assert b"Secret" not in content
        picture = Image.open(io.BytesIO(content))
        assert not picture.getexif()
        assert picture.size == (640, 480)
    assert left_of(studio, tmp_path) == []
    kept = {hashlib.sha256(content).hexdigest() for content in [*painter.seen, raw.read_bytes()]}
    assert not any(studio.files.has(name) for name in kept)


@pytest.mark.parametrize("spoilt", ["text", "cut off", "empty"])
async def test_a_reference_that_is_no_picture_is_refused_before_anything_is_paid(
    studio: Workshop, tmp_path: Path, spoilt: str
) -> None:
    painter = await opened(studio, tmp_path, WITH_REFERENCES)
    whole = jpeg_bytes(photo(1))
    file = tmp_path / "fox.jpg"
    file.write_bytes({"text": b"this is no picture", "cut off": whole[: len(whole) // 2], "empty": b""}[spoilt])
    job = await ended(studio, images=(upload(file),))
    assert (job.status, job.error_category) == (JobStatus.FAILED, ErrorCategory.VALIDATION)
    words = {"text": "is not a picture", "cut off": "is cut off: save it again", "empty": "is empty"}
    assert job.error_sentence == f"Your reference picture fox.jpg {words[spoilt]}."
    assert painter.accepted() == []
    assert left_of(studio, tmp_path) == []


async def test_a_reference_goes_with_a_job_that_fails_too(studio: Workshop, tmp_path: Path) -> None:
    painter = await opened(studio, tmp_path, WITH_REFERENCES)
    painter.refuses_later = {0}
    assert (await ended(studio, images=(upload(holiday_photo(tmp_path / "holiday.jpg")),))).status is JobStatus.FAILED
    assert left_of(studio, tmp_path) == []


async def test_a_crash_after_the_reference_arrived_needs_it_no_second_time(studio: Workshop, tmp_path: Path) -> None:
    painter = await opened(studio, tmp_path, WITH_REFERENCES)
    painter.hangs_at = Moment(call="submit", part=0, when="before")
    raw = holiday_photo(tmp_path / "holiday.jpg")
    await studio.do.generate.request("2002", PLACE, request(images=(upload(raw),)))
    await asyncio.wait_for(painter.reached.wait(), 20)
    await studio.crash()
    painter.hangs_at = None
    raw.unlink()
    await studio.start()
    assert (await studio.until("2002", JobStatus.DONE, JobStatus.FAILED)).error_sentence is None
    assert len(painter.seen) == 1


@pytest.mark.parametrize(
    ("generator", "count", "size_bytes", "sentence"),
    [
        (GENERATOR, 1, 100, "takes no reference picture"),
        (WITH_REFERENCES, 3, 100, "at most 2 reference pictures"),
        (WITH_REFERENCES, 1, REFERENCE_BYTES + 1, "at most 20 MiB"),
    ],
)
async def test_more_than_the_generator_takes_is_refused_at_once(
    studio: Workshop, tmp_path: Path, generator: GeneratorCard, count: int, size_bytes: int, sentence: str
) -> None:
    await opened(studio, tmp_path, generator)
    fox = holiday_photo(tmp_path / "fox.jpg")
    images = (replace(upload(fox), size_bytes=size_bytes),) * count
    with pytest.raises(BadInput, match=sentence):
        await studio.do.generate.request("2002", PLACE, request(images=images))
    assert studio.downloads.fetched == 0


async def test_the_price_of_a_job_is_that_of_all_its_pictures(studio: Workshop, tmp_path: Path) -> None:
    await opened(studio, tmp_path, ONE_BY_ONE)
    assert (await ended(studio, count=3)).details["price_usd"] == pytest.approx(0.06)


async def test_a_part_in_doubt_is_its_persons_to_decide_and_what_is_made_is_kept(
    studio: Workshop, tmp_path: Path
) -> None:
    painter = await opened(studio, tmp_path, ONE_BY_ONE)
    painter.doubts, painter.refuses_later = {1, 3}, {2}
    painter.fail_next("find", *[ProviderUnreachable("away")] * 100)
    await studio.do.generate.request("2002", PLACE, request(count=4, seed=7))
    job = await studio.until("2002", JobStatus.UNCERTAIN, JobStatus.DONE, JobStatus.FAILED)
    assert job.status is JobStatus.UNCERTAIN
    assert painter.asked == [0, 1, 2, 3]

    painter.doubts = set()
    await studio.do.retry.submit_again("2002", Asker(person_id=ME))
    job = await studio.until("2002", JobStatus.UNCERTAIN, JobStatus.DONE, JobStatus.FAILED)
    assert job.status is JobStatus.UNCERTAIN, "the other one is a question too"
    await studio.do.retry.submit_again("2002", Asker(person_id=ME))
    assert (await studio.until("2002", JobStatus.DONE, JobStatus.FAILED)).status is JobStatus.DONE
    assert [position for position, _ in await made_for(studio)] == [0, 1, 3]
    assert painter.asked == [0, 1, 2, 3, 1, 3], "what was made or refused is not asked for again"
