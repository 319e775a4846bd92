"""python -m bot run | demo"""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

from bot.client import DiscordRefused, open_bot
from bot.errors import BadInput
from bot.logs import set_up_logs
from bot.settings import Settings, SettingsRejected, read_settings
from storage.errors import StorageRefused
from storage.objects import ObjectsRefused


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bot", description="Atelier, a Discord bot that trains FLUX models")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="connect to Discord")
    demo = commands.add_parser("demo", help="open the playground with the bot in it; needs no key and no network")
    demo.add_argument("--script", action="store_true", help="play a whole story without a browser and exit")
    demo.add_argument("--dataset", type=Path, metavar="FILE.zip", help="the story's pictures; else a drawn sample")
    demo.add_argument("--port", type=int, default=8420, help="the page's port (default 8420)")
    options = parser.parse_args(arguments)
    if options.command == "demo":
        from bot.demo import demo as open_demo  # noqa: PLC0415 - the playground is no part of a real run

        return open_demo(script=options.script, dataset=options.dataset, port=options.port)
    return run()


def run() -> int:
    try:
        settings = read_settings(os.environ, env_file=Path(".env"))
    except SettingsRejected as problem:
        print(problem, file=sys.stderr)
        return 2
    set_up_logs(settings)
    try:
        asyncio.run(_run(settings))
    except (StorageRefused, DiscordRefused, ObjectsRefused, BadInput) as problem:
        print(problem, file=sys.stderr)
        return 2
    return 0


async def _run(settings: Settings) -> None:
    async with open_bot(settings) as bot:
        running = asyncio.ensure_future(bot.start_or_refuse(settings.discord_token.reveal()))
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, running.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await running


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
