"""The archive that a Replicate trainer leaves: one LoRA is taken out of it, whatever else somebody put in."""

import io
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import ProviderBroken, ProviderGone, ProviderRefused, ProviderUnreachable
from bot.providers.replicate.weights import take_weights
from bot.providers.tasks import Finished, ModelInUse, Task, TrainedWeights
from bot.providers.weights import check_lora
from tests.providers.benches.replicate import ReplicateBench
from tests.providers.replicate.trainings import submitted
from tests.simulators import replicate as simulated
from tests.simulators.replicate import ReplicateSimulator, lora_bytes, member_of, tar_of
from tests.simulators.service import RESET, SLOW_BODY, TRUNCATED, UNAVAILABLE, Fault, answers

DELIVERY = "GET /delivery/{rest:.+}"
SITE = "GET /site/{owner}/{name}/_weights"
Pack = Callable[[bytes], bytes]


async def trained(bench: ReplicateBench, pack: Pack = simulated.tar_of_weights) -> Task:
    """A finished training whose weights were packed so."""
    bench.simulator.next_weights = pack
    task = await submitted(bench)
    await bench.finish()
    return task


@pytest.mark.parametrize(
    "pack",
    [simulated.tar_of_weights, simulated.packed_tar_of_weights, simulated.bare_weights, simulated.zip_of_weights],
)
async def test_the_lora_is_taken_out_of_whatever_it_is_packed_in(
    bench: ReplicateBench, tmp_path: Path, pack: Pack
) -> None:
    weights = await bench.provider.fetch_weights(await trained(bench, pack), tmp_path / "deep" / "weights")
    assert weights.path.read_bytes() == lora_bytes(16)
    assert weights.path.suffix == ".safetensors"
    assert [path.name for path in weights.path.parent.iterdir()] == [weights.path.name]


HOSTILE = (
    (simulated.tar_with_traversal, "outside its folder"),
    (simulated.tar_with_absolute_path, "outside its folder"),
    (simulated.tar_with_symlink, "no plain file"),
    (simulated.tar_with_hard_link, "no plain file"),
    (simulated.tar_with_device, "no plain file"),
    (simulated.truncated_tar, "damaged"),
    (simulated.tar_with_huge_header, "damaged"),
    (simulated.tar_without_weights, "no weights"),
    (simulated.tar_with_two_weights, "several weights"),
    (simulated.packed_bomb, "too large"),
    (simulated.nonsense_weights, "no safetensors file"),
    (lambda _weights: b"\x1f\x8bnot gzip", "damaged"),
    (lambda _weights: b"PKnot a zip", "damaged"),
    (lambda weights: tar_of(("lora.safetensors", weights[:-8])), "no safetensors file"),
    (lambda _weights: b"x", "empty"),
)


@pytest.mark.parametrize(("pack", "why"), HOSTILE)
async def test_an_archive_that_is_not_as_it_should_be_is_broken(
    bench: ReplicateBench, tmp_path: Path, pack: Pack, why: str
) -> None:
    with pytest.raises(ProviderBroken, match=why):
        await bench.provider.fetch_weights(await trained(bench, pack), tmp_path / "weights")
    left = {path.suffix for path in (tmp_path / "weights").iterdir()}
    assert left <= {".safetensors"}


