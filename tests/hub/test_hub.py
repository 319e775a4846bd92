"""Publishing and importing against a strict Hub over real HTTP: once, found again, and nothing believed."""

import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.errors import (
    BadInput,
    NotFound,
    ProviderBusy,
    ProviderRefused,
    ProviderUnreachable,
)
from bot.hub.hub import Hub, Publication
from tests.hub.stage import JOB, PNG, REPO
from tests.simulators.hub import LFS_WARNING, HubSimulator

pytestmark = pytest.mark.filterwarnings(LFS_WARNING)


async def test_a_lora_is_published_in_one_commit(simulator: HubSimulator, publish: Any, weights: Path) -> None:
    published = await publish()
    repo = simulator.repos[f"atelier-bot/{REPO}"]
    assert [one.title for one in repo.ours] == [f"Atelier job {JOB}"]
    assert published == Publication(
        repo_id=repo.repo_id, url=f"{simulator.endpoint}/{repo.repo_id}", commit=repo.head.oid
    )
    assert set(repo.files) == {".gitattributes", "README.md", "lora.safetensors", "images/sample_1.png"}
    assert repo.files["lora.safetensors"] == weights.read_bytes()
    assert repo.files["images/sample_1.png"] == PNG
    assert repo.card["instance_prompt"] == "CATS7"
    assert repo.card["widget"][0]["text"] == 'a "photo" of CATS7: sleeping'
    assert repo.private


async def test_large_weights_go_up_as_they_are(simulator: HubSimulator, publish: Any, tmp_path: Path) -> None:
    large = tmp_path / "large.safetensors"
    large.write_bytes(os.urandom(11 * 2**20 + 7))
    await publish(weights=large)
    repo = simulator.repos[f"atelier-bot/{REPO}"]
    assert len(repo.ours) == 1
    assert repo.head.files["lora.safetensors"].is_lfs
    assert repo.files["lora.safetensors"] == large.read_bytes()
    assert simulator.called("verify") == 2  # the weights and the picture


async def test_public_is_only_what_was_asked_to_be(simulator: HubSimulator, publish: Any) -> None:
    await publish(private=False)
    assert not simulator.repos[f"atelier-bot/{REPO}"].private


async def test_publishing_again_changes_nothing(simulator: HubSimulator, publish: Any) -> None:
    first = await publish()
    uploads = simulator.called("upload")
    assert await publish() == first
    assert len(simulator.repos[first.repo_id].ours) == 1
    assert simulator.called("upload") == uploads


@pytest.mark.parametrize("later", ["nothing", "a person's edit"])
async def test_a_publication_is_found_again(simulator: HubSimulator, hub: Hub, publish: Any, later: str) -> None:
    published = await publish()
    repo = simulator.repos[published.repo_id]
    if later == "a person's edit":
        repo.add_commit("Update README.md", "", {})
    assert await hub.find_publication(REPO, job_id=JOB) == published
    assert await hub.find_publication(REPO, job_id=JOB[:-1]) is None
    assert await hub.find_publication("another", job_id=JOB) is None


async def test_a_publication_is_found_behind_many_commits(simulator: HubSimulator, hub: Hub, publish: Any) -> None:
    published = await publish()
    for number in range(120):
        simulator.repos[published.repo_id].add_commit(f"edit {number}", "", {})
    assert await hub.find_publication(REPO, job_id=JOB) == published


async def test_a_commit_without_its_weights_is_no_publication(simulator: HubSimulator, hub: Hub, publish: Any) -> None:
    published = await publish()
    repo = simulator.repos[published.repo_id]
    broken = repo.commits.pop()
    without = {path: file for path, file in broken.files.items() if path != "lora.safetensors"}
    repo.add_commit(broken.title, broken.message, without)
    assert await hub.find_publication(REPO, job_id=JOB) is None
    repo.add_commit(broken.title, "lora.safetensors: 1 bytes", broken.files)
    assert await hub.find_publication(REPO, job_id=JOB) is None


