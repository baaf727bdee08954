"""Optional libraries, imported where they are used. One that is not installed is an error that names its pip line.

pandas = needed("pandas", extra="tables")
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from torchdoctor.errors import MissingExtra


def needed(module: str, *, extra: str) -> Any:
    """The module `module`, which the extra `extra` of this package brings. Raises MissingExtra."""
    if find_spec(module.partition(".")[0]) is None:
        raise MissingExtra(f"This needs {module}, which is not installed: pip install 'torchdoctor[{extra}]'")
    return import_module(module)
