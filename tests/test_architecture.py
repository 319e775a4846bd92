"""The house rules: which way imports point, who may know which library, how long things get, what nothing is called.

Read from the source with `ast`, so breaking a rule fails here and names the line.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from bot.client import COGS

ROOT = Path(__file__).parent.parent
OURS = ("bot", "cogs", "storage")
FILES = sorted(
    path.relative_to(ROOT)
    for package in OURS
    for path in (ROOT / package).rglob("*.py")
    if "__pycache__" not in path.parts
)
NAMES = [str(path) for path in FILES]
FILE_LINES = 250
FUNCTION_LINES = 40
FORBIDDEN = {"utils", "helpers", "misc", "common", "core", "base", "manager", "handler", "service", "processor", "info"}

# Who may import what: a library, and the places that know it. A place is a file or a folder.
KNOWN_BY = {
    "discord": (
        "cogs/",
        "bot/client.py",
        "bot/intake.py",
        "bot/delivery/",
        "bot/messages/",
        "bot/discord_address.py",
    ),
    "aiohttp": ("bot/client.py", "bot/delivery/refusals.py", "bot/playground/", "bot/webhooks.py"),
    "httpx": ("bot/providers/", "bot/startup.py", "bot/opening.py", "bot/downloads.py", "bot/fetching.py"),
    "sqlalchemy": ("storage/",),
    "aiosqlite": ("storage/",),
    "alembic": ("storage/",),
    "sqlite3": ("storage/",),
    "dbos": ("bot/workflows/engine.py",),
    "dotenv": ("bot/settings.py",),
    "pillow_heif": ("bot/datasets/",),
    "PIL": ("bot/datasets/", "bot/pictures/", "bot/providers/local"),
    "numpy": ("bot/datasets/", "bot/pictures/", "bot/providers/local"),
    "zipfile": ("bot/datasets/", "bot/pictures/", "bot/providers/", "bot/playground/"),
    "tarfile": ("bot/providers/",),
    "stamina": ("bot/providers/wire.py",),
    "obstore": ("storage/objects.py",),
    "huggingface_hub": ("bot/hub/",),
    "httpx2": ("bot/hub/library.py",),
    "yaml": ("bot/hub/card.py",),
    "safetensors": ("bot/providers/weights.py",),
    "cryptography": ("bot/providers/signatures.py",),
    "standardwebhooks": ("bot/providers/signatures.py",),
    "jsonschema": ("bot/providers/replicate",),
    "zxcvbn": ("bot/datasets/captions/trigger_words.py",),
    "yarl": ("bot/discord_address.py", "bot/playground/"),
}
ENVIRONMENT_READERS = ("bot/__main__.py", "bot/settings.py", "bot/demo.py")
TOO_LONG: set[str] = set()
TOO_LONG_FUNCTIONS: set[str] = set()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path))


@cache
def imports(path: Path) -> tuple[tuple[str, int], ...]:
    """Every module a file imports, inside functions too, with its line."""
    found: list[tuple[str, int]] = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            found.append((node.module or "", node.lineno))
            found += [(f"{node.module}.{alias.name}", node.lineno) for alias in node.names]
    return tuple(found)


def importers(module: str) -> Iterator[str]:
    """The files that import a module or anything below it."""
    for path in FILES:
        for name, line in imports(path):
            if name == module or name.startswith(f"{module}."):
                yield f"{path}:{line}"
                break


def outside(places: tuple[str, ...], found: Iterator[str]) -> list[str]:
    return [where for where in found if not where.startswith(places)]


def test_the_files_were_found() -> None:
    assert len(FILES) > 80
    assert Path("bot/client.py") in FILES


def test_storage_imports_nothing_of_ours() -> None:
    assert outside(("cogs/",), importers("cogs")) == []
    assert [where for where in importers("bot") if where.startswith("storage/")] == []


def test_the_bot_never_imports_its_cogs() -> None:
    assert [where for where in importers("cogs") if where.startswith("bot/")] == []


def test_every_cog_is_loaded_by_name() -> None:
    with_setup = {
        ".".join(path.with_suffix("").parts)
        for path in FILES
        if path.parts[0] == "cogs"
        and any(isinstance(node, ast.AsyncFunctionDef) and node.name == "setup" for node in tree(path).body)
    }
    assert set(COGS) == with_setup


def test_the_playground_stands_alone() -> None:
    """It meets the bot over HTTP and a socket, as Discord does; only the demo opens it."""
    ours = [
        f"{path}:{line} {name}"
        for path in FILES
        if str(path).startswith("bot/playground/")
        for name, line in imports(path)
        if name.split(".")[0] in OURS and not name.startswith("bot.playground")
        if name != "bot"
    ]
    assert ours == []
    assert outside(("bot/playground/", "bot/demo.py"), importers("bot.playground")) == []
    assert [where for where in importers("discord") if where.startswith("bot/playground/")] == []


@pytest.mark.parametrize("library", KNOWN_BY)
def test_a_library_is_known_in_few_places(library: str) -> None:
    assert outside(KNOWN_BY[library], importers(library)) == []


PURE = {
    "bot/datasets/": ("storage", "bot.workflows", "bot.providers", "bot.delivery", "bot.settings"),
    "bot/pictures/": ("storage", "bot.workflows", "bot.providers", "bot.delivery", "bot.settings", "bot.datasets"),
    "bot/providers/": ("storage.database", "storage.jobs", "bot.workflows", "bot.delivery", "bot.settings"),
    "bot/messages/": ("bot.workflows", "bot.delivery", "bot.settings", "bot.client", "storage.database"),
    "bot/delivery/": ("bot.workflows", "bot.settings", "bot.client", "bot.startup"),
    "bot/workflows/": ("bot.delivery", "bot.client", "bot.startup", "bot.settings", "bot.messages", "bot.playground"),
    "bot/errors.py": ("bot", "storage.database"),
    "bot/permissions.py": ("bot.workflows", "bot.delivery", "storage.database"),
    "bot/settings.py": ("bot.workflows", "bot.client", "bot.startup", "storage"),
    "storage/statuses.py": ("storage", "sqlalchemy"),
}


@pytest.mark.parametrize("place", PURE)
def test_imports_only_ever_point_right(place: str) -> None:
    wrong = [
        f"{where} imports {module}" for module in PURE[place] for where in importers(module) if where.startswith(place)
    ]
    assert wrong == []


def test_only_three_files_read_the_environment() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path in FILES
        for node in ast.walk(tree(path))
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "putenv"))
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and any("env" in a.name for a in node.names))
    ]
    assert outside(ENVIRONMENT_READERS, iter(found)) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_one_subject(name: str) -> None:
    lines = len((ROOT / name).read_text(encoding="utf-8").splitlines())
    if name in TOO_LONG:
        assert lines > FILE_LINES, f"{name} is short enough now: take it out of TOO_LONG"
    else:
        assert lines <= FILE_LINES, f"{name} has {lines} lines: it holds two subjects, name them"


@pytest.mark.parametrize("name", NAMES)
def test_a_function_is_one_idea(name: str) -> None:
    functions = [n for n in ast.walk(tree(Path(name))) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    too_long = {
        f"{name} {function.name}": length
        for function in functions
        if (length := _body_lines(function)) > FUNCTION_LINES and "migrations/versions" not in name
    }
    known = {function for function in TOO_LONG_FUNCTIONS if function.startswith(f"{name} ")}
    assert set(too_long) == known, "part it, or take it out of TOO_LONG_FUNCTIONS"


def _body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """From the first statement to the last: a slash command's parameters are its form, not its length."""
    return (function.end_lineno or 0) - function.body[0].lineno + 1


