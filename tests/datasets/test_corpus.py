"""Everything in the corpus meets the verdict written next to it, and leaves only what it says."""

import hashlib
from pathlib import Path

import pytest

from bot.errors import DatasetRejected
from tests.datasets.cases import LIMITS
from tests.datasets.conftest import HandOver
from tests.datasets.corpus import CASES

KEPT = [name for name, case in CASES.items() if not case.refused]
REFUSED = [name for name, case in CASES.items() if case.refused]


@pytest.mark.parametrize("name", KEPT)
async def test_what_is_meant_well_is_kept_and_the_rest_explained(
    name: str, hand_over: HandOver, prepared_into: Path
) -> None:
    case = CASES[name]

    prepared = await hand_over(case.files(), limits=LIMITS)

    assert [image.name for image in prepared.images] == list(case.kept)
    assert sorted((each.name, each.reason) for each in prepared.left_out) == sorted(case.left_out)
    assert {image.name: image.caption for image in prepared.images if image.caption} == case.captions
    written = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in prepared_into.iterdir()}
    assert written == {f"{image.sha256}.jpg": image.sha256 for image in prepared.images}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_meant_to_harm_is_refused_and_leaves_nothing(
    name: str, hand_over: HandOver, prepared_into: Path
) -> None:
    case = CASES[name]

    with pytest.raises(DatasetRejected) as refusal:
        await hand_over(case.files(), limits=LIMITS)

    assert refusal.value.sentence == case.refused
    assert list(prepared_into.iterdir()) == []


def test_the_corpus_is_not_empty() -> None:
    assert (len(KEPT) > 100, len(REFUSED) > 50) == (True, True)
