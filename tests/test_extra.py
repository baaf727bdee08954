"""Optional libraries and the pip line for those that are not there."""

from __future__ import annotations

import math
import re
import tomllib
from pathlib import Path

import pytest

from torchdoctor.errors import MissingExtra
from torchdoctor.extra import needed


def test_a_library_that_is_there_is_imported():
    assert needed("math", extra="tables") is math


def test_one_that_is_not_there_is_named_with_its_pip_line():
    with pytest.raises(MissingExtra, match=r"pip install 'torchdoctor\[tables\]'"):
        needed("no_such_library.part", extra="tables")


def test_every_extra_that_the_code_names_exists():
    root = Path(__file__).parents[1]
    extras = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    text = "".join(f.read_text("utf-8") for f in (root / "src").rglob("*.py"))
    assert set(re.findall(r'needed\([^)]*extra="(\w+)"', text)) <= set(extras)
