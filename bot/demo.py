"""`python -m bot demo`: the playground, and the real bot process connected to it. Nothing leaves this machine."""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.pictures.sample import write_sample
from bot.playground.person import Person
from bot.playground.reading import labels_of, text_of
from bot.playground.server import Playground

STORY_SECONDS = 50.0
PROMPTS = ("TOK at sunset over a calm sea", "TOK in a snow storm at night")
Message = dict[str, Any]


class DemoFailed(Exception):
    """The story did not end as it should; the message says where."""


def demo(*, script: bool, dataset: Path | None, port: int) -> int:
    if dataset is not None and not dataset.is_file():
        print(f"There is no file {dataset}: give --dataset a zip of pictures.", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the bot's process ends with this one
    try:
        if script:
            asyncio.run(_play(dataset, Path("demo-output")))
        else:
            asyncio.run(_open(port))
    except (DemoFailed, OSError, TimeoutError) as problem:
        print(f"The demo stopped: {str(problem) or 'it took too long'}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nClosed.")
    return 0


async def _open(port: int) -> None:
    data_dir = Path("demo-data").absolute()
    data_dir.mkdir(mode=0o700, exist_ok=True)
    sample = await asyncio.to_thread(write_sample, data_dir / "sample.zip")
    async with Playground(port=port, sample=sample) as playground:
        print(f"\n  Atelier's playground is open:  {playground.page_url}\n")
        print("  Drop a zip of photos on the page and run /finetune. Ctrl+C closes it.\n", flush=True)
        async with bot_process(playground, data_dir, training="12s", generation="4s") as bot:
            await bot.wait()
            raise DemoFailed("the bot ended by itself; its log is above.")


@asynccontextmanager
async def bot_process(
    playground: Playground, data_dir: Path, *, training: str, generation: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The same program as `python -m bot run`; only its settings know that this Discord is a small one."""
    environment = {
        **{
            name: value
            for name, value in os.environ.items()
            if name in ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
        },
        "DISCORD_TOKEN": playground.token,
        "DISCORD_API_URL": playground.api_url,
        "DISCORD_GATEWAY_URL": playground.gateway_url,
        "DATA_DIR": str(data_dir),
        "CARD_EDIT_INTERVAL": "1s",
        "LOG_LEVEL": "WARNING",
        "PROVIDERS": "local",  # whatever an .env says: the demo needs no key and costs nothing
        "LOCAL_TRAINING_TIME": training,
        "LOCAL_GENERATION_TIME": generation,
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bot", "run", env=environment)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), 20)
        except TimeoutError:
            process.kill()


async def _play(dataset: Path | None, output: Path) -> None:
    """A whole story without a browser: finetune, two prompts, pictures on disk."""
    output.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="atelier-demo-") as folder:
        zip_path = dataset
        if zip_path is None:
            zip_path = await asyncio.to_thread(write_sample, Path(folder) / "lighthouse.zip")
        await _tell_the_story(zip_path, Path(folder) / "data", output)
    print(f"\nThe pictures are in {output}/. They are an offline preview, not FLUX.")


async def _tell_the_story(zip_path: Path, data_dir: Path, output: Path) -> None:
    async with (
        asyncio.timeout(STORY_SECONDS),
        Playground() as playground,
        bot_process(playground, data_dir, training="3s", generation="1s"),
    ):
        await playground.bot_ready(timeout=20)
        ann = playground.person("Ann")
        await _train(playground, ann, zip_path)
        for number, prompt in enumerate(PROMPTS, start=1):
            await _generate(playground, ann, prompt, output / f"{number}")


async def _train(playground: Playground, ann: Person, zip_path: Path) -> None:
    _tell("Ann", f"/finetune zip:{zip_path.name}")
    await ann.command("finetune", channel="training", options={"zip": zip_path, "name": "demo", "mode": "general"})
    card = await _card(playground, lambda message: _start(message) is not None)
    _tell("Atelier", text_of(card))
    label = _start(card) or ""
    _tell("Ann", f"presses {label}")
    await ann.press(card, label)
    seen = text_of(card)
    while "is trained" not in seen:
        card = await _changed(playground, card["id"], seen)
        seen = text_of(card)
        _tell("Atelier", seen)


async def _generate(playground: Playground, ann: Person, prompt: str, stem: Path) -> None:
    choices = await ann.autocomplete("generate", option="model", typed="demo", channel="training")
    _tell("Ann", f"/generate model:{choices[0]['name']} prompt:{prompt}")
    options = {"model": choices[0]["value"], "prompt": prompt, "count": 2}
    await ann.command("generate", channel="training", options=options)
    result = await _card(playground, lambda message: bool(message["attachments"]) and prompt in text_of(message))
    _tell("Atelier", text_of(result))
    for number, attachment in enumerate(result["attachments"], start=1):
        path = Path(f"{stem}-{number}.png")
        path.write_bytes(playground.world.files.read(attachment["id"]))
        print(f"    {path}")


async def _changed(playground: Playground, message_id: str, seen: str) -> Message:
    """One message, once it no longer says what was seen."""
    return await _card(playground, lambda message: message["id"] == message_id and text_of(message) != seen)


def _start(message: dict[str, Any]) -> str | None:
    """What starts the training: its label says what the report card thinks of the pictures."""
    return next((label for label in labels_of(message) if label in ("Start", "Train anyway")), None)


async def _card(playground: Playground, matches: Callable[[Message], bool]) -> Message:
    """The next message of the bot that matches; a failed job ends the demo with its sentence."""

    def check(message: Message) -> bool:
        if "❌" in text_of(message):
            raise DemoFailed(text_of(message))
        return matches(message)

    return await playground.wait_for(check, channel="training", timeout=STORY_SECONDS)


def _tell(who: str, text: str) -> None:
    first, *rest = text.splitlines()
    print("\n".join([f"{who:>8}  {first}", *(f"{'':>8}  {line}" for line in rest)]), flush=True)
