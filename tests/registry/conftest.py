from pathlib import Path

import pytest

from local.certificates import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("certificates") / "ca")


@pytest.fixture(scope="session")
def ca(authority: Authority) -> str:
    return Path(authority.pair.certificate).read_text()
