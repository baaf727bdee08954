"""Files in class folders: ROOT/cat/1.jpg, or divided already, ROOT/train/cat/1.jpg beside ROOT/test/cat/2.jpg.

May not: open a file.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from torchdoctor.data.samples import TEST, TRAIN, VAL
from torchdoctor.errors import BadParts

SPLITS = {
    "train": TRAIN, "training": TRAIN,
    "val": VAL, "valid": VAL, "validation": VAL, "dev": VAL,
    "test": TEST, "testing": TEST,
}  # folder names, in any case -> part  # fmt: skip


@dataclass(frozen=True)
class Listing:
    """files: in the order of their names. y: (N,) int64, the class folder of each. part: (N,), where they come divided.
    others: files that are not of the kind that was looked for, by their names."""

    root: Path
    files: tuple[Path, ...]
    y: NDArray[np.int64]
    classes: tuple[str, ...]
    part: NDArray[np.int64] | None
    others: tuple[Path, ...]

    def names(self) -> NDArray[np.str_]:
        """Each file below the root."""
        return np.array([str(file.relative_to(self.root)) for file in self.files])


def listed(root: str | None, suffixes: Collection[str], what: str) -> Listing:
    """The files with these endings, by class. what: they are called in messages. Raises BadParts when there is no such
    folder, no class folder, an empty one, or when the parts do not have the same classes."""
    form = f"{what} of each class in a folder of its own: ROOT/cat/..., or ROOT/train/cat/... and ROOT/test/cat/..."
    if root is None:
        raise BadParts(f"data.root is missing: the folder with {form}.")
    top = Path(root)
    if not top.is_dir():
        raise BadParts(
            f"data.root = {root!r} is {'a file' if top.exists() else 'not there'}; give the folder with {form}."
        )
    parts = _parts(top)
    folders = {part: {f.name: f for f in _subfolders(folder)} for part, folder in parts.items()}
    classes = _same_classes(top, {parts[part].name: set(found) for part, found in folders.items()}, form)
    wanted, files, y, part_of, others = frozenset(suffixes), [], [], [], []
    for part, found in folders.items():
        for label, name in enumerate(classes):
            inside = sorted(f for f in found[name].rglob("*") if f.is_file() and not _hidden(f.relative_to(top)))
            right = [f for f in inside if f.suffix.lower() in wanted]
            if not right:
                raise BadParts(f"{found[name]} holds no {what} ({', '.join(sorted(wanted))}); fill or remove it.")
            others += [f for f in inside if f.suffix.lower() not in wanted]
            files += right
            y += [label] * len(right)
            part_of += [part] * len(right)
    part_array = np.array(part_of, np.int64) if list(parts.values()) != [top] else None
    return Listing(top, tuple(files), np.array(y, np.int64), classes, part_array, tuple(others))


def _parts(top: Path) -> dict[int, Path]:
    """{part: folder}; {0: top} when the folders are classes."""
    found = _subfolders(top)
    named = [(SPLITS[f.name.lower()], f) for f in found if f.name.lower() in SPLITS]
    if TRAIN not in dict(named):
        return {TRAIN: top}
    if len(named) != len(found) or len(dict(named)) != len(named):
        raise BadParts(
            f"{top} holds {', '.join(f.name for f in found)}: folders of parts and others beside each other. "
            "Let it hold either one folder for each part (train, val, test) or one for each class."
        )
    return dict(sorted(named))


def _same_classes(top: Path, found: dict[str, set[str]], form: str) -> tuple[str, ...]:
    """Folders that only one part has are mostly misspelt, and a class that training never shows cannot be learnt."""
    everything = set().union(*found.values())
    if not everything:
        raise BadParts(f"{top} holds no class folders; put {form}.")
    missing = [f"{part} lacks {', '.join(sorted(everything - has))}" for part, has in found.items() if everything - has]
    if missing:
        raise BadParts(f"{top}: the parts do not have the same class folders: {'; '.join(missing)}.")
    return tuple(sorted(everything))


def _subfolders(folder: Path) -> list[Path]:
    return sorted(f for f in folder.iterdir() if f.is_dir() and not _hidden(f.relative_to(folder)))


def _hidden(path: Path) -> bool:
    """What systems leave behind: .git, .ipynb_checkpoints, __MACOSX ..."""
    return any(name.startswith((".", "__")) for name in path.parts)
