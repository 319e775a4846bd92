from pathlib import Path

import pytest

from tests.dataset_files import photo_zip


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photo_zip(tmp_path_factory.mktemp("photos") / "luna.zip", count=4)
