"""Where providers may knock when a task moves on. A knock is proof of nothing: it only makes us look sooner.

One aiohttp listener, opened by `bot/startup.py` when PUBLIC_URL is set. The path is unguessable and belongs to one job.
"""

import hashlib
import hmac
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from bot.errors import ProviderError
from bot.providers.contract import Knocks
from bot.providers.registry import Providers
from bot.providers.signatures import NotGenuine, SeenDeliveries
from bot.providers.tasks import Webhook

log = logging.getLogger(__name__)

LARGEST_BODY = 4 * 2**20  # bytes; a delivery carries the whole task, its logs too
PATH = r"/webhooks/{provider:[a-z]{2,20}}/{job:\d{1,20}}/{token:[0-9a-f]{64}}"


class Hooks:
    """Addresses of webhooks, and which of them are ours. `key` is a secret of this bot, the same in every process.

    Without a `public_url` there are none.
    """

    def __init__(self, *, public_url: str | None, key: str) -> None:
        self._public_url = public_url.rstrip("/") if public_url else None
        self._key = hashlib.sha256(b"atelier webhooks " + key.encode()).digest()

    def webhook_for(self, provider: str, job_id: str) -> Webhook | None:
        """The address for one job, and the secret that a provider without a key of its own signs with."""
        if self._public_url is None:
            return None
        token = self._digest("path", provider, job_id)
        return Webhook(
            url=f"{self._public_url}/webhooks/{provider}/{job_id}/{token}", secret=self.secret(provider, job_id)
        )

    def secret(self, provider: str, job_id: str) -> str:
        return self._digest("secret", provider, job_id)

    def knows(self, provider: str, job_id: str, token: str) -> bool:
        return hmac.compare_digest(self._digest("path", provider, job_id), token)

    def _digest(self, *words: str) -> str:
        return hmac.new(self._key, "\n".join(words).encode(), hashlib.sha256).hexdigest()


class Listener:
    """Answers 204 to a genuine knock, and 404 to everything else: a stranger learns nothing."""

    def __init__(
        self, *, hooks: Hooks, providers: Providers, wake: Callable[[str], None], now: Callable[[], float] = time.time
    ) -> None:
        self._hooks = hooks
        self._providers = providers
        self._wake = wake
        self._now = now
        self._seen = SeenDeliveries()

    @asynccontextmanager
    async def listening(self, host: str | None, port: int) -> AsyncIterator[int]:
        """`host` None is every interface. Yields the port, which is chosen when 0 is asked for."""
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_post(PATH, self._knock)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            yield runner.addresses[0][1]
        finally:
            await runner.cleanup()

    async def _knock(self, request: web.Request) -> web.Response:
        name, job_id, token = (request.match_info[part] for part in ("provider", "job", "token"))
        provider = self._providers.find(name)
        if not isinstance(provider, Knocks) or not self._hooks.knows(name, job_id, token):
            raise web.HTTPNotFound
        headers = {key.lower(): value for key, value in request.headers.items()}
        body = await request.read()
        try:
            delivery = await provider.check_webhook(
                headers, body, secret=self._hooks.secret(name, job_id), now=self._now()
            )
        except NotGenuine as problem:
            log.warning("A webhook of %s for job %s is not genuine: %s", name, job_id, problem)
            raise web.HTTPNotFound from None
        except ProviderError as problem:  # its keys could not be read: it will knock again, and we poll anyway
            log.warning("A webhook of %s could not be proved: %s", name, problem)
            raise web.HTTPServiceUnavailable from None
        if self._seen.is_new(f"{name} {delivery}", self._now()):
            self._wake(job_id)
        return web.Response(status=204)
