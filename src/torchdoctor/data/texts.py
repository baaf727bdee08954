"""Text files, one folder for each class. (For texts in a table: data.name table, with data.text.)"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from torchdoctor.data.columns import filled_array
from torchdoctor.data.folders import listed
from torchdoctor.data.samples import Samples
from torchdoctor.errors import BadParts

SUFFIXES = (".md", ".text", ".txt")


def texts(root: str | None = None, *, encoding: str = "utf-8") -> Samples:
    """x: a table of one column "text"; the class names are those of the folders. Raises BadParts, in one line, for
    folders and files that cannot be used."""
    if root is not None and Path(root).is_file():
        raise BadParts(
            f"data.root = {root!r} is a file. Of a table with a column of text: data.name: table, data.text."
        )
    found = listed(root, SUFFIXES, "text files")
    return Samples(
        {"text": filled_array(list(found.files), lambda file: _read(file, encoding))},
        torch.from_numpy(found.y),
        found.classes,
        np.asarray(found.names()),
        part=found.part,
        text="text",
        skipped=tuple(f"{f.relative_to(found.root)} is no text by its name." for f in found.others),
    )


def _read(file: Path, encoding: str) -> str:
    try:
        return file.read_text(encoding)
    except UnicodeDecodeError as error:
        raise BadParts(f"{file} is not {encoding} at byte {error.start}; set data.args.encoding.") from None
    except (OSError, LookupError) as error:
        raise BadParts(f"Cannot read {file}: {error}.") from None
