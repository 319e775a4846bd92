"""The program as it is started: what it says, and the number it ends with, when it cannot begin."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.__main__ import main
from storage.database import only_process

PROJECT = Path(__file__).parent.parent
TOKEN = "MTAwMQ.Gabcde.very-secret-token"


def bot(*arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT), **variables}
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_wrong_settings_are_all_named_at_once(tmp_path: Path) -> None:
    ended = bot("run", folder=tmp_path, LOG_LEVEL="loud", MAX_UPLOAD_SIZE="much", PROVIDERS="acme")
    assert ended.returncode == 2
    for name in ("DISCORD_TOKEN", "LOG_LEVEL", "MAX_UPLOAD_SIZE", "PROVIDERS"):
        assert name in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_file_beside_the_program_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DISCORD_TOKEN=abc\nLOG_FORMAT=carving\n")
    ended = bot("run", folder=tmp_path)
    assert ended.returncode == 2
    assert "LOG_FORMAT='carving'" in ended.stderr
    assert "DISCORD_TOKEN" not in ended.stderr


def test_a_second_process_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with only_process(tmp_path / "data"):
        ended = bot("run", folder=tmp_path, DISCORD_TOKEN=TOKEN, DATA_DIR=str(tmp_path / "data"))
    assert ended.returncode == 2
    assert "Another Atelier is running" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert TOKEN not in ended.stderr + ended.stdout


def test_a_damaged_database_is_refused_with_advice(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "atelier.sqlite3").write_bytes(b"this is no database" * 1000)
    ended = bot("run", folder=tmp_path, DISCORD_TOKEN=TOKEN, DATA_DIR=str(data))
    assert ended.returncode == 2
    assert "put a backup in its place" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_discord_that_cannot_be_reached_ends_the_program_and_shows_no_token(tmp_path: Path) -> None:
    """Nothing listens on that port."""
    ended = bot(
        "run",
        folder=tmp_path,
        DISCORD_TOKEN=TOKEN,
        DATA_DIR=str(tmp_path / "data"),
        DISCORD_API_URL="http://127.0.0.1:9/api/v10",
    )
    assert ended.returncode != 0
    assert TOKEN not in ended.stderr + ended.stdout


@pytest.mark.parametrize("extra", [(), ("--script",)])
def test_a_demo_of_a_missing_zip_ends_before_it_begins(tmp_path: Path, extra: tuple[str, ...]) -> None:
    ended = bot("demo", *extra, "--dataset", "missing.zip", folder=tmp_path)
    assert ended.returncode == 2
    assert "There is no file missing.zip" in ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [[], ["dance"], ["demo", "--port", "high"]])
def test_an_unknown_command_shows_how_it_is_used(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: python -m bot" in capsys.readouterr().err
