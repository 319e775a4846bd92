"""The processes that decode outlive a crash, leave an interrupt to the bot, and bring little with them."""

import os
import signal
import sys
from concurrent.futures import BrokenExecutor

import pytest

from bot.datasets.pool import open_pool


def test_the_pool_outlives_a_process_that_died() -> None:
    with open_pool(1) as pool:
        with pytest.raises(BrokenExecutor):
            pool.submit(os.kill, pool.submit(os.getpid).result(), signal.SIGKILL).result()

        assert pool.submit(abs, -1).result() == 1


def test_a_process_of_the_pool_leaves_an_interrupt_to_the_bot() -> None:
    with open_pool(1) as pool:
        process_id = pool.submit(os.getpid).result()

        os.kill(process_id, signal.SIGINT)

        assert pool.submit(os.getpid).result() == process_id


def has_read(module: str) -> bool:
    return module in sys.modules


def test_a_process_has_read_what_decodes_and_nothing_of_the_rest_of_the_bot() -> None:
    with open_pool(1) as pool:
        read = {
            name: pool.submit(has_read, name).result()
            for name in ("bot.datasets.images", "discord", "sqlalchemy", "dbos", "pillow_heif")
        }

    assert read == {
        "bot.datasets.images": True,
        "discord": False,
        "sqlalchemy": False,
        "dbos": False,
        "pillow_heif": False,
    }
