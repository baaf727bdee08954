"""Pictures that stay in their files: each is read when a batch asks for it, for folders that do not fit into memory.

May not: keep a picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, default_collate

from torchdoctor.data.pictures import Pictures, decoding, opened
from torchdoctor.data.preparation import Preparation


class PictureFiles(Dataset[tuple[Tensor, int]]):
    """Gives (uint8 (C, H, W), class number). Its attributes are named like those of torchvision's ImageFolder; part:
    (N,) 0 training, 1 validation, 2 test, where the folder comes divided; names: each file below the folder; skipped:
    files that were left out, and why."""

    def __init__(
        self,
        files: Sequence[Path],
        targets: NDArray[np.int64],
        classes: tuple[str, ...],
        reader: Pictures,
        names: NDArray[np.str_],
        part: NDArray[np.int64] | None = None,
        skipped: tuple[str, ...] = (),
    ) -> None:
        self.files, self.targets, self.classes, self.reader = files, targets, classes, reader
        self.names, self.part, self.skipped = names, part, skipped

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Raises BadParts, naming the file, when it cannot be read any more."""
        with decoding():
            picture = self.reader([opened(self.files[index], str(self.names[index]))])[0]
        return picture, int(self.targets[index])


@dataclass(frozen=True)
class PreparedBatch:
    """Puts samples together in a batch and prepares their inputs, where the batch is made: in the loader's workers."""

    preparation: Preparation

    def __call__(self, samples: list[Any]) -> tuple[Tensor, Tensor]:
        x, y = default_collate(samples)
        return self.preparation(x), y
