"""The conversation between the web page and the playground: one WebSocket of JSON text frames, and uploads.

Page to server: `{"do": ACTION, "re": number, ...}`, answered by `{"re": number, "ok": {...}}` or
`{"re": number, "error": "one sentence"}`. The actions are the functions of page_actions.py:

    act_as {person_id}                                         who I am; returns people, servers, commands, menus
    messages {channel_id, before?, limit?}                     oldest first
    say {channel_id, content, upload_ids}
    command {channel_id, command_id, path, options}            returns interaction_id
    autocomplete {channel_id, command_id, path, options, focused}   returns choices
    use_menu {message_id, command_id}                          returns interaction_id
    press {channel_id, message_id, custom_id, component_type, values?}
    submit_modal {modal_interaction_id, custom_id, values}
    dismiss {message_id}                                       hides an ephemeral message

Server to page, filtered for the acting person: `{"event": NAME, ...}` with message_create, message_update,
message_delete, servers, interaction_waiting, interaction_answered, interaction_failed, modal, bot_status, commands,
typing.

All objects are Discord's own JSON, and ids are strings. Messages carry three extras for the page:
`ephemeral_for`, `loading`, and `interaction_metadata.name`. A file is first sent to POST /playground/uploads.
"""

import asyncio
import json
from collections.abc import Callable

from aiohttp import WSMsgType, web

from bot.playground import acting, limits, page_actions, refusals
from bot.playground.client_rules import ClientRefused
from bot.playground.events import (
    BotCameOrWent,
    ChannelDeleted,
    ChannelOpened,
    CommandsChanged,
    Event,
    InteractionAnswered,
    InteractionOpened,
    MessageCreated,
    MessageDeleted,
    MessageUpdated,
    TypingStarted,
)
from bot.playground.interactions import Callback, Interaction, Kind
from bot.playground.page_actions import Viewer
from bot.playground.shapes import Json
from bot.playground.values import Message
from bot.playground.world import World

SILENCE = "The application did not respond"


