"""Publishes finished LoRAs on the Hugging Face Hub, and looks at LoRAs there that somebody wants to import.

Publishing may be asked for again after any crash: the commit carries the job's id, so it is found and not repeated.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.hf_api import ModelInfo, RepoFile

from bot.errors import NotFound, ProviderBusy, ProviderRefused, ProviderUnreachable
from bot.hub import names
from bot.hub.answers import HubFile, account_of, commit_of, only_lora, size_of
from bot.hub.card import PublishedModel, model_card
from bot.hub.library import LIBRARY, Calls, ask_who, prepare_library
from bot.hub.meanings import HeadMoved, unreachable

__all__ = ["Hub", "HubFile", "Patience", "Publication"]

Result = TypeVar("Result")

ATTEMPTS = 2


@dataclass(frozen=True, kw_only=True)
class Publication:
    repo_id: str
    url: str
    commit: str


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a question may take, and publishing as a whole."""

    question_seconds: float = 60.0
    publish_seconds: float = 1800.0


PATIENT = Patience()


class Hub:
    """`username` is the account or the organisation below which LoRAs are published.

    Without a token nothing can be published, and only public repositories can be read.
    """

    def __init__(self, *, token: str = "", username: str = "", endpoint: str, patience: Patience = PATIENT) -> None:
        prepare_library()
        self._token = token
        self._username = names.checked_repo_name(username) if token else ""
        self._endpoint = endpoint.rstrip("/")
        self._patience = patience
        self._library = HfApi(endpoint=self._endpoint, token=token or False, library_name=LIBRARY)
        self._calls = Calls()

    @property
    def can_publish(self) -> bool:
        return bool(self._token)

    async def check(self) -> str:
        """Answers the name of the account that the token belongs to. Raises `ProviderDenied` when it cannot publish."""
        answer = await self._ask(partial(ask_who, self._endpoint, self._token))
        return account_of(answer, namespace=self._username)

    async def publish(
        self,
        *,
        repo_name: str,
        model: PublishedModel,
        weights: Path,
        sample_files: Sequence[Path],
        private: bool,
        job_id: str,
    ) -> Publication:
        """One commit with the weights, the README and the samples; when it was made before, that one.

        A repository that is there already keeps the visibility somebody gave it. When that is not the one asked for,
        nothing is published and a sentence says so: whoever changed it had a reason.
        """
        repo_id = self._repo_id(repo_name)
        try:
            async with asyncio.timeout(self._patience.publish_seconds):
                additions = await self._ask(partial(_additions, model, weights, sample_files))
                await self._ask(partial(self._library.create_repo, repo_id, private=private, exist_ok=True))
                return await self._commit(repo_id, additions, private=private, job_id=job_id)
        except TimeoutError:
            raise unreachable("publishing took too long") from None

    async def find_publication(self, repo_name: str, *, job_id: str) -> Publication | None:
        """The commit of this job, when its weights are there in the size it promised."""
        try:
            return await self._find(self._repo_id(repo_name), job_id)
        except NotFound:
            return None

    async def lora_file(self, repo_id: str) -> HubFile:
        """The one `.safetensors` at the top of a repository that somebody named. Raises `BadInput`, `NotFound`."""
        about = await self._about(names.checked_repo_id(repo_id))
        if about.gated:
            await self._ask(partial(self._library.auth_check, repo_id))
        return only_lora(about, endpoint=self._endpoint, repo_id=repo_id)

    async def close(self) -> None:
        await self._calls.close()

    async def _commit(
        self, repo_id: str, additions: list[CommitOperationAdd], *, private: bool, job_id: str
    ) -> Publication:
        """What became of an attempt that ended badly is looked up before the next, so nothing is committed twice."""
        failure: ProviderBusy | ProviderUnreachable | None = None
        for _attempt in range(ATTEMPTS):
            head = await self._head(repo_id, private=private)
            if found := await self._find(repo_id, job_id):
                return found
            try:
                return await self._send_commit(repo_id, additions, head=head, job_id=job_id)
            except (HeadMoved, ProviderUnreachable) as problem:
                failure = problem
        if found := await self._find(repo_id, job_id):
            return found
        assert failure is not None
        raise failure

    async def _send_commit(
        self, repo_id: str, additions: list[CommitOperationAdd], *, head: str, job_id: str
    ) -> Publication:
        weights = next(one for one in additions if one.path_in_repo == names.WEIGHTS)
        send = partial(
            self._library.create_commit,
            repo_id,
            additions,
            commit_message=names.commit_title(job_id),
            commit_description=names.commit_description(weights.upload_info.size),
            parent_commit=head,
        )
        made = await self._calls.run(send, seconds=self._patience.publish_seconds)
        return self._publication(repo_id, commit_of(made.oid))

    async def _head(self, repo_id: str, *, private: bool) -> str:
        about = await self._about(repo_id)
        if about.private is not private:
            there, wanted = ("private", "public") if about.private else ("public", "private")
            raise ProviderRefused(
                f"The repository {repo_id} is {there} on the Hugging Face Hub already, and a {wanted} one was asked"
                " for: nothing was published."
            )
        return commit_of(about.sha)

    async def _find(self, repo_id: str, job_id: str) -> Publication | None:
        for commit in await self._ask(partial(self._library.list_repo_commits, repo_id)):
            promised = names.promised_bytes(commit.message) if commit.title == names.commit_title(job_id) else None
            if promised is None:
                continue
            revision = commit_of(commit.commit_id)
            look = partial(self._library.get_paths_info, repo_id, [names.WEIGHTS], revision=revision)
            weights = [one for one in await self._ask(look) if isinstance(one, RepoFile) and one.path == names.WEIGHTS]
            if any(size_of(one) == promised for one in weights):
                return self._publication(repo_id, revision)
        return None

    async def _about(self, repo_id: str) -> ModelInfo:
        seconds = self._patience.question_seconds
        return await self._ask(partial(self._library.model_info, repo_id, files_metadata=True, timeout=seconds))

    async def _ask(self, call: Callable[[], Result]) -> Result:
        return await self._calls.run(call, seconds=self._patience.question_seconds)

    def _repo_id(self, repo_name: str) -> str:
        return f"{self._username}/{names.checked_repo_name(repo_name)}"

    def _publication(self, repo_id: str, commit: str) -> Publication:
        return Publication(repo_id=repo_id, url=f"{self._endpoint}/{repo_id}", commit=commit)


def _additions(model: PublishedModel, weights: Path, sample_files: Sequence[Path]) -> list[CommitOperationAdd]:
    """In a thread: it looks at the files. A missing one is an `OSError` of ours, no failure of the Hub's."""
    files = {names.WEIGHTS: weights}
    files |= {sample.file_name: path for sample, path in zip(model.samples, sample_files, strict=True)}
    for path in files.values():
        path.stat()
    readme = CommitOperationAdd(path_in_repo="README.md", path_or_fileobj=model_card(model).encode())
    return [readme, *(CommitOperationAdd(path_in_repo=name, path_or_fileobj=path) for name, path in files.items())]
