"""Generating on Replicate: with a version trained there and with official models, fetched before it is purged."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.errors import (
    OutcomeUnknown,
    ProviderBroken,
    ProviderError,
    ProviderGone,
    ProviderModerated,
    ProviderRefused,
)
from bot.providers.tasks import Finished, GenerationRequest, ModelInUse, Stopped, Task, Webhook, Working
from tests.providers.benches.bench import Mishap, each_mishap
from tests.providers.benches.replicate import TRAINED, ReplicateBench, trained_model
from tests.simulators import replicate as simulated
from tests.simulators.replicate import ReplicateSimulator
from tests.simulators.service import RESET, SLOW_BODY, TRUNCATED, UNAVAILABLE, Fault, answers

DELIVERY = "GET /delivery/{rest:.+}"
FLUX_DEV, FLUX_SCHNELL, FLUX_PRO = simulated.OFFICIAL


def asked(bench: ReplicateBench, *, with_model: bool = True, **changes: Any) -> GenerationRequest:
    request = bench.generation("job-1", with_model=with_model)
    assert request is not None
    return replace(request, **changes)


async def made(bench: ReplicateBench, **changes: Any) -> Task:
    task = await bench.provider.submit_generation(asked(bench, **changes))
    await bench.finish()
    return task


def sent(service: ReplicateSimulator) -> dict[str, Any]:
    return service.jobs[service.ledger[-1]].input


@pytest.mark.parametrize("with_model", [True, False])
async def test_pictures_go_from_a_prompt_to_files_in_order(
    bench: ReplicateBench, service: ReplicateSimulator, tmp_path: Path, with_model: bool
) -> None:
    task = await bench.provider.submit_generation(asked(bench, with_model=with_model, count=3))
    assert isinstance(await bench.provider.check(task), Working)
    await bench.finish()
    assert await bench.provider.check(task) == Finished()
    fetched = await bench.provider.fetch_pictures(task, tmp_path / "deep" / "pictures")
    assert [path.name for path in fetched.paths] == [f"{task.id}-{number}.png" for number in range(3)]
    delivered = [content for _type, content in service.delivery.values()]
    assert [path.read_bytes() for path in fetched.paths] == delivered
    assert fetched.withheld == 0
    assert bench.paid() == 1


async def test_every_choice_reaches_the_trained_version(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    await made(bench, prompt="TOK at sea", strength=0.7, aspect_ratio="16:9", count=2, seed=4294967295)
    assert sent(service) == {
        "prompt": "TOK at sea", "lora_scale": 0.7, "aspect_ratio": "16:9", "num_outputs": 2, "seed": 4294967295,
        "output_format": "png",
    }  # fmt: skip
    assert service.jobs[service.ledger[-1]].version == TRAINED


async def test_an_official_model_is_told_nothing_of_a_lora(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    await made(bench, with_model=False, generator=FLUX_SCHNELL, strength=0.7)
    assert sent(service).keys() == {"prompt", "aspect_ratio", "num_outputs", "seed", "output_format"}
    assert service.jobs[service.ledger[-1]].model == FLUX_SCHNELL


async def test_what_a_version_does_not_know_is_not_sent(
    bench: ReplicateBench, service: ReplicateSimulator, tmp_path: Path
) -> None:
    """FLUX1.1 [pro] makes one picture and answers with one address."""
    task = await made(bench, with_model=False, generator=FLUX_PRO)
    assert "num_outputs" not in sent(service)
    assert len((await bench.provider.fetch_pictures(task, tmp_path)).paths) == 1


async def test_a_version_that_makes_one_picture_is_not_asked_for_two(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    service.models[f"{simulated.OWNER}/trained-before"].versions[TRAINED] = simulated.pro_schema()
    with pytest.raises(ProviderRefused, match="one picture at a time"):
        await made(bench, count=2)
    assert bench.paid() == 0


async def test_a_format_that_a_version_does_not_know_is_left_to_it(
    bench: ReplicateBench, service: ReplicateSimulator, tmp_path: Path
) -> None:
    schema = simulated.generation_schema(has_lora=True)
    schema["components"]["schemas"]["output_format"]["enum"] = ["webp", "jpg"]
    service.models[f"{simulated.OWNER}/trained-before"].versions[TRAINED] = schema
    task = await made(bench)
    assert "output_format" not in sent(service)
    (picture,) = (await bench.provider.fetch_pictures(task, tmp_path)).paths
    assert picture.suffix == ".webp"


async def test_a_strength_outside_the_versions_own_range_is_refused(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    schema = simulated.generation_schema(has_lora=True)
    schema["components"]["schemas"]["Input"]["properties"]["lora_scale"]["maximum"] = 1
    service.models[f"{simulated.OWNER}/trained-before"].versions[TRAINED] = schema
    with pytest.raises(ProviderRefused, match="lora_scale must be at most 1"):
        await made(bench, strength=1.5)
    assert bench.paid() == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prompt", " "), ("prompt", "x" * 4001), ("count", 0), ("count", 5), ("seed", -1), ("seed", 2**32),
        ("strength", -1.1), ("strength", 2.1), ("strength", float("nan")), ("aspect_ratio", "custom"),
        ("generator", "nobody/knows"), ("images", (Path("reference.png"),)), ("model", None),
        ("generator", FLUX_DEV),
    ],
)  # fmt: skip
async def test_what_the_card_does_not_offer_is_refused_before_anything_is_sent(
    bench: ReplicateBench, service: ReplicateSimulator, name: str, value: Any
) -> None:
    with pytest.raises(ProviderRefused):
        await bench.provider.submit_generation(asked(bench, **{name: value}))
    assert service.requests == []


@pytest.mark.parametrize("remote", [{}, {"version": "a/b"}, {"version": "../b:abcdef123456"}, {"id": "x"}])
async def test_a_model_trained_elsewhere_is_refused_with_a_sentence(
    bench: ReplicateBench, service: ReplicateSimulator, remote: dict[str, str]
) -> None:
    model = ModelInUse(
        base_model="flux.1-dev", weights=None, weights_link="https://storage.example/w?sig=x", remote=remote
    )
    with pytest.raises(ProviderRefused, match="not trained at Replicate"):
        await bench.provider.submit_generation(asked(bench, model=model))
    assert service.requests == []


async def test_a_model_that_was_deleted_there_is_gone(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    service.models[f"{simulated.OWNER}/trained-before"].versions.clear()
    with pytest.raises(ProviderGone):
        await bench.provider.submit_generation(asked(bench))


async def test_the_webhook_knocks_at_the_start_and_at_the_end(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    await made(bench, webhook=Webhook(url="https://atelier.example/hook", secret="unused"))
    (request,) = [one for one in service.requests if one.method == "POST"]
    assert (request.json["webhook"], request.json["webhook_events_filter"]) == (
        "https://atelier.example/hook",
        ["start", "completed"],
    )


@pytest.mark.parametrize("with_model", [True, False])
@each_mishap
async def test_what_became_of_a_submission_is_said_as_it_is(
    bench: ReplicateBench, mishap: Mishap, error: type[ProviderError], paid: int, with_model: bool
) -> None:
    bench.cause(mishap)
    with pytest.raises(error):
        await bench.provider.submit_generation(asked(bench, with_model=with_model))
    assert bench.paid() == paid


async def test_progress_is_that_of_the_steps(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    task = await bench.provider.submit_generation(asked(bench))
    job = service.jobs[task.id]
    job.status, job.logs = "processing", "Using seed: 7\n 50%|█████     | 14/28 [00:04<00:04,  3.1it/s]"
    assert await bench.provider.check(task) == Working(progress=0.5, seconds_left=4.0)


async def test_a_picture_that_is_refused_for_its_content_is_moderated(bench: ReplicateBench) -> None:
    task = await bench.provider.submit_generation(asked(bench))
    bench.moderate_everything()
    state = await bench.provider.check(task)
    assert isinstance(state, Stopped)
    assert isinstance(state.error, ProviderModerated)


async def test_pictures_that_are_held_back_are_counted(bench: ReplicateBench, tmp_path: Path) -> None:
    bench.withhold_one_picture()
    fetched = await bench.provider.fetch_pictures(await made(bench, count=4), tmp_path)
    assert (len(fetched.paths), fetched.withheld) == (3, 1)


async def test_a_failed_generation_has_no_pictures(bench: ReplicateBench, tmp_path: Path) -> None:
    task = await bench.provider.submit_generation(asked(bench))
    bench.fail_everything()
    with pytest.raises(ProviderRefused, match="no pictures"):
        await bench.provider.fetch_pictures(task, tmp_path)


async def test_an_hour_later_the_pictures_are_gone_and_it_is_said_plainly(
    bench: ReplicateBench, service: ReplicateSimulator, tmp_path: Path
) -> None:
    task = await made(bench)
    service.purge()
    state = await bench.provider.check(task)
    assert isinstance(state, Stopped)
    assert isinstance(state.error, ProviderGone)
    with pytest.raises(ProviderGone, match="an hour only"):
        await bench.provider.fetch_pictures(task, tmp_path)


async def test_a_link_that_has_expired_is_gone(
    bench: ReplicateBench, service: ReplicateSimulator, tmp_path: Path
) -> None:
    task = await made(bench)
    service.expire_links()
    with pytest.raises(ProviderGone, match="expired"):
        await bench.provider.fetch_pictures(task, tmp_path)


@pytest.mark.parametrize("fault", [RESET, UNAVAILABLE, TRUNCATED, SLOW_BODY])
async def test_a_download_that_fails_in_passing_is_begun_again(
    bench: ReplicateBench, service: ReplicateSimulator, tmp_path: Path, fault: Fault
) -> None:
    task = await made(bench)
    service.order(DELIVERY, fault)
    (picture,) = (await bench.provider.fetch_pictures(task, tmp_path)).paths
    Image.open(picture).load()


async def test_the_key_is_not_sent_to_where_results_lie(
    bench: ReplicateBench, service: ReplicateSimulator, tmp_path: Path
) -> None:
    await bench.provider.fetch_pictures(await made(bench), tmp_path)
    fetched = [one for one in service.requests if one.path.startswith("/delivery/")]
    assert fetched
    assert not [one for one in fetched if "authorization" in one.headers]


@pytest.mark.parametrize(
    "output",
    [7, {"a": 1}, [7], [None], "", "text", ["file:///etc/passwd"], ["../x"], ["https://replicate.delivery/x"] * 17,
     ["https://evil.example/x.png"], ["http://169.254.169.254/x"]],
)  # fmt: skip
async def test_a_result_that_is_no_list_of_allowed_addresses_is_broken(
    bench: ReplicateBench, service: ReplicateSimulator, tmp_path: Path, output: Any
) -> None:
    task = await made(bench)
    service.jobs[task.id].output = output
    with pytest.raises(ProviderBroken):
        await bench.provider.fetch_pictures(task, tmp_path)


async def test_what_is_no_picture_is_not_kept_as_one(
    bench: ReplicateBench, service: ReplicateSimulator, tmp_path: Path
) -> None:
    task = await made(bench)
    service.deliver(f"{task.id}/out-0.png", "image/png", b"<svg>no picture</svg>")
    with pytest.raises(ProviderBroken, match="no picture"):
        await bench.provider.fetch_pictures(task, tmp_path)


async def test_a_page_where_a_picture_should_be_is_broken(
    bench: ReplicateBench, service: ReplicateSimulator, tmp_path: Path
) -> None:
    task = await made(bench)
    service.order(DELIVERY, answers(200, "<html>sign in</html>"))
    with pytest.raises(ProviderBroken, match="text/html"):
        await bench.provider.fetch_pictures(task, tmp_path)


async def test_a_generation_can_be_cancelled(bench: ReplicateBench) -> None:
    task = await bench.provider.submit_generation(asked(bench))
    assert await bench.provider.cancel(task)
    state = await bench.provider.check(task)
    assert isinstance(state, Stopped)


# Finding again.


@pytest.mark.parametrize("with_model", [True, False])
async def test_a_lost_generation_is_found(bench: ReplicateBench, service: ReplicateSimulator, with_model: bool) -> None:
    request = asked(bench, with_model=with_model)
    bench.cause(Mishap.LOST)
    with pytest.raises(OutcomeUnknown):
        await bench.provider.submit_generation(request)
    (task,) = await bench.provider.find(request, since=service.now())
    assert [task.id] == service.ledger


@pytest.mark.parametrize("changes", [{"prompt": "another"}, {"seed": 8}, {"count": 2}, {"aspect_ratio": "9:16"}])
async def test_another_generation_is_not_taken_for_this_one(
    bench: ReplicateBench, service: ReplicateSimulator, changes: dict[str, Any]
) -> None:
    await bench.provider.submit_generation(asked(bench, **changes))
    assert await bench.provider.find(asked(bench), since=service.now()) == []


async def test_one_with_a_model_is_not_taken_for_one_without(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    await bench.provider.submit_generation(asked(bench, with_model=True))
    assert await bench.provider.find(asked(bench, with_model=False), since=service.now()) == []


async def test_a_prediction_from_long_ago_is_not_taken_for_this_one(
    bench: ReplicateBench, service: ReplicateSimulator
) -> None:
    task = await bench.provider.submit_generation(asked(bench))
    service.jobs[task.id].created_at -= 901
    assert await bench.provider.find(asked(bench), since=service.now()) == []
    service.jobs[task.id].created_at += 11
    assert len(await bench.provider.find(asked(bench), since=service.now())) == 1


async def test_after_the_purge_nobody_can_tell(bench: ReplicateBench, service: ReplicateSimulator) -> None:
    await made(bench)
    service.purge()
    with pytest.raises(OutcomeUnknown):
        await bench.provider.find(asked(bench), since=service.now())


async def test_a_model_in_use_shows_no_link(bench: ReplicateBench) -> None:
    shown = repr(replace(trained_model(), weights_link="https://storage.example/w?X-Amz-Signature=SignatureOfALink"))
    assert "SignatureOfALink" not in shown