class PageSocket:
    """Serves every open page."""

    def __init__(self, world: World, *, bot_is_online: Callable[[], bool]) -> None:
        self._world = world
        self._bot_is_online = bot_is_online
        self._viewers: dict[Viewer, web.WebSocketResponse] = {}
        self._hidden: set[str] = set()
        self._timers: set[asyncio.TimerHandle] = set()
        world.subscribe(self.hear)

    async def close(self) -> None:
        for timer in self._timers:
            timer.cancel()
        for socket in list(self._viewers.values()):
            await socket.close(code=1001)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        _refuse_other_sites(request)
        socket = web.WebSocketResponse(heartbeat=30.0)
        await socket.prepare(request)
        first = next(iter(self._world.people.values()))
        viewer = Viewer(self._world, person=first, hidden=self._hidden, bot_is_online=self._bot_is_online)
        self._viewers[viewer] = socket
        writing = asyncio.create_task(_write_all(viewer, socket))
        asking: set[asyncio.Task[None]] = set()
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    task = asyncio.create_task(_answer(viewer, frame.data))
                    asking.add(task)
                    task.add_done_callback(asking.discard)
        finally:
            del self._viewers[viewer]
            for task in (writing, *asking):
                task.cancel()
            await asyncio.gather(writing, *asking, return_exceptions=True)
        return socket

    async def upload(self, request: web.Request) -> web.Response:
        _refuse_other_sites(request)
        if (request.content_length or 0) > limits.PERSON_FILE_BYTES:
            return web.json_response({"error": "This file is larger than 100 MiB."}, status=413)
        try:
            data = await request.read()
            file = acting.upload(self._world, filename=request.query.get("name", "unknown"), data=data)
        except (web.HTTPRequestEntityTooLarge, ClientRefused):
            return web.json_response({"error": "This file is larger than 100 MiB."}, status=413)
        return web.json_response(
            {
                "upload_id": file.id,
                "name": file.filename,
                "size": file.size,
                "content_type": file.content_type,
                "url": self._world.files.url(file),
            }
        )

    # What the world tells the pages.

    def hear(self, event: Event) -> None:
        match event:
            case MessageCreated(message=message):
                self._tell_of_message("message_create", message)
            case MessageUpdated(message=message):
                self._tell_of_message("message_update", message)
            case MessageDeleted(message=message):
                gone = {"event": "message_delete", "channel_id": message.channel_id, "id": message.id}
                self._tell(gone, only=message.ephemeral_for)
            case InteractionOpened(interaction=interaction):
                self._interaction_opened(interaction)
            case InteractionAnswered(interaction=interaction):
                self._interaction_answered(interaction)
            case TypingStarted(channel=channel, user_id=user_id):
                self._tell({"event": "typing", "channel_id": channel.id, "user_id": user_id})
            case ChannelOpened() | ChannelDeleted():
                for viewer in self._viewers:
                    viewer.push({"event": "servers", "servers": viewer.servers()})
            case CommandsChanged():
                for viewer in self._viewers:
                    viewer.push({"event": "commands", **viewer.commands()})
            case BotCameOrWent(is_online=is_online):
                self._tell({"event": "bot_status", "online": is_online})

    def _tell(self, payload: Json, *, only: str | None = None) -> None:
        for viewer in self._viewers:
            if only in (None, viewer.person.id):
                viewer.push(payload)

    def _tell_of_message(self, name: str, message: Message) -> None:
        for viewer in self._viewers:
            if viewer.sees(message):
                viewer.push({"event": name, "message": viewer.message(message)})

    def _interaction_opened(self, interaction: Interaction) -> None:
        if interaction.kind is Kind.AUTOCOMPLETE:
            return
        waiting: Json = {"interaction_id": interaction.id, "channel_id": interaction.channel_id}
        if interaction.kind is Kind.COMMAND:
            about = {"name": interaction.name, "target_message_id": interaction.target_id}
            event = {"event": "interaction_waiting", **waiting, **about}
            self._tell(event, only=interaction.person_id)
        loop = asyncio.get_running_loop()

        def check() -> None:
            self._timers.discard(timer)
            if interaction.callback is None:
                event = {"event": "interaction_failed", **waiting, "sentence": SILENCE}
                self._tell(event, only=interaction.person_id)

        timer = loop.call_later(limits.ANSWER_SECONDS + 0.1, check)
        self._timers.add(timer)

    def _interaction_answered(self, interaction: Interaction) -> None:
        if interaction.kind is Kind.AUTOCOMPLETE:
            return
        answered = {"event": "interaction_answered", "interaction_id": interaction.id}
        self._tell(answered, only=interaction.person_id)
        if interaction.callback is Callback.MODAL and interaction.modal is not None:
            opened = {"event": "modal", "interaction_id": interaction.id, **interaction.modal}
            self._tell(opened, only=interaction.person_id)


def _refuse_other_sites(request: web.Request) -> None:
    """Another website in the same browser must not act here: it can reach loopback, but not forge these headers."""
    address = request.transport.get_extra_info("sockname") if request.transport else None
    port = address[1] if address else None
    own_hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
    origin = request.headers.get("Origin")
    origin_is_own = origin is None or origin in {f"http://{host}" for host in own_hosts}
    if request.headers.get("Host") not in own_hosts or not origin_is_own:
        raise web.HTTPForbidden(text="This address belongs to the playground's own page.")


async def _write_all(viewer: Viewer, socket: web.WebSocketResponse) -> None:
    """The only writer of a socket, so that frames keep their order."""
    while True:
        payload = await viewer.outbox.get()
        if socket.closed:
            return
        try:
            await socket.send_str(json.dumps(payload))
        except ConnectionError:
            return


async def _answer(viewer: Viewer, text: str) -> None:
    number: object = None
    try:
        asked = json.loads(text)
        if not isinstance(asked, dict):
            raise TypeError("not an object")
        number = asked.get("re")
        action = page_actions.ACTIONS.get(str(asked.get("do")))
        if action is None:
            raise ClientRefused(f"The playground does not know how to {asked.get('do')!r}.")
        viewer.push({"re": number, "ok": await action(viewer, asked)})
    except (ClientRefused, LookupError) as error:
        sentence = f"{error} is missing." if isinstance(error, KeyError) else str(error)
        viewer.push({"re": number, "error": sentence})
    except refusals.Refusal as refusal:
        viewer.push({"re": number, "error": refusal.message})
    except TimeoutError:
        viewer.push({"re": number, "error": SILENCE})
    except (ValueError, TypeError, AttributeError):
        viewer.push({"re": number, "error": "The playground could not read this request."})
