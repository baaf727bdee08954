"""Pickles that hold only arrays, text, bytes and plain containers, read without running what else they may name.

A pickle is a program: opened by the pickle module alone, one from a stranger can do anything that Python can.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from torchdoctor.errors import BadParts

# All that an array in a pickle needs; the second place is numpy 2's.
ALLOWED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("_codecs", "encode"),
}


class _Restricted(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is neither an array nor plain data")
        if name == "_reconstruct":
            return np.ndarray.__reduce__(np.empty(0))[0]  # wherever this numpy keeps it
        return super().find_class(module, name)


def plain_pickle(path: Path) -> Any:
    """What the file holds, text of Python 2 as bytes. Raises BadParts when it is damaged, or holds anything else."""
    try:
        with path.open("rb") as file:
            return _Restricted(file, encoding="bytes").load()
    except OSError as error:
        raise BadParts(f"{path.name} cannot be read ({error.strerror})") from None
    except Exception as error:  # noqa: BLE001 - bytes that are no pickle can break the reader in any way
        raise BadParts(f"{path.name} is refused ({str(error) or type(error).__name__})") from None
