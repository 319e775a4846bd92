"""The disk is full, shut, locked or damaged: one sentence, nothing half, and every job goes on afterwards.

A full disk is a real one (a small tmpfs) where this process may mount, and everywhere a limit on the size of files.
A read-only folder is met by a process that permissions bind, because they do not bind root.
"""

import asyncio
import os
import resource
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import bot.__main__
import storage.database
from bot.playground.reading import text_of
from bot.playground.server import Playground
from storage.database import Database
from storage.files import Files
from storage.statuses import Stage
from tests.end_to_end.bot_process import PROJECT, BotProcess, bot_command
from tests.end_to_end.stored import count
from tests.end_to_end.test_kills import Town, ask, until
from tests.small_disk import fill, free, small_disk_at

TOKEN = "MTAwMQ.Gabcde.very-secret-token"
IMPATIENT = "import storage.database; storage.database.BUSY_TIMEOUT_MS = 300"


@dataclass(frozen=True, kw_only=True)
class Ended:
    code: int
    said: str


Start = Callable[[Path], Ended]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Start:
    """`python -m bot run` on a folder, to its end: nothing listens where its Discord should be."""
    monkeypatch.setattr(bot.__main__, "set_up_logs", lambda _settings: None)
    monkeypatch.setattr(storage.database, "BUSY_TIMEOUT_MS", 300)
    monkeypatch.chdir(tmp_path)

    def start(data_dir: Path) -> Ended:
        for name, value in environment(data_dir).items():
            monkeypatch.setenv(name, value)
        code = bot.__main__.main(["run"])
        return Ended(code=code, said=capsys.readouterr().err)

    return start


def environment(data_dir: Path) -> dict[str, str]:
    return {"DISCORD_TOKEN": TOKEN, "DATA_DIR": str(data_dir), "DISCORD_API_URL": "http://127.0.0.1:9/api/v10"}


def assert_refused(ended: Ended, *words: str) -> None:
    """One sentence, and nothing but that."""
    assert ended.code == 2
    assert "Traceback" not in ended.said
    (sentence,) = ended.said.strip().splitlines()
    assert [word for word in words if word not in sentence] == [], sentence
    assert TOKEN not in sentence


