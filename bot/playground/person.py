"""Somebody in the playground, for tests and for the scripted demo: "Ann runs /finetune with cats.zip"."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.playground import acting, dialogs, limits, menus, payloads, reading
from bot.playground.client_rules import ClientRefused
from bot.playground.component_shapes import walk
from bot.playground.interactions import Callback, Interaction
from bot.playground.shapes import Json
from bot.playground.values import Message, User
from bot.playground.world import World


class DidNotRespond(Exception):
    """What a person reads when the bot is silent for three seconds."""


class Answer:
    """What the bot replied to one thing a person did. `message` is always the message as it is now."""

    def __init__(self, world: World, interaction: Interaction, *, source: Message | None = None) -> None:
        self._world = world
        self._source = source
        self.interaction = interaction

    @property
    def message(self) -> Json | None:
        """The answering message or, after an update, the message the button sits on; None for a dialog."""
        found = self._world.find_message(self.interaction.original_id or "")
        return payloads.message(self._world, found) if found else None

    @property
    def modal(self) -> Json | None:
        return self.interaction.modal

    @property
    def text(self) -> str:
        message = self.message
        return reading.text_of(message) if message else ""

    @property
    def labels(self) -> list[str]:
        message = self.message
        return reading.labels_of(message) if message else []

    @property
    def is_ephemeral(self) -> bool:
        return self.interaction.is_ephemeral

    @property
    def is_deferred(self) -> bool:
        return self.interaction.callback in (Callback.DEFERRED_MESSAGE, Callback.DEFERRED_UPDATE)

    @property
    def follow_ups(self) -> list[Json]:
        """Further messages sent with the same token, oldest first."""
        ids = [one for one in self.interaction.message_ids if one != self.interaction.original_id]
        found = [self._world.find_message(one) for one in ids]
        return [payloads.message(self._world, message) for message in found if message]

    async def final(self, timeout: float = 30.0) -> Json:
        """The message once the bot has finished what it deferred; at once when it deferred nothing."""
        return await reading.until(self._world, self._finished, timeout=timeout)

    def _finished(self) -> Json | None:
        original = self._world.find_message(self.interaction.original_id or "")
        if self.interaction.callback is Callback.DEFERRED_UPDATE and original is self._source:
            return self.follow_ups[-1] if self.follow_ups else None
        if original is None:
            return self.follow_ups[-1] if self.follow_ups else None
        return None if original.is_loading else payloads.message(self._world, original)


class Person:
    """Acts as one user. Whatever the real client would not send raises ClientRefused here."""

    def __init__(self, world: World, user: User) -> None:
        self._world = world
        self.user = user

    @property
    def id(self) -> str:
        return self.user.id

    @property
    def name(self) -> str:
        return self.user.name

    def sees(self, channel: str) -> list[Json]:
        """The messages of a channel this person can see, oldest first. "dm" is their channel with the bot."""
        held = self._world.messages_in(self._channel_id(channel))
        return [payloads.message(self._world, one) for one in held if one.ephemeral_for in (None, self.id)]

    def close_direct_messages(self) -> None:
        """The bot may not write to this person any more: 403, code 50007."""
        self._world.closed_to_the_bot.add(self.id)

    async def say(self, content: str, *, channel: str = "general", files: Sequence[Path] = ()) -> Json:
        upload_ids = [await self._upload(path) for path in files]
        channel_id = self._channel_id(channel)
        message = acting.say(self._world, self.user, channel_id=channel_id, content=content, upload_ids=upload_ids)
        return payloads.message(self._world, message)

    async def command(
        self, name: str, /, *, channel: str = "general", options: Mapping[str, Any] | None = None, **more: Any
    ) -> Answer:
        """Runs "finetune" or "models list". A Path is uploaded; a Person stands for their id."""
        first, *path = name.removeprefix("/").split()
        channel_id = self._channel_id(channel)
        given = {key: await self._value(value) for key, value in {**(options or {}), **more}.items()}
        command = acting.command_named(self._world, self.user, first, channel_id=channel_id)
        interaction = acting.use_command(
            self._world, self.user, channel_id=channel_id, command=command, path=tuple(path), given=given
        )
        return await self._answer(interaction)

    async def autocomplete(
        self, name: str, /, *, option: str, typed: str, channel: str = "general", **options: Any
    ) -> list[Json]:
        """The choices offered for what is typed so far, as {name, value}."""
        first, *path = name.removeprefix("/").split()
        channel_id = self._channel_id(channel)
        command = acting.command_named(self._world, self.user, first, channel_id=channel_id)
        interaction = acting.ask_choices(
            self._world,
            self.user,
            channel_id=channel_id,
            command=command,
            path=tuple(path),
            given={**options, option: typed},
            focused=option,
        )
        await self._answer(interaction)
        return interaction.choices or []

    async def use_menu(self, message: Json | Answer, name: str) -> Answer:
        """Chooses the command of this name in the menu of a message: Apps > Add my pictures."""
        message_id = self._current(message)["id"]
        return await self._answer(menus.use(self._world, self.user, message_id=message_id, name=name))

    async def press(self, message: Json | Answer, label: str) -> Answer:
        """Presses the button with this label (or custom id) on the message as it is now."""
        current = self._current(message)
        for button in reading.buttons_of(current):
            if label in (button.get("label"), button.get("custom_id"), button.get("emoji", {}).get("name")):
                return await self._use(current, button)
        raise ClientRefused(f"There is no button {label!r}, only {reading.labels_of(current)}.")

    async def choose(self, message: Json | Answer, select: str, values: str | Sequence[str]) -> Answer:
        """Chooses options, by label or value, in the select with this placeholder or custom id."""
        current = self._current(message)
        chosen = [values] if isinstance(values, str) else list(values)
        for component in reading.selects_of(current):
            if select in (component.get("placeholder"), component["custom_id"]):
                return await self._use(current, component, chosen)
        raise ClientRefused(f"There is no menu {select!r} on this message.")

    async def submit(self, modal: Answer, values: Mapping[str, Any] | None = None) -> Answer:
        """Fills in a dialog by label (or custom id) and sends it. Files are given as a list of paths."""
        if modal.modal is None:
            raise ClientRefused("No dialog is open.")
        by_label = _inputs_by_label(modal.modal)
        entered: Json = {}
        for label, value in (values or {}).items():
            if label not in by_label:
                raise ClientRefused(f"The dialog does not ask for {label!r}, only {sorted(by_label)}.")
            entered[by_label[label]] = await self._value(value)
        source = self._world.find_message(modal.interaction.message_id or "")
        interaction = dialogs.submit(self._world, self.user, opened=modal.interaction, values=entered)
        return await self._answer(interaction, source=source)

    async def _use(self, message: Json, component: Json, values: list[str] | None = None) -> Answer:
        if "custom_id" not in component:
            raise ClientRefused("A link opens in the browser; the bot hears nothing of it.")
        source = self._world.find_message(message["id"])
        interaction = acting.use_component(
            self._world, self.user, message_id=message["id"], custom_id=component["custom_id"], values=values
        )
        return await self._answer(interaction, source=source)

    async def _answer(self, interaction: Interaction, *, source: Message | None = None) -> Answer:
        def look() -> Callback | None:
            return interaction.callback

        try:
            await reading.until(self._world, look, timeout=limits.ANSWER_SECONDS + 0.25)
        except TimeoutError:
            raise DidNotRespond(f"The application did not respond to {interaction.name or 'this'}.") from None
        return Answer(self._world, interaction, source=source)

    def _current(self, message: Json | Answer) -> Json:
        payload = message.message if isinstance(message, Answer) else message
        found = acting.seen(self._world, self.user, payload["id"] if payload else "")
        return payloads.message(self._world, found)

    def _channel_id(self, channel: str) -> str:
        if channel == "dm":
            return self._world.direct_channel(self.id).id
        return self._world.channel_named(channel).id

    async def _value(self, value: Any) -> Any:
        match value:
            case Path():
                return await self._upload(value)
            case Person():
                return value.id
            case list() | tuple():
                return [await self._value(one) for one in value]
        return value

    async def _upload(self, path: Path) -> str:
        data = await asyncio.to_thread(path.read_bytes)
        return acting.upload(self._world, filename=path.name, data=data).id


def _inputs_by_label(modal: Json) -> dict[str, str]:
    """Custom ids by the label above each input, and by themselves."""
    found: dict[str, str] = {}
    for component in walk(modal["components"]):
        asked = component.get("component", component)
        if "custom_id" in asked:
            found.setdefault(asked["custom_id"], asked["custom_id"])
            if component.get("label"):
                found.setdefault(component["label"], asked["custom_id"])
    return found