@pytest.mark.parametrize("fault", ["reset", "reset-after", "500", "html-500", "412"])
async def test_a_commit_that_ends_badly_is_made_once(simulator: HubSimulator, publish: Any, fault: str) -> None:
    simulator.fail_next("commit", fault)
    published = await publish()
    repo = simulator.repos[published.repo_id]
    assert [one.oid for one in repo.ours] == [published.commit]
    assert simulator.called("commit") == (1 if fault == "reset-after" else 2)


@pytest.mark.parametrize(
    ("route", "faults"),
    [("create", ["reset-after"]), ("about", ["reset"]), ("validate-yaml", ["html-500", "reset"])],
)
async def test_a_crash_on_the_way_leaves_nothing_behind(
    simulator: HubSimulator, publish: Any, route: str, faults: list[str]
) -> None:
    simulator.fail_next(route, *faults)
    with pytest.raises(ProviderUnreachable):
        await publish()
    published = await publish()
    assert [one.oid for one in simulator.repos[published.repo_id].ours] == [published.commit]


async def test_two_lost_answers_are_looked_up_before_giving_up(simulator: HubSimulator, publish: Any) -> None:
    simulator.fail_next("commit", "reset", "reset-after")
    published = await publish()
    assert len(simulator.repos[published.repo_id].ours) == 1


async def test_after_two_failures_it_is_for_the_caller_to_ask_again(simulator: HubSimulator, publish: Any) -> None:
    simulator.fail_next("commit", "reset", "500")
    with pytest.raises(ProviderUnreachable):
        await publish()
    assert simulator.called("commit") == 2
    assert simulator.repos[f"atelier-bot/{REPO}"].ours == []


async def test_somebody_who_commits_meanwhile_is_not_written_over(simulator: HubSimulator, publish: Any) -> None:
    def intrude() -> None:
        repo = simulator.repos[f"atelier-bot/{REPO}"]
        repo.add_commit(f"edit {len(repo.commits)}", "", repo.head.files)
        simulator.before_commit = None

    simulator.before_commit = intrude
    published = await publish()
    assert [one.title for one in simulator.repos[published.repo_id].ours] == ["edit 1", f"Atelier job {JOB}"]
    assert simulator.called("commit") == 2


async def test_a_repository_that_never_rests_is_busy(simulator: HubSimulator, publish: Any) -> None:
    simulator.fail_next("commit", "412", "412")
    with pytest.raises(ProviderBusy):
        await publish()


@pytest.mark.parametrize("private", [True, False])
async def test_a_repository_keeps_its_visibility(simulator: HubSimulator, publish: Any, private: bool) -> None:
    repo = simulator.add_repo(f"atelier-bot/{REPO}", {}, private=not private)
    before = repo.head
    with pytest.raises(ProviderRefused, match="nothing was published"):
        await publish(private=private)
    assert repo.head is before
    assert repo.private is not private


async def test_missing_weights_are_no_failure_of_the_hubs(simulator: HubSimulator, publish: Any) -> None:
    with pytest.raises(FileNotFoundError):
        await publish(weights=Path("/nowhere/weights.safetensors"))
    assert simulator.requests == []


async def test_a_lora_to_import_is_described(simulator: HubSimulator, hub: Hub) -> None:
    data = os.urandom(2000)
    card = {"base_model": ["black-forest-labs/FLUX.1-dev"], "tags": ["lora"]}
    repo = simulator.add_repo(
        "someone/Their-LoRA_1.0", {"my lora.safetensors": data, "a/b.safetensors": b"x"}, card=card
    )
    file = await hub.lora_file("someone/Their-LoRA_1.0")
    assert file.file_name == "my lora.safetensors"
    assert file.url == f"{simulator.endpoint}/someone/Their-LoRA_1.0/resolve/{repo.head.oid}/my%20lora.safetensors"
    assert file.size_bytes == 2000
    assert file.sha256 == repo.head.files["my lora.safetensors"].sha256
    assert file.base_model == "black-forest-labs/FLUX.1-dev"
    assert not file.private


