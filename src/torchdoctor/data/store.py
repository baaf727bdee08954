"""Tensors and facts at a path or any fsspec URL (s3://, gs://, memory://): NAME.safetensors beside NAME.json.

The JSON is written last and holds the tensors' SHA-256, so a half-written or mixed pair is never read as whole.
May not: unpickle, know what is stored.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fsspec
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from torchdoctor.errors import BadParts, MissingExtra


def write(url: str | Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Store both under the name that `url` ends with, in place of what was there. facts: plain JSON values.
    Raises BadParts when the place cannot be written."""
    files, name = _place(url)
    packed = save({key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()})
    text = json.dumps({"sha256": hashlib.sha256(packed).hexdigest(), "facts": facts}, indent=1, allow_nan=False)
    try:
        files.makedirs(name.rpartition("/")[0] or ".", exist_ok=True)
        for end, content in ((".safetensors", packed), (".json", text.encode())):
            with files.transaction, files.open(name + end, "wb") as file:  # whole or not at all
                file.write(content)
    except OSError as error:
        raise BadParts(f"Cannot write {url}: {error}. Free some space, or choose another place.") from None


def read(url: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """(tensors, facts) as they were written. Raises BadParts when they are not there, or damaged."""
    files, name = _place(url)
    try:
        text, packed = files.cat_file(name + ".json"), files.cat_file(name + ".safetensors")
    except FileNotFoundError:
        raise BadParts(f"There is nothing stored as {url}: no {url}.json with its .safetensors.") from None
    except OSError as error:
        raise BadParts(f"Cannot read {url}: {error}.") from None
    try:
        found = json.loads(text)
        if hashlib.sha256(packed).hexdigest() != found["sha256"]:
            raise BadParts(f"{url}.safetensors is damaged, or not the one that {url}.json was written with.")
        return load(packed), dict(found["facts"])
    except (ValueError, KeyError, TypeError, SafetensorError) as error:
        raise BadParts(f"{url}.json is not what torchdoctor stores ({type(error).__name__}: {error}).") from None


def _place(url: str | Path) -> tuple[Any, str]:
    try:
        files, name = fsspec.core.url_to_fs(str(url))
    except ImportError as error:
        raise MissingExtra(f"{url}: {error}. Install it with pip, and try again.") from None
    except ValueError as error:
        raise BadParts(f"{url} is no place to store at: {error}. Give a path, or a URL that fsspec knows.") from None
    return files, str(name)