def test_nothing_is_called_by_a_word_that_says_nothing() -> None:
    named: list[str] = []
    for path in FILES:
        words = [part.removesuffix(".py") for part in path.parts]
        words += [node.name for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)]
        named += [f"{path} {word}" for word in words if FORBIDDEN & set(_words(word))]
    assert named == []


def _words(name: str) -> list[str]:
    """A base model is the field's own term, and says something."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("base_model", "basemodel").split("_")


@pytest.mark.parametrize("name", [name for name in NAMES if not name.endswith("__init__.py")])
def test_a_module_opens_with_what_it_is_for(name: str) -> None:
    assert ast.get_docstring(tree(Path(name))), f"{name} says nothing about itself"


def test_broad_catches_are_only_at_the_exits() -> None:
    """A button's exit, the workflows' outer edge, a step being put down, a loop that must go on, the bot's own start
    after a death, and a decoder fed a stranger's bytes."""
    allowed = (
        "cogs/answers.py",
        "bot/running.py",
        "bot/workflows/endings.py",
        "bot/workflows/engine.py",
        "bot/workflows/resuming.py",
        "bot/workflows/watchdog.py",
        "bot/positions.py",
        "bot/datasets/images.py",
    )
    broad = [
        f"{path}:{node.lineno}"
        for path in FILES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")))
    ]
    assert outside((*allowed, "bot/playground/"), iter(broad)) == []


QUIET_IMPORT = """
import builtins, importlib, os, socket, sys, threading

def refuse(*arguments, **options):
    raise AssertionError(f"work at import: {arguments[:2]}")

def watch(event, arguments):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.mkdir", "os.remove",
                 "os.rename", "sqlite3.connect"):
        refuse(event, arguments)
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        if str(arguments[0]) != os.devnull and "__pycache__" not in str(arguments[0]):
            refuse(event, arguments)

libraries = ("discord", "discord.ext.commands", "aiohttp", "aiohttp.web", "httpx", "sqlalchemy.ext.asyncio", "alembic",
             "dbos", "PIL.Image", "PIL.ImageCms", "numpy", "asyncio", "multiprocessing", "concurrent.futures.process",
             "alembic.runtime.environment")
for library in libraries:
    importlib.import_module(library)
threads = threading.active_count()
sys.dont_write_bytecode = True
sys.addaudithook(watch)
before = dict(os.environ)
for name in sys.argv[1:]:
    importlib.import_module(name)
    assert threading.active_count() == threads, f"{name} starts a thread"
    assert dict(os.environ) == before, f"{name} changes the environment"
"""


def test_importing_does_nothing() -> None:
    """No connection, no file written, no process, no thread: importing every module is only reading it."""
    modules = [
        ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        for path in FILES
        if "migrations" not in path.parts
    ]
    ended = subprocess.run(
        [sys.executable, "-c", QUIET_IMPORT, *modules],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
