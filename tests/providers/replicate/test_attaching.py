"""Replicate: a training or prediction that a person found there, held against what was asked for."""

from dataclasses import replace
from typing import Any

import pytest

from bot.errors import OutcomeUnknown, ProviderBroken, ProviderGone, ProviderRefused
from bot.providers.tasks import GenerationRequest, ModelInUse
from tests.providers.benches.replicate import TRAINED, ReplicateBench
from tests.providers.replicate.trainings import asked, prepared
from tests.simulators.replicate import FAST_TRAINER, OWNER, ReplicateSimulator
from tests.simulators.service import answers

AN_ID = "zz4ibbonubfz7carwiefibzgga"


def generation(bench: ReplicateBench, *, with_model: bool = True, **changes: Any) -> GenerationRequest:
    request = bench.generation("job-1", with_model=with_model)
    assert request is not None
    return replace(request, **changes)


@pytest.mark.parametrize("changes", [{"iterations": 600}, {"trigger_word": "BIKE"}, {"lora_rank": 32},
                                     {"trainer": FAST_TRAINER}])  # fmt: skip
async def test_a_training_with_other_settings_is_another(bench: ReplicateBench, changes: dict[str, Any]) -> None:
    task = await bench.provider.submit_training(await prepared(bench, **changes))
    with pytest.raises(ProviderRefused, match="another task"):
        await bench.provider.attach(await prepared(bench), task.id)


@pytest.mark.parametrize("changes", [{"prompt": "a dog"}, {"seed": 8}, {"count": 2}, {"strength": 0.5},
                                     {"aspect_ratio": "16:9"}])  # fmt: skip
async def test_a_prediction_that_was_asked_otherwise_is_another(bench: ReplicateBench, changes: dict[str, Any]) -> None:
    task = await bench.provider.submit_generation(generation(bench, **changes))
    with pytest.raises(ProviderRefused, match=r"another task.*is not what was asked for"):
        await bench.provider.attach(generation(bench), task.id)


async def test_a_prediction_of_another_model_is_another(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    model = service.models[f"{OWNER}/trained-before"]
    service.models[f"{OWNER}/other"] = replace(model, name="other", versions={"f" * 64: model.versions[TRAINED]})
    other = ModelInUse(base_model="flux.1-dev", weights=None, remote={"version": f"{OWNER}/other:{'f' * 64}"})
    task = await bench.provider.submit_generation(generation(bench, model=other))
    with pytest.raises(ProviderRefused, match="another model made it"):
        await bench.provider.attach(generation(bench), task.id)


async def test_a_prediction_of_another_generator_is_another(bench: ReplicateBench) -> None:
    other = generation(bench, with_model=False, generator="black-forest-labs/flux-schnell")
    task = await bench.provider.submit_generation(other)
    with pytest.raises(ProviderRefused, match="another generator made it"):
        await bench.provider.attach(generation(bench, with_model=False), task.id)


async def test_a_training_that_went_to_another_model_is_another(bench: ReplicateBench) -> None:
    request = await prepared(bench)
    other = replace(await prepared(bench, job_id="job-2"), dataset_link=request.dataset_link)
    task = await bench.provider.submit_training(other)
    await bench.finish()
    with pytest.raises(ProviderRefused, match="it trained another model"):
        await bench.provider.attach(request, task.id)


async def test_a_task_from_before_the_job_is_another(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    asked_at_ms = int(service.now() * 1000) - 1_420_070_400_000
    request = await prepared(bench, job_id=str(asked_at_ms << 22))
    task = await bench.provider.submit_training(request)
    assert await bench.provider.attach(request, task.id) == task
    service.jobs[task.id].created_at -= 1000
    with pytest.raises(ProviderRefused, match="before this job"):
        await bench.provider.attach(request, task.id)


@pytest.mark.parametrize("moved", ["https://replicate.delivery/pbxt/abc.zip", "", None])
async def test_a_dataset_that_replicate_moved_speaks_against_nothing(
    bench: ReplicateBench, service: ReplicateSimulator, moved: Any
) -> None:
    request = await prepared(bench)
    task = await bench.provider.submit_training(request)
    service.jobs[task.id].input["input_images"] = moved
    assert await bench.provider.attach(request, task.id) == task


async def test_what_replicate_removed_speaks_against_nothing(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    training, picture = await prepared(bench), generation(bench)
    tasks = [await bench.provider.submit_training(training), await bench.provider.submit_generation(picture)]
    await bench.finish()
    service.purge()
    assert await bench.provider.attach(training, tasks[0].id) == tasks[0]
    assert await bench.provider.attach(picture, tasks[1].id) == tasks[1]


async def test_a_training_that_was_never_prepared_has_no_task(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    with pytest.raises(ProviderRefused, match="never came as far"):
        await bench.provider.attach(asked(bench), AN_ID)
    assert service.requests == []


async def test_the_schema_of_a_model_that_is_gone_is_not_needed(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    request = generation(bench)
    task = await bench.provider.submit_generation(request)
    del service.models[f"{OWNER}/trained-before"]
    assert await bench.provider.attach(request, task.id) == task
    assert service.requests[-1].path == f"/v1/predictions/{task.id}"


@pytest.mark.parametrize("body", [[], {}, {"id": AN_ID}, "words"])
async def test_an_answer_that_makes_no_sense_is_broken(
    bench: ReplicateBench, service: ReplicateSimulator, body: Any
) -> None:
    service.order_for_next_look(answers(200, body))
    with pytest.raises(ProviderBroken):
        await bench.provider.attach(generation(bench), AN_ID)


async def test_a_prediction_is_no_training(bench: ReplicateBench) -> None:
    task = await bench.provider.submit_generation(generation(bench))
    with pytest.raises(ProviderGone, match="knows no training of that id"):
        await bench.provider.attach(await prepared(bench), task.id)


# Finding without the dataset's link, as for a job that was cancelled.


async def test_without_a_link_a_training_is_found_by_its_datasets_name(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    request, other = await prepared(bench), await prepared(bench, job_id="job-11")
    await bench.provider.submit_training(replace(other, dataset_link="https://storage.example/job-11.zip?X=1"))
    task = await bench.provider.submit_training(request)
    found = await bench.provider.find(replace(request, dataset_link=None), since=service.now())
    assert [one.id for one in found] == [task.id]


async def test_without_a_link_another_datasets_name_proves_nothing(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    request, other = await prepared(bench), await prepared(bench, job_id="job-11")
    await bench.provider.submit_training(replace(other, dataset_link="https://storage.example/job-11.zip?X=1"))
    with pytest.raises(OutcomeUnknown):
        await bench.provider.find(replace(request, dataset_link=None), since=service.now())


async def test_without_a_link_an_uploaded_dataset_is_known_from_what_was_prepared(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    request = await prepared(bench, dataset_link=None)
    task = await bench.provider.submit_training(request)
    await bench.provider.tidy_training(request.prepared)
    request.dataset.unlink()
    assert [one.id for one in await bench.provider.find(request, since=service.now())] == [task.id]
    assert await bench.provider.attach(request, task.id) == task
