"""Datasets: what their person does to a draft, each step saved at once. Pictures come in by `preparation`."""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import asdict

from bot.advice import appraisal_of
from bot.datasets.captions.captions import MAX_CAPTION_CHARACTERS, cleaned_caption
from bot.datasets.captions.edits import put_before_all, replace_in_all
from bot.datasets.limits import DatasetLimits
from bot.errors import BadInput, NotFound, TooLate, TooMany
from bot.permissions import own_dataset
from bot.providers.card import Mode, TrainerCard
from bot.workflows.preparation import LANE, PREPARE
from bot.workflows.requests import AddRequest, Which, checked_name, checked_uploads
from bot.workflows.workbench import Workbench
from storage.database import Connection
from storage.dataset_jobs import dataset_being_begun
from storage.dataset_steps import change_images, remove_images, rename_dataset, undo_step
from storage.datasets import (
    Dataset,
    count_datasets_of_person,
    dataset_named,
    delete_dataset,
    find_dataset,
    free_name,
    locked_dataset,
)
from storage.jobs import Job
from storage.places import Place, hold_place
from storage.statuses import DatasetAct, JobKind, JobStatus

DATASETS_PER_PERSON = 100
LOOKS_LIKE_AN_ID = re.compile(r"[0-9]{15,20}")
OUR_WORK = "atelier"  # where no provider has a part

Change = Callable[[Connection, Dataset], Awaitable[object]]


class Datasets:
    """Every method raises `NotFound` for one that is gone, `NotYours` for another person's, and `BadInput`."""

    def __init__(self, bench: Workbench, *, limits: DatasetLimits) -> None:
        self._bench = bench
        self._database = bench.database
        self._limits = limits

    async def add(self, job_id: str, place: Place, request: AddRequest, *, weight: int = 1) -> None:
        """Take pictures in; the addition's card appears in the channel. Raises `TooMany` too."""
        checked_uploads(request.uploads, max_bytes=self._limits.max_upload_bytes)
        await self._bench.room.require(place.person_id, request.uploads)
        async with self._database.writing() as connection:
            await hold_place(connection, place)  # of two additions at once the second sees the first
            name, dataset_id, begun_as = await self._aim(connection, place, request)
            job = Job(
                id=job_id,
                place=place,
                kind=JobKind.ADD,
                status=JobStatus.PREPARING,
                provider=OUR_WORK,
                weight=weight,
                details={
                    "name": name,
                    "dataset": dataset_id or begun_as or job_id,
                    "is_new": dataset_id is None,
                    "uploads": [asdict(upload) for upload in request.uploads],
                },
            )
            if await self._bench.add(connection, job):
                await self._bench.enqueue(connection, job, story=PREPARE, lane=LANE)

    async def _aim(
        self, connection: Connection, place: Place, request: AddRequest
    ) -> tuple[str, str | None, str | None]:
        """Its name, its id unless it is new, and the id under which another addition is beginning it."""
        person_id = place.person_id
        if request.which is not Which.NEW:
            dataset_id = await dataset_meant(connection, person_id, request.dataset)
            if dataset_id is not None or request.which is Which.KNOWN:
                dataset = await find_dataset(connection, dataset_id or "")
                return own_dataset(dataset, person_id).name, dataset_id, None
        if LOOKS_LIKE_AN_ID.fullmatch(request.dataset.strip()):  # picked from a list that is older than its deletion
            own_dataset(None, person_id)
        name = checked_name(request.dataset, "dataset")
        await require_room(connection, place)
        if request.which is Which.NEW:
            return await free_name(connection, person_id, name), None, None
        return name, None, await dataset_being_begun(connection, person_id, name)

    async def meant(self, text: str, person_id: int) -> Dataset:
        """This person's dataset by its id, as autocomplete gives it, or by its name."""
        async with self._database.reading() as connection:
            dataset_id = await dataset_meant(connection, person_id, text)
            if dataset_id is None:
                raise NotFound("You have no dataset of that name: pick one from the list.")
            return own_dataset(await find_dataset(connection, dataset_id), person_id)

    async def leave_out_flagged(self, dataset_id: str, person_id: int, trainer: TrainerCard, mode: Mode) -> Dataset:
        """What the trainer is better without."""

        async def change(connection: Connection, dataset: Dataset) -> None:
            has_storage = self._bench.objects is not None
            flagged = appraisal_of(dataset, trainer, mode, has_object_storage=has_storage).flagged
            await _putting(DatasetAct.LEAVE_OUT, flagged, is_in=False)(connection, dataset)

        return await self._change(dataset_id, person_id, change)

    async def edit(
        self,
        dataset_id: str,
        person_id: int,
        *,
        name: str | None = None,
        leave_out: Sequence[int] = (),
        take_back: Sequence[int] = (),
        remove: Sequence[int] = (),
    ) -> Dataset:
        """Each a step of its own, but what is removed is gone for good; without a name it keeps its own."""
        called = None if name is None else checked_name(name, "dataset")

        async def change(connection: Connection, dataset: Dataset) -> None:
            if called is not None and called != dataset.name:
                other = await dataset_named(connection, person_id, called)
                if other not in (None, dataset.id):
                    raise BadInput(f"You already have a dataset called {called}: choose another name.")
                await rename_dataset(connection, dataset, called)
            await _putting(DatasetAct.LEAVE_OUT, leave_out, is_in=False)(connection, dataset)
            await _putting(DatasetAct.TAKE_BACK, take_back, is_in=True)(connection, dataset)
            if remove:
                gone.update(await remove_images(connection, dataset, _known(dataset, remove)))

        gone: set[str] = set()
        return await self._change(dataset_id, person_id, change, gone=gone)

    async def write_captions(self, dataset_id: str, person_id: int, captions: Mapping[int, str]) -> Dataset:
        """An empty caption removes the one that was there."""
        cleaned = {number: cleaned_caption(text) or None for number, text in captions.items()}
        for number, caption in cleaned.items():
            if caption is not None and len(caption) > MAX_CAPTION_CHARACTERS:
                raise BadInput(f"Caption {number} is longer than {MAX_CAPTION_CHARACTERS:,} characters: shorten it.")
        return await self._change(dataset_id, person_id, _captioning(lambda _dataset: cleaned))

    async def replace_in_captions(self, dataset_id: str, person_id: int, *, find: str, put: str) -> int:
        """In every picture's caption; how many changed. With nothing to find, `put` comes before each of them."""
        changed: dict[int, str | None] = {}

        def edited(dataset: Dataset) -> Mapping[int, str | None]:
            captions = {image.number: image.caption for image in dataset.chosen}
            changed.update(replace_in_all(captions, find, put) if find else put_before_all(captions, put))
            return changed

        await self._change(dataset_id, person_id, _captioning(edited))
        return len(changed)

    async def undo(self, dataset_id: str, person_id: int, step: int) -> Dataset:
        """The last step, which is named so that a button pressed twice undoes one. Raises `TooLate`."""

        async def change(connection: Connection, dataset: Dataset) -> None:
            if dataset.last_act is None:
                raise BadInput("There is nothing left to undo.")
            if not await undo_step(connection, dataset, step):
                raise TooLate("That was undone already, or something was done since: look at the dataset again.")

        return await self._change(dataset_id, person_id, change)

    async def delete(self, dataset_id: str, person_id: int) -> Dataset:
        """For good, with its pictures; what trainings have learnt from stays with them."""
        async with self._database.writing() as connection:
            dataset = own_dataset(await locked_dataset(connection, dataset_id), person_id)
            files = await delete_dataset(connection, dataset)
        await self._bench.drop_files(files)
        await self._bench.refresh_reviews(dataset_id)
        return dataset

    async def _change(self, dataset_id: str, person_id: int, change: Change, *, gone: Collection[str] = ()) -> Dataset:
        """The dataset as it is afterwards; `gone` is where the change says which files no dataset has any more."""
        async with self._database.writing() as connection:
            before = own_dataset(await locked_dataset(connection, dataset_id), person_id)
            await change(connection, before)
            changed = own_dataset(await find_dataset(connection, dataset_id), person_id)
            most = self._limits.max_images
            if len(changed.chosen) > max(most, len(before.chosen)):
                raise BadInput(f"A dataset holds {most:,} pictures at most: leave out others first.")
        if gone:
            await self._bench.drop_files(gone)
        await self._bench.refresh_reviews(dataset_id)
        return changed


