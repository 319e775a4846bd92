"""What nothing needs is dropped by the hundred, and nobody waits for that."""

import asyncio
import time

import pytest

from tests.workflows.drafts import DRAFT, ME, kept, store_draft
from tests.workflows.workshop import Workshop


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_rows_can_be_written_while_the_files_of_a_dataset_go(workshop: Workshop) -> None:
    await store_draft(workshop, [None] * 5)
    await store_draft(workshop, [None], dataset_id="6006", name="Moon")
    others = {image.file for image in (await workshop.do.datasets.meant("Moon", ME)).images}
    real, written_meanwhile = workshop.files.remove, []

    def slowly(name: str) -> None:
        time.sleep(0.4)
        real(name)

    workshop.files.remove = slowly  # type: ignore[method-assign]
    deleting = asyncio.create_task(workshop.do.datasets.delete(DRAFT, ME))
    while not workshop.files.changing.locked():
        await asyncio.sleep(0.005)
    await asyncio.sleep(0.1)
    while workshop.files.changing.locked():
        await workshop.do.datasets.edit("6006", ME, name=f"Moon {len(written_meanwhile)}")
        written_meanwhile.append(workshop.files.changing.locked())
    await deleting
    assert any(written_meanwhile)
    assert kept(workshop) == others
