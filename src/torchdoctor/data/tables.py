"""CSV, TSV and Parquet tables: a target column, the others as inputs, and what the split must know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from torchdoctor.data.columns import Column, column
from torchdoctor.data.frames import Quoting, read_frame
from torchdoctor.data.samples import Samples
from torchdoctor.data.targets import TargetKind, encoded
from torchdoctor.errors import BadParts, did_you_mean

DAY = 86_400_000_000_000  # nanoseconds


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
    """The rows of a file as samples. Raises BadParts, in one line, for a file or column that cannot be used.

    target: the column to learn. text: a column of free text; it is then the only input, unless `columns` names more.
    group, time: columns for the split, no inputs. columns: the inputs; default all others. drop: columns to leave out.
    kind: whether targets are classes or numbers; default classes for text and for at most 20 different whole numbers.
    unlabelled: rows without a target are refused, or dropped. separator, quoting, header, encoding: of the file;
    without a header the columns are called 0, 1, 2 ...
    """
    if root is None:
        raise BadParts("A table needs data.root, its .csv, .tsv or .parquet file.")
    frame = read_frame(
        str(root), text=text, target=target, separator=separator, quoting=quoting, header=header, encoding=encoding
    )
    return from_frame(frame, str(root), target, text, group, time, columns, drop, kind, unlabelled)


def from_frame(
    frame: Any,
    source: str,
    target: str | None,
    text: str | None = None,
    group: str | None = None,
    time: str | None = None,
    columns: Sequence[str] | None = None,
    drop: Sequence[str] = (),
    kind: TargetKind | None = None,
    unlabelled: str = "refuse",
) -> Samples:
    """The rows of a DataFrame as samples; source is what messages call it. As for `table`."""
    known = list(frame.columns)
    if target is None:
        raise BadParts(f"{source}: which column is to be learnt? Set data.target. Columns: {', '.join(known)}.")
    for option, names in (("target", [target]), ("text", [text]), ("group", [group]), ("time", [time]),
                          ("args.columns", columns or ()), ("args.drop", drop)):  # fmt: skip
        for name in names:
            if name is not None and name not in known:
                raise BadParts(f"data.{option}: {source} has no column {name!r}. {did_you_mean(name, known)}")
    if unlabelled == "drop":
        frame = frame[frame[target].notna()]
    y, classes = encoded(frame[target].to_numpy(), kind)
    aside = {target, group, time, *drop}
    inputs = [text] if text is not None and columns is None else columns or [n for n in known if n not in aside]
    return Samples(
        {name: _column(frame[name], name, name == text) for name in inputs},
        y,
        classes,
        names=np.array([f"row {i}" for i in frame.index]),
        groups=None if group is None else _whole(frame[group], group).to_numpy(str),
        times=None if time is None else _times(_whole(frame[time], time), time),
        text=text,
    )


def _column(values: Any, name: str, is_text: bool = False) -> Column:
    if values.dtype.kind == "M" and not is_text:
        nanoseconds = values.to_numpy("datetime64[ns]")
        return np.where(np.isnat(nanoseconds), np.nan, nanoseconds.astype(np.int64) / DAY)
    numeric = values.dtype.kind in "iufb" and not is_text
    return column(
        values.to_numpy(float, na_value=np.nan) if numeric else values.tolist(), "number" if numeric else "text", name
    )


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