async def dataset_meant(connection: Connection, person_id: int, text: str) -> str | None:
    """The id of this person's dataset, by that id, as autocomplete gives it, or by its name."""
    dataset = await find_dataset(connection, text.strip())
    if dataset is not None and dataset.place.person_id == person_id:
        return dataset.id
    return await dataset_named(connection, person_id, " ".join(text.split()))


async def require_room(connection: Connection, place: Place) -> None:
    """Raises `TooMany` when this person has as many datasets as one may."""
    if await count_datasets_of_person(connection, place.person_id) >= DATASETS_PER_PERSON:
        raise TooMany(f"You have {DATASETS_PER_PERSON} datasets: delete one with /dataset delete first.")


def _putting(act: DatasetAct, numbers: Sequence[int], *, is_in: bool) -> Change:
    async def change(connection: Connection, dataset: Dataset) -> None:
        changes = {number: {"is_in": is_in} for number in _known(dataset, numbers)}
        await change_images(connection, dataset, act, changes)

    return change


def _known(dataset: Dataset, numbers: Sequence[int]) -> list[int]:
    """Those of them that are there: between the others, some may have been deleted for good."""
    known = {image.number for image in dataset.images}
    if unknown := [number for number in numbers if not 0 < number <= max(known, default=0)]:
        raise BadInput(f"There is no picture {unknown[0]} in {dataset.name}: use the numbers on the sheet.")
    return [number for number in numbers if number in known]


def _captioning(edited: Callable[[Dataset], Mapping[int, str | None]]) -> Change:
    async def change(connection: Connection, dataset: Dataset) -> None:
        known = {image.number for image in dataset.images}
        captions = {number: {"caption": text} for number, text in edited(dataset).items() if number in known}
        await change_images(connection, dataset, DatasetAct.CAPTION, captions)

    return change
