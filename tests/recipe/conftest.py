"""One thread: the nets here are so small that a second one only waits."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture
def module_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Writes a module into the current folder, as a user's would be, and gives its name, which no other test has
    imported. The current folder is `tmp_path`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def write(text: str) -> str:
        name = f"mine_{tmp_path.name}"
        (tmp_path / f"{name}.py").write_text(text)
        return name

    return write
