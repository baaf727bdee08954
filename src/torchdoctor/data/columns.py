"""A table as arrays by column: numbers as float64 with NaN where one is missing, everything else as text or None.

May not: know files, learn anything from the samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from torchdoctor.errors import BadParts, did_you_mean

Column = NDArray[Any]  # (N,) float64, or object: str or None
Columns = dict[str, Column]
Kind = Literal["number", "text"]


def kinds_of(columns: Columns) -> dict[str, Kind]:
    """What each column holds."""
    return {name: "number" if values.dtype.kind == "f" else "text" for name, values in columns.items()}


def rows_in(columns: Columns) -> int:
    """Samples in the table."""
    return len(next(iter(columns.values()), ()))


def taken(columns: Columns, rows: Any) -> Columns:
    """The same columns with these rows."""
    return {name: values[rows] for name, values in columns.items()}


def as_columns(raw: Any, kinds: Mapping[str, Kind]) -> Columns:
    """New samples as columns of the kinds that were learnt from; columns that were not there are left out.

    raw: a mapping of name to values, a pandas DataFrame, or a list of {name: value}, as JSON gives it.
    Raises BadParts when a column is missing, or holds what is not of its kind.
    """
    given = _by_name(raw)
    for name in kinds:
        if name not in given:
            raise BadParts(f"The samples have no column {name!r}. {did_you_mean(name, map(str, given))}")
    columns = {name: column(given[name], kind, name) for name, kind in kinds.items()}
    if len({len(values) for values in columns.values()}) > 1:
        counts = ", ".join(f"{name}: {len(values)}" for name, values in list(columns.items())[:4])
        raise BadParts(f"The columns have different lengths ({counts}); give one value per sample.")
    return columns


def column(values: Iterable[Any], kind: Kind, name: str) -> Column:
    """Values of any type as a column. Raises BadParts naming the first that is no number where numbers are wanted."""
    given = list(values)
    if kind == "text":
        return filled_array(given, lambda v: None if is_missing(v) else v if isinstance(v, str) else str(v))
    try:
        return np.array([np.nan if is_missing(v) else float(v) for v in given], np.float64)
    except (TypeError, ValueError):
        at, wrong = next((i, v) for i, v in enumerate(given) if not _is_number(v))
        raise BadParts(f"Column {name!r}, sample {at}: {wrong!r} is no number, as it was in training.") from None


def filled_array(values: list[Any], each: Callable[[Any], Any]) -> Column:
    """(N,) objects; np.array would make a matrix of values that are sequences themselves."""
    made = np.empty(len(values), object)
    made[:] = [each(v) for v in values]
    return made


def is_missing(value: Any) -> bool:
    """None, NaN, pandas' NaT and NA: what is not equal to itself, or will not say."""
    try:
        return value is None or bool(value != value)
    except (TypeError, ValueError):
        return True


def _by_name(raw: Any) -> Mapping[Any, Any]:
    if isinstance(raw, Mapping):
        return raw
    if hasattr(raw, "columns") and hasattr(raw, "loc"):
        return {str(name): raw[name] for name in raw.columns}
    if isinstance(raw, (list, tuple)) and raw and all(isinstance(row, Mapping) for row in raw):
        names = dict.fromkeys(name for row in raw for name in row)
        return {name: [row.get(name) for row in raw] for name in names}
    raise BadParts(
        f"The samples are a {type(raw).__name__}; give {{column: values}}, a DataFrame or a list of {{column: value}}."
    )


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return is_missing(value)
    return True
