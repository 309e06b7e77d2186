"""The bundle: reproducible, small, and with nothing that the server does not need."""

import io
import os
import zipfile
from pathlib import Path

import pytest

from imageswap import bundle

MAX_BYTES = 700 * 1024


def test_same_sources_give_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    first = bundle.build()
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    umask = os.umask(0o077)
    try:
        assert bundle.build() == first
    finally:
        os.umask(umask)


def test_other_sources_give_another_digest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    changed = tmp_path / "h11"
    changed.mkdir()
    (changed / "__init__.py").write_text("changed = True\n")
    first = bundle.build()
    modules = bundle._modules
    monkeypatch.setattr(
        bundle,
        "_modules",
        lambda package: (
            [("__init__.py", changed / "__init__.py")] if package == "h11" else modules(package)
        ),
    )
    assert bundle.build().digest != first.digest


def test_it_is_small_and_has_no_tests_or_commands() -> None:
    content = bundle.build().content
    assert len(content) < MAX_BYTES
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert names == sorted(names)
    assert not [name for name in names if "test" in name or name.endswith("cli/main.py")]
    assert {"__main__.py", "imageswap/cli/serve.py", "uvicorn/server.py"} <= set(names)