@pytest.fixture(scope="module")
def used_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that a bot has used before."""
    data_dir = tmp_path_factory.mktemp("used") / "data"

    async def use() -> None:
        database = Database(f"sqlite:///{data_dir / 'atelier.sqlite3'}")
        await database.open()
        await database.close()
        Files(data_dir / "files").close()
        (data_dir / "running.lock").touch()

    asyncio.run(use())
    return data_dir


@pytest.fixture
def data_dir(used_data: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(used_data, tmp_path / "data"))


def contents(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
        if not path.name.endswith(("-shm", "-wal"))  # SQLite's own, which readers make too
    }


# At the start


@pytest.mark.parametrize("name", ["atelier.sqlite3", "atelier.sqlite3-wal", "running.lock"])
def test_a_folder_where_a_file_belongs_is_named(start: Start, data_dir: Path, name: str) -> None:
    (data_dir / name).unlink(missing_ok=True)
    (data_dir / name).mkdir()
    before = contents(data_dir)
    assert_refused(start(data_dir), name, "is a folder where a file belongs", "move it away")
    assert contents(data_dir).keys() - {"running.lock"} == before.keys() - {"running.lock"}


@pytest.mark.parametrize("name", ["", "files", "files/incoming"])
def test_a_file_where_a_folder_belongs_is_named(start: Start, data_dir: Path, name: str) -> None:
    shutil.rmtree(data_dir / name)
    (data_dir / name).write_bytes(b"in the way")
    assert_refused(start(data_dir), str(data_dir / name), "is a file where a folder belongs", "move it away")
    assert (data_dir / name).read_bytes() == b"in the way"


@pytest.mark.parametrize("at", [0, 4096])
def test_a_damaged_database_is_not_touched(start: Start, data_dir: Path, at: int) -> None:
    """Its first page, and one in its middle that only a look at every page finds."""
    path = data_dir / "atelier.sqlite3"
    with path.open("r+b") as file:
        file.seek(at and path.stat().st_size // 2 // at * at)
        file.write(b"\xff" * 4096)
    before = contents(data_dir)
    assert_refused(start(data_dir), str(path), "is damaged", "-wal", "put a backup in its place", "are kept")
    assert contents(data_dir) == before


def test_a_database_that_another_program_holds_is_said(start: Start, data_dir: Path) -> None:
    before = contents(data_dir)
    with held(data_dir):
        ended = start(data_dir)
    assert_refused(ended, "another program locks the database", "end it", "nothing was changed")
    assert contents(data_dir) == before


@pytest.mark.parametrize("is_used", [False, True])
def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, used_data: Path, is_used: bool) -> None:
    bound = bound_by_permissions(tmp_path)
    data_dir = tmp_path / "data"
    if is_used:
        shutil.copytree(used_data, data_dir)
    else:
        data_dir.mkdir()
    before = contents(data_dir)
    for path in (*data_dir.rglob("*"), data_dir):
        path.chmod(0o555 if path.is_dir() else 0o444)
    ended = subprocess.run(
        [*bound, *bot_command()],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], **environment(data_dir)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert_refused(Ended(code=ended.returncode, said=ended.stderr), str(data_dir), "cannot be written", "DATA_DIR")
    assert contents(data_dir) == before


def bound_by_permissions(folder: Path) -> tuple[str, ...]:
    """What runs a command so that permissions bind it. They do not bind root, unless it gives up one ability."""
    if os.getuid() != 0:
        return ()
    shut = folder / "shut"
    shut.mkdir(mode=0o555)
    bound = ("setpriv", "--bounding-set", "-dac_override")
    if shutil.which("setpriv") is None or not subprocess.run([*bound, "test", "-w", shut], check=False).returncode:
        pytest.skip("this root cannot give up its right to write everywhere")
    return bound


@pytest.mark.parametrize("is_used", [False, True])
def test_a_start_without_space_is_refused(start: Start, small_disk: Path, used_data: Path, is_used: bool) -> None:
    data_dir = small_disk / "data"
    if is_used:
        shutil.copytree(used_data, data_dir)
    fill(small_disk, leaving=16384)
    before = contents(data_dir)
    assert_refused(start(data_dir), "There is no space left", str(data_dir), "free some")
    free(small_disk)
    assert {name: content for name, content in contents(data_dir).items() if name in before} == before
    assert "was not reached" in start(data_dir).said  # nothing half is in the way of the next start


# While running


@contextmanager
def held(data_dir: Path) -> Iterator[None]:
    """Another program holds the database, as a backup tool would."""
    with closing(sqlite3.connect(data_dir / "atelier.sqlite3", isolation_level=None, timeout=20)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk_at(tmp_path / "disk") as disk:
        yield disk


@pytest.fixture
async def playground() -> AsyncIterator[Playground]:
    async with Playground(message_limit=None) as playground:
        playground.latency_seconds = 0.05
        yield playground
        assert playground.unknown_routes == []


def town_of(bot: BotProcess, photos: Path) -> Town:
    return Town(playground=bot.playground, bot=bot, ann=bot.playground.person("Ann"), photos=photos)


def bot_on(playground: Playground, folder: Path) -> BotProcess:
    return BotProcess(playground, folder, before=IMPATIENT, LOCAL_TRAINING_TIME="1s", LOCAL_GENERATION_TIME="1s")


async def what_ann_reads(town: Town) -> str:
    """Her command meets the trouble; the answer is hers alone."""
    answer = await town.ann.command("finetune", channel="training", zip=town.photos, name="Unlucky")
    assert answer.is_ephemeral
    return text_of(await answer.final(timeout=20))


async def training(town: Town) -> None:
    await town.ann.command("finetune", channel="training", zip=town.photos, name="Phoenix")
    await town.start("Phoenix")
    await until(lambda: town.has_begun("finetune", Stage.TRAINING))


async def test_jobs_wait_while_the_disk_is_full(playground: Playground, small_disk: Path, photos: Path) -> None:
    async with bot_on(playground, small_disk) as bot:
        town = town_of(bot, photos)
        await training(town)
        fill(small_disk)
        assert "My disk" in await what_ann_reads(town)
        await asyncio.sleep(2)
        assert count(bot.data_dir, "jobs") == 1
        free(small_disk)
        await town.is_trained("Phoenix")


async def test_jobs_wait_while_the_database_is_held_and_while_no_file_may_grow(
    playground: Playground, tmp_path: Path, photos: Path
) -> None:
    async with bot_on(playground, tmp_path) as bot:
        town = town_of(bot, photos)
        await training(town)
        with held(bot.data_dir):
            assert "My database is held by another program" in await what_ann_reads(town)
            await asyncio.sleep(1)
        await town.is_trained("Phoenix")

        await ask(town, "Phoenix", "TOK in trouble", count=2)
        await until(lambda: town.has_begun("generate", Stage.GENERATING))
        with no_file_grows(bot.pid):
            assert "My disk" in await what_ann_reads(town)
            await asyncio.sleep(1)
        await town.is_painted("TOK in trouble", pictures=2)
        assert count(bot.data_dir, "jobs") == 2


@contextmanager
def no_file_grows(pid: int) -> Iterator[None]:
    """Whatever the process writes beyond a file's first kilobyte is refused (EFBIG), its log too."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1024, before[1]))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
