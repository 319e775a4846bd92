"""python -m bot run | demo"""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from bot.client import DiscordRefused
from bot.errors import BadInput
from bot.logs import set_up_logs
from bot.running import keep_running
from bot.settings import SettingsRejected, read_settings
from storage.errors import StorageRefused, StorageTrouble
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
        asyncio.run(keep_running(settings))
    except (StorageRefused, DiscordRefused, ObjectsRefused, BadInput) as problem:
        print(problem, file=sys.stderr)
        return 2
    except StorageTrouble as trouble:
        print(f"The bot did not start: {trouble.advice}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
