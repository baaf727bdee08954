"""CSV, TSV and Parquet tables: a target column, the others as inputs, and what the split must know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from torchdoctor.data.columns import Column, column
from torchdoctor.data.folders import SPLITS
from torchdoctor.data.frames import SUFFIXES, Quoting, read_frame
from torchdoctor.data.samples import TRAIN, Samples
from torchdoctor.data.targets import TargetKind, encoded
from torchdoctor.errors import BadParts, did_you_mean

DAY = 86_400_000_000_000  # nanoseconds


@dataclass(frozen=True)
class Roles:
    """What the columns are for. columns: the inputs; None takes all others, or the text alone where there is one."""

    target: str | None
    text: str | None = None
    group: str | None = None
    time: str | None = None
    columns: tuple[str, ...] | None = None
    drop: tuple[str, ...] = ()

    def must_fit(self, known: Sequence[str], source: str) -> None:
        """Raises BadParts for a column that is not there, and for a target among the inputs."""
        if self.target is None:
            raise BadParts(f"{source}: which column is to be learnt? Set data.target. Columns: {', '.join(known)}.")
        for option in ("target", "text", "group", "time", "columns", "drop"):
            named = getattr(self, option) or ()
            for name in (named,) if isinstance(named, str) else named:
                if name not in known:
                    key = f"args.{option}" if option in ("columns", "drop") else option
                    raise BadParts(f"data.{key}: {source} has no column {name!r}. {did_you_mean(name, known)}")
        if self.columns is not None and self.target in self.columns:
            raise BadParts(f"data.args.columns holds the target, {self.target!r}: the model would read the answer.")
        if self.text == self.target:
            raise BadParts(f"data.text is the target, {self.target!r}: the model would read the answer.")
        if not self.inputs(known):
            raise BadParts(f"{source}: no column is left to learn from. Columns: {', '.join(known)}.")

    def inputs(self, known: Sequence[str]) -> Sequence[str]:
        """The columns that a model sees."""
        if self.columns is not None:
            return self.columns
        aside = {self.target, self.group, self.time, *self.drop}
        return [name for name in known if name not in aside] if self.text is None else [self.text]


def table(
    root: str | None = None,
    target: str | None = None,
    text: str | None = None,
    group: str | None = None,
    time: str | None = None,
    *,
    columns: Sequence[str] | None = None,
    drop: Sequence[str] = (),
    kind: TargetKind | None = None,
    unlabelled: Literal["refuse", "drop"] = "refuse",
    separator: str | None = None,
    quoting: Quoting | None = None,
    header: bool = True,
    encoding: str = "utf-8",
) -> Samples:
    """The rows of a file, or of a folder with train.csv and perhaps val.csv and test.csv, as samples. Raises BadParts,
    in one line, for a file or column that cannot be used.

    target: the column to learn. text: a column of free text; it is then the only input, unless `columns` names more.
    group, time: columns for the split, no inputs. columns: the inputs; default all others. drop: columns to leave out.
    kind: whether targets are classes or numbers; default classes for text and for at most 20 different whole numbers.
    unlabelled: rows without a target are refused, or dropped. separator, quoting, header, encoding: of the file;
    without a header the columns are called 0, 1, 2 ...
    """
    if root is None:
        raise BadParts("A table needs data.root, its .csv, .tsv or .parquet file.")
    roles = Roles(target, text, group, time, None if columns is None else tuple(columns), tuple(drop))
    files = _files(str(root))
    frames = [
        read_frame(
            file, text=text, target=target, separator=separator, quoting=quoting, header=header, encoding=encoding
        )
        for file in files.values()
    ]
    for file, frame in zip(files.values(), frames):
        roles.must_fit(list(frame.columns), file)
    if len(files) == 1:
        return from_frame(frames[0], roles, kind, unlabelled)
    return from_frame(_joined(frames, list(files.values()), roles), roles, kind, unlabelled, list(files))


def from_frame(
    frame: Any, roles: Roles, kind: TargetKind | None = None, unlabelled: str = "refuse", parts: Sequence[int] = ()
) -> Samples:
    """The rows of a DataFrame as samples. parts: of a frame joined by `_joined`, the part of each file."""
    if unlabelled == "drop":
        frame = frame[frame[roles.target].notna()]
    y, classes = encoded(frame[roles.target].to_numpy(), kind)
    group, time = roles.group, roles.time
    joined = frame.index.nlevels == 2
    return Samples(
        {name: _column(frame[name], name, name == roles.text) for name in roles.inputs(list(frame.columns))},
        y,
        classes,
        names=np.array([f"{i[0]} row {i[1]}" if joined else f"row {i}" for i in frame.index]),
        groups=None if group is None else _whole(frame[group], group).to_numpy(str),
        times=None if time is None else _times(_whole(frame[time], time), time),
        part=np.asarray(parts, np.int64)[frame.index.codes[0]] if joined else None,
        text=roles.text,
    )


def _files(root: str) -> dict[int, str]:
    """{part: file}; {0: root} for a single file."""
    if not Path(root).is_dir():
        return {TRAIN: root}
    found = sorted(f for f in Path(root).iterdir() if f.suffix.lower() in SUFFIXES and f.stem.lower() in SPLITS)
    parts = {SPLITS[f.stem.lower()]: str(f) for f in found}
    if TRAIN not in parts or len(parts) != len(found):
        raise BadParts(f"{root} is a folder without one train.csv (and val.csv, test.csv); name the file in it.")
    return dict(sorted(parts.items()))


def _joined(frames: Sequence[Any], files: Sequence[str], roles: Roles) -> Any:
    """One below the other, by file and row. Raises BadParts where a column is numbers in one and text in another."""
    import pandas

    for name in roles.inputs(list(frames[0].columns)):
        for file, frame in zip(files[1:], frames[1:]):
            if name not in frame.columns:
                raise BadParts(f"{file} has no column {name!r}, which {Path(files[0]).name} has.")
            if (frame[name].dtype.kind in "iufb") != (frames[0][name].dtype.kind in "iufb"):
                raise BadParts(
                    f"Column {name!r} is numbers in one of {files[0]} and {Path(file).name}, text in the other."
                )
    return pandas.concat(frames, keys=[Path(file).name for file in files], join="inner")


def _column(values: Any, name: str, is_text: bool = False) -> Column:
    """Dates become days since 1970."""
    if values.dtype.kind == "M" and not is_text:
        nanoseconds = values.to_numpy("datetime64[ns]")
        return np.where(np.isnat(nanoseconds), np.nan, nanoseconds.astype(np.int64) / DAY)
    if values.dtype.kind in "iufb" and not is_text:
        return column(values.to_numpy(float, na_value=np.nan), "number", name)
    return column(values.tolist(), "text", name)


def _times(values: Any, name: str) -> NDArray[Any]:
    """Sortable. Dates must be year first: of 01/02/2026 nobody knows which is the month."""
    import pandas

    if values.dtype.kind in "iuf":
        return np.asarray(values.to_numpy())
    try:
        return np.asarray(pandas.to_datetime(values, format="ISO8601", utc=True).to_numpy("datetime64[ns]"))
    except (ValueError, TypeError) as error:
        said = str(error).splitlines()[0].partition(". ")[0].partition(", at position")[0]
        raise BadParts(f"data.time = {name!r}: {said}. Write times as 2026-11-20 12:30, or as numbers.") from None


def _whole(values: Any, name: str) -> Any:
    if missing := int(values.isna().sum()):
        raise BadParts(f"Column {name!r} misses {missing:,} values, so these rows can be put in no part of the split.")
    return values
