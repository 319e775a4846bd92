"""Whether there is room for pictures: on the disk, and in what one person may keep in datasets."""

from collections import ChainMap
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.downloads import Upload
from bot.errors import TooMany
from storage.database import Database
from storage.datasets import sizes_in_datasets
from storage.files import Files

TO_SPARE_BYTES = 8 << 20  # for rows, sheets and whatever else is written meanwhile
TIMES = 2  # as it arrives, and as pictures made of it
NAMED_DATASETS = 3


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What a person keeps: the bytes of each dataset by its name, and of each file. `most_bytes` 0 is no bound."""

    datasets: Mapping[str, int]
    files: Mapping[str, int]
    most_bytes: int

    def refusal(self, coming: Mapping[str, int], *, is_public: bool) -> str | None:
        """What is said of files that would be too much, by name and size; a file that is kept already costs nothing.
        In public without the names of datasets, which are their person's own."""
        together = sum({**coming, **self.files}.values())
        if not self.most_bytes or together < self.most_bytes:
            return None
        makes = f"That makes {_amount(together)} of pictures, and one person may keep {_amount(self.most_bytes)}"
        if not self.datasets:
            return f"{makes}: send fewer or smaller pictures."
        largest = sorted(self.datasets.items(), key=lambda item: -item[1])[:NAMED_DATASETS]
        names = ", ".join(f"{name} ({_amount(size)})" for name, size in largest)
        way_out = f"{makes}: delete pictures for good with /dataset edit, or a dataset with /dataset delete."
        return way_out if is_public else f"{way_out} The largest: {names}."


@dataclass(frozen=True, kw_only=True)
class Room:
    database: Database
    files: Files
    most_bytes_per_person: int
    pause: Callable[[float], Awaitable[None]]

    async def require(self, person_id: int, uploads: Sequence[Upload]) -> None:
        """Before anything is taken in. Raises `TooMany` when this person's room is used up, `StorageTrouble`."""
        await self.require_on_disk(sum(upload.size_bytes for upload in uploads))
        if refusal := (await self.kept_by(person_id)).refusal({}, is_public=False):
            raise TooMany(refusal)

    async def require_on_disk(self, upload_bytes: int) -> None:
        """Raises `StorageTrouble`: better before gigabytes have come than after."""
        await self.files.require_room(TIMES * upload_bytes + TO_SPARE_BYTES)

    async def kept_by(self, person_id: int) -> Kept:
        """Nobody adds to it while `Files.changing` is held."""
        if not self.most_bytes_per_person:
            return Kept(datasets={}, files={}, most_bytes=0)
        async with self.database.reading() as connection:
            sizes = await sizes_in_datasets(connection, person_id)
        return Kept(
            datasets={name: sum(of.values()) for name, of in sizes.items()},
            files=dict(ChainMap(*sizes.values())),
            most_bytes=self.most_bytes_per_person,
        )


def _amount(size_bytes: int) -> str:
    return f"{size_bytes / 2**30:.1f} GiB" if size_bytes >= 2**30 else f"{size_bytes / 2**20:,.1f} MiB"