async def test_what_was_published_can_be_imported(simulator: HubSimulator, hub: Hub, publish: Any) -> None:
    published = await publish()
    file = await hub.lora_file(published.repo_id)
    assert file.private
    assert file.url.endswith(f"/resolve/{published.commit}/lora.safetensors")
    assert file.base_model == "black-forest-labs/FLUX.1-dev"


async def test_what_was_described_can_be_fetched(
    simulator: HubSimulator, hub: Hub, publish: Any, weights: Path
) -> None:
    file = await hub.lora_file((await publish()).repo_id)
    async with httpx.AsyncClient() as client:
        assert (await client.get(file.url)).status_code == 404
        key = {"Authorization": f"Bearer {simulator.token}"}
        head = await client.head(file.url, headers=key)
        assert head.headers["X-Linked-Size"] == str(file.size_bytes)
        assert head.headers["X-Linked-Etag"] == f'"{file.sha256}"'
        there = await client.get(head.headers["Location"])
        readme = await client.get(file.url.replace("lora.safetensors", "README.md"), headers=key)
    assert there.content == weights.read_bytes()
    assert readme.text.startswith("---\n")


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"README.md": b"hi", "deep/lora.safetensors": b"x"}, "no .safetensors file"),
        ({"a.safetensors": b"x", "b.safetensors": b"y"}, "a.safetensors, b.safetensors"),
        ({f"{number}.safetensors": b"x" for number in range(12)}, "and 4 more"),
        ({"<@1> `evil`.safetensors": b"x"}, "name that I cannot use"),
        ({"<@1>.safetensors": b"x", "b.safetensors": b"x"}, r"\(b.safetensors and 1 more\)"),
        ({"empty.safetensors": b""}, "no size"),
    ],
)
async def test_a_repository_without_one_lora_is_refused(
    simulator: HubSimulator, hub: Hub, files: dict[str, bytes], sentence: str
) -> None:
    simulator.add_repo("someone/thing", files)
    with pytest.raises(BadInput, match=sentence) as raised:
        await hub.lora_file("someone/thing")
    assert "<@" not in raised.value.sentence


@pytest.mark.parametrize(
    "repo_id",
    [
        "",
        "one",
        "a/b/c",
        "../x/y",
        "a/..",
        "a/b?x=1",
        "a/b#c",
        "a/b\n",
        "a//b",
        "a/b--c",
        "é/b",
        "-a/b",
        "a/b.git",
        "a/ b",
    ],
)
async def test_only_a_repository_id_is_asked_for(simulator: HubSimulator, hub: Hub, repo_id: str) -> None:
    with pytest.raises(BadInput):
        await hub.lora_file(repo_id)
    assert simulator.requests == []


async def test_a_repository_that_is_not_there_or_not_ours_is_not_found(simulator: HubSimulator, hub: Hub) -> None:
    simulator.add_repo("someone/secret", {"lora.safetensors": b"x"}, private=True)
    for repo_id in ("someone/secret", "someone/nothing"):
        with pytest.raises(NotFound):
            await hub.lora_file(repo_id)


async def test_a_gated_repository_is_told_apart(simulator: HubSimulator, hub: Hub) -> None:
    simulator.add_repo("someone/gated", {"lora.safetensors": b"x"}, gated=True)
    with pytest.raises(BadInput, match="gated"):
        await hub.lora_file("someone/gated")


@pytest.mark.parametrize("claimed", [None, 3, {}, [], ["../../x"], "no slash", "<@1>/x", ["a/b", "c/d"]])
async def test_what_a_card_claims_is_not_believed(simulator: HubSimulator, hub: Hub, claimed: Any) -> None:
    simulator.add_repo("someone/thing", {"lora.safetensors": b"x"}, card={"base_model": claimed, "model-index": "x"})
    file = await hub.lora_file("someone/thing")
    assert file.base_model == ("a/b" if claimed == ["a/b", "c/d"] else None)
