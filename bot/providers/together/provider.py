"""Together AI: one blocking call makes the pictures; they are kept here before the call counts as a task."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from bot.addresses import AllowedHosts
from bot.errors import OutcomeUnknown, ProviderBroken, ProviderBusy, ProviderError, ProviderGone, ProviderUnreachable
from bot.providers.caching import Cache
from bot.providers.card import ProviderCard
from bot.providers.pictures import LARGEST_PICTURE, PICTURE_TYPES, named_by_content
from bot.providers.replies import Reply
from bot.providers.tasks import FetchedPictures, Finished, GenerationRequest, Stopped, Task, TaskState
from bot.providers.together.card import CARD, TITLE, card_of
from bot.providers.together.replies import Inline, Linked, explained, offered_models, pictures_of
from bot.providers.together.requests import body_of, generator_for
from bot.providers.together.spool import Kept, Spool
from bot.providers.wire import Wire

log = logging.getLogger(__name__)

API_URL = "https://api.together.ai/v1"
# Where links lead is not documented; observed ones are below api.together.ai, and older ones below api.together.xyz.
RESULT_HOSTS = frozenset({"api.together.ai", ".together.ai", "api.together.xyz", ".together.xyz"})
# The call lasts as long as the pictures take; the vendor's own client gives up after 60 s and pays again (section 3.3).
TIMEOUT = httpx.Timeout(connect=10.0, read=180.0, write=120.0, pool=30.0)
MODELS = "together: models"
MODELS_SECONDS = 3600.0  # a model may be gone three days after it was announced (section 3.3)
KEPT_SECONDS = 86_400.0


class TogetherProvider:
    """Implements `Generates`. `home` is a folder of its own for pictures that nobody has fetched yet.

    Nothing can be found or cancelled there. Once a request is answered it is paid, so from then on this raises
    nothing that would have it sent again: whatever is wrong with the answer is how the task ended.
    """

    def __init__(
        self,
        *,
        client: httpx.AsyncClient,
        key: str,
        home: Path,
        api_url: str = API_URL,
        extra_hosts: frozenset[str] = frozenset(),
        cache: Cache | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._wire = Wire(
            client,
            title=TITLE,
            base_url=api_url,
            key_headers={"Authorization": f"Bearer {key}"},
            hosts=AllowedHosts(RESULT_HOSTS, extra_hosts=extra_hosts),
            explain=explained,
            timeout=TIMEOUT,
        )
        self._spool = Spool(home)
        self._cache = cache or Cache()
        self._now = now
        self._card = CARD

    @property
    def card(self) -> ProviderCard:
        return self._card

    async def refresh(self) -> None:
        """Which models are still offered, hourly. Raises `ProviderDenied` for a wrong key."""
        with _disk_trouble_is(ProviderUnreachable):
            await asyncio.to_thread(self._spool.sweep, self._now() - KEPT_SECONDS)
        self._card = card_of(await self._cache.get(MODELS, self._offered, seconds=MODELS_SECONDS))

    async def submit_generation(self, request: GenerationRequest) -> Task:
        generator = generator_for(self._card, request)
        body = await asyncio.to_thread(body_of, request, generator)
        with _disk_trouble_is(ProviderBusy):
            folder = await asyncio.to_thread(self._spool.open)
        try:
            reply = await self._sent(body)
            with _disk_trouble_is(OutcomeUnknown):
                return Task(id=await self._kept(reply, request.count, folder))
        finally:
            self._spool.clear(folder)

    async def check(self, task: Task) -> TaskState:
        kept = await self._find(task)
        return Stopped(error=ProviderBroken(kept.problem)) if kept.problem else Finished()

    async def fetch_pictures(self, task: Task, into: Path) -> FetchedPictures:
        """What did not come is paid like the rest, and nothing says why it did not."""
        kept = await self._find(task)
        if kept.problem:
            raise ProviderBroken(kept.problem)
        with _disk_trouble_is(ProviderBroken):
            paths = await asyncio.to_thread(self._spool.copy, kept, into, task.id)
        return FetchedPictures(paths=paths, missing=kept.missing)

    async def close(self) -> None:
        """Nothing is held: the client belongs to whoever opened it."""

    async def _offered(self) -> frozenset[str] | None:
        try:
            return offered_models(await self._wire.read("models"))
        except ProviderGone:
            log.warning("%s has no list of models any more: nothing is retired", TITLE)
            return None

    async def _sent(self, body: object) -> Reply:
        try:
            return await self._wire.submit("images/generations", body=body)
        except ProviderGone:
            self._cache.forget(MODELS)
            raise
        except (ProviderBroken, ProviderUnreachable) as problem:
            raise OutcomeUnknown(
                f"{TITLE} answered in a way that nobody can read, so this was not sent again.", advice=str(problem)
            ) from None

    async def _kept(self, reply: Reply, count: int, folder: Path) -> str:
        """The task's id, once every picture that can be read is on disk."""
        came = 0
        for number, picture in enumerate(pictures_of(reply, count)):
            try:
                await self._take(picture, folder / str(number))
                came += 1
            except ProviderError as error:
                log.warning("%s: picture %d is lost: %s %s", TITLE, number, error, error.advice)
                (folder / str(number)).unlink(missing_ok=True)
        problem = "" if came else f"{TITLE} took the request and sent no picture that can be read. Please try again."
        return await asyncio.to_thread(self._spool.keep, folder, missing=count - came, problem=problem)

    async def _take(self, picture: Inline | Linked, path: Path) -> None:
        match picture:
            case Inline():
                await asyncio.to_thread(lambda: self._spool.write(path, picture.content()))
            case Linked(url=url):
                await self._wire.download(url, path, max_bytes=LARGEST_PICTURE, types=PICTURE_TYPES)
        await asyncio.to_thread(named_by_content, path)

    async def _find(self, task: Task) -> Kept:
        with _disk_trouble_is(ProviderUnreachable):
            kept = await asyncio.to_thread(self._spool.find, task.id)
        if kept is None:
            raise ProviderGone("These pictures are no longer kept: please generate them again.")
        return kept


@contextlib.contextmanager
def _disk_trouble_is(meaning: type[ProviderError]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise meaning(
            "The bot's disk cannot be used right now: its operator has to look at it.", advice=str(error)
        ) from error