def test_nothing_is_ever_written_where_the_archive_says(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    for index, (pack, _why) in enumerate(HOSTILE):
        download = tmp_path / "work" / f"{index}.download"
        download.write_bytes(pack(lora_bytes(4)))
        with pytest.raises(ProviderBroken):
            take_weights(download, tmp_path / "work" / f"{index}.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["work"]
    assert not [path for path in (tmp_path / "work").iterdir() if path.suffix not in (".download", ".safetensors")]


def test_the_trainers_own_name_decides_between_several(tmp_path: Path) -> None:
    weights = lora_bytes(8)
    archive = tmp_path / "a.download"
    archive.write_bytes(tar_of(("out/lora.safetensors", weights), ("out/step_500.safetensors", lora_bytes(4))))
    take_weights(archive, tmp_path / "w.safetensors")
    assert (tmp_path / "w.safetensors").read_bytes() == weights


def test_far_too_many_members_are_too_many(tmp_path: Path) -> None:
    archive = tmp_path / "a.download"
    archive.write_bytes(tar_of(*[(f"{number}.txt", b"") for number in range(10_001)]))
    with pytest.raises(ProviderBroken, match="too many"):
        take_weights(archive, tmp_path / "w.safetensors")


def test_a_sparse_member_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "a.download"
    sparse = member_of("lora.safetensors", tarfile.GNUTYPE_SPARSE)
    archive.write_bytes(sparse.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    with pytest.raises(ProviderBroken, match="no plain file"):
        take_weights(archive, tmp_path / "w.safetensors")


@pytest.mark.parametrize("name", ["../lora.safetensors", "/etc/lora.safetensors", "..\\lora.safetensors"])
def test_a_zip_is_no_more_trusted_than_a_tar(tmp_path: Path, name: str) -> None:
    archive = tmp_path / "a.download"
    archive.write_bytes(zip_named(name))
    with pytest.raises(ProviderBroken, match="outside its folder"):
        take_weights(archive, tmp_path / "w.safetensors")


def test_a_bomb_in_a_zip_is_stopped(tmp_path: Path) -> None:
    archive = tmp_path / "a.download"
    archive.write_bytes(zip_named("lora.safetensors", bytes(40 * 2**20)))
    with pytest.raises(ProviderBroken, match="too large"):
        take_weights(archive, tmp_path / "w.safetensors")


def zip_named(name: str, content: bytes = b"weights") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


# Getting it.


@pytest.mark.parametrize("fault", [RESET, UNAVAILABLE, TRUNCATED, SLOW_BODY])
async def test_a_download_that_fails_in_passing_is_begun_again(
    bench: ReplicateBench, service: ReplicateSimulator, tmp_path: Path, fault: Fault
) -> None:
    task = await trained(bench)
    service.order(DELIVERY, fault)
    weights = await bench.provider.fetch_weights(task, tmp_path / "weights")
    assert check_lora(weights.path).tensor_count == 2


async def test_a_download_that_keeps_breaking_off_is_unreachable(
    bench: ReplicateBench, service: ReplicateSimulator, tmp_path: Path
) -> None:
    task = await trained(bench)
    service.order(DELIVERY, *[TRUNCATED] * 4)
    with pytest.raises(ProviderUnreachable):
        await bench.provider.fetch_weights(task, tmp_path / "weights")


async def test_the_key_is_not_sent_to_where_results_lie(
    bench: ReplicateBench, service: ReplicateSimulator, tmp_path: Path
) -> None:
    await bench.provider.fetch_weights(await trained(bench), tmp_path / "weights")
    fetched = [one for one in service.requests if one.path.startswith("/delivery/")]
    assert fetched
    assert not [one for one in fetched if "authorization" in one.headers]


async def test_when_the_link_has_expired_the_models_own_page_has_the_weights(
    bench: ReplicateBench, service: ReplicateSimulator, tmp_path: Path
) -> None:
    task = await trained(bench)
    service.expire_links()
    weights = await bench.provider.fetch_weights(task, tmp_path / "weights")
    assert check_lora(weights.path).tensor_count == 2
    assert service.count("GET", "/_weights") == 1


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("is_purged", [True, False])
async def test_a_version_whose_weights_are_nowhere_any_more_can_still_be_used(
    bench: ReplicateBench, service: ReplicateSimulator, tmp_path: Path, status: int, is_purged: bool
) -> None:
    task = await trained(bench)
    version = service.jobs[task.id].output["version"]
    (service.purge if is_purged else service.expire_links)()
    service.order(SITE, answers(status, "<html></html>"))
    weights = await bench.provider.fetch_weights(task, tmp_path / "weights")
    assert weights == TrainedWeights(path=None, remote={"version": version})
    assert list((tmp_path / "weights").iterdir()) == []
    request = bench.generation("job-2", with_model=True)
    assert request is not None
    model = ModelInUse(base_model="flux.1-dev", weights=weights.path, remote=weights.remote)
    assert await bench.provider.submit_generation(replace(request, model=model))


async def test_weights_whose_version_is_gone_as_well_are_gone(
    bench: ReplicateBench, service: ReplicateSimulator, tmp_path: Path
) -> None:
    task = await trained(bench)
    service.expire_links()
    service.models[f"{simulated.OWNER}/atelier-job-1"].versions.clear()
    with pytest.raises(ProviderGone, match="no longer has what this training made"):
        await bench.provider.fetch_weights(task, tmp_path / "weights")


async def test_trouble_in_asking_for_the_version_is_not_gone(
    bench: ReplicateBench, service: ReplicateSimulator, tmp_path: Path
) -> None:
    task = await trained(bench)
    service.expire_links()
    service.order(SITE, answers(404, "<html></html>"))
    service.order("GET /v1/models/{owner}/{name}/versions/{version}", *[UNAVAILABLE] * 4)
    with pytest.raises(ProviderUnreachable):
        await bench.provider.fetch_weights(task, tmp_path / "weights")


def test_weights_are_here_or_there() -> None:
    with pytest.raises(ValueError, match="neither here nor there"):
        TrainedWeights(path=None)


async def test_a_training_that_was_purged_still_has_its_version_and_its_weights(
    bench: ReplicateBench, service: ReplicateSimulator, tmp_path: Path
) -> None:
    task = await trained(bench)
    version = service.jobs[task.id].output["version"]
    service.purge()
    assert await bench.provider.check(task) == Finished()
    weights = await bench.provider.fetch_weights(task, tmp_path / "weights")
    assert weights.remote == {"version": version}
    assert check_lora(weights.path).tensor_count == 2


async def test_a_training_of_which_nothing_is_left_is_gone(
    bench: ReplicateBench, service: ReplicateSimulator, tmp_path: Path
) -> None:
    task = await trained(bench)
    service.purge()
    service.models[f"{simulated.OWNER}/atelier-job-1"].versions.clear()
    with pytest.raises(ProviderGone):
        await bench.provider.fetch_weights(task, tmp_path / "weights")


async def test_a_training_that_goes_on_has_no_weights_yet(bench: ReplicateBench, tmp_path: Path) -> None:
    task = await trained(bench)
    bench.simulator.jobs[task.id].status = "processing"
    with pytest.raises(ProviderRefused, match="no weights"):
        await bench.provider.fetch_weights(task, tmp_path / "weights")


async def test_a_page_where_weights_should_be_is_broken(
    bench: ReplicateBench, service: ReplicateSimulator, tmp_path: Path
) -> None:
    task = await trained(bench)
    service.order(DELIVERY, answers(200, "<html>sign in</html>"))
    with pytest.raises(ProviderBroken, match="text/html"):
        await bench.provider.fetch_weights(task, tmp_path / "weights")


@pytest.mark.parametrize("link", ["https://evil.example/w.tar", "file:///etc/passwd", "http://10.0.0.1/w.tar"])
async def test_weights_on_a_host_that_nobody_named_are_not_fetched(
    bench: ReplicateBench, service: ReplicateSimulator, tmp_path: Path, link: str
) -> None:
    task = await trained(bench)
    service.jobs[task.id].output["weights"] = link
    with pytest.raises(ProviderBroken, match="address") as caught:
        await bench.provider.fetch_weights(task, tmp_path / "weights")
    assert "evil" not in str(caught.value)


@pytest.mark.parametrize("version", ["", 7, "../../etc:abcdef12", "a/b", "a/b:not-a-hash", "a/b/c:abcdef12"])
async def test_an_odd_version_is_asked_for_where_the_training_went(
    bench: ReplicateBench, service: ReplicateSimulator, tmp_path: Path, version: object
) -> None:
    task = await trained(bench)
    right = service.jobs[task.id].output["version"]
    service.jobs[task.id].output["version"] = version
    weights = await bench.provider.fetch_weights(task, tmp_path / "weights")
    assert weights.remote == {"version": right}


async def test_a_version_that_nobody_names_leaves_the_weights(
    bench: ReplicateBench, service: ReplicateSimulator, tmp_path: Path
) -> None:
    task = await trained(bench)
    del service.jobs[task.id].output["version"]
    for links in ({"get": task.links["get"]}, {**task.links, "model": f"{service.api_url}/models/a/b"}):
        weights = await bench.provider.fetch_weights(Task(id=task.id, links=links), tmp_path / "weights")
        assert weights.remote == {}
        assert weights.path.is_file()


async def test_a_disk_that_cannot_be_written_is_said(bench: ReplicateBench, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ProviderBroken, match="its own disk"):
        await bench.provider.fetch_weights(await trained(bench), tmp_path / "file" / "below")


async def test_a_task_id_is_no_path(bench: ReplicateBench, service: ReplicateSimulator, tmp_path: Path) -> None:
    task = await trained(bench)
    disguised = Task(id="../../outside", links=task.links)
    weights = await bench.provider.fetch_weights(disguised, tmp_path / "weights")
    assert weights.path.parent == tmp_path / "weights"
