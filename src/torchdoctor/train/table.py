"""Table: what a run logged, one row an epoch. A mapping, readable as text, and a pandas frame where pandas is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from torchdoctor.extra import needed

ROWS = 10  # shown; of more the first and the last
DIGITS = 4


class Table(Mapping[str, list[float]]):
    """history["val_score"] is a list with one number an epoch; `history.to_frame()` is all of it, by epoch."""

    def __init__(self, columns: Mapping[str, list[float]]) -> None:
        self._columns = {name: list(values) for name, values in columns.items()}

    def __getitem__(self, name: str) -> list[float]:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    @property
    def epochs(self) -> int:
        """How many rows there are."""
        return max(map(len, self._columns.values()), default=0)

    def to_frame(self) -> Any:
        """A pandas.DataFrame with the epoch as its index. Needs the extra `tables`."""
        pandas = needed("pandas", extra="tables")
        frame = pandas.DataFrame({name: pandas.Series(values) for name, values in self._columns.items()})
        return frame.astype({"epoch": int}).set_index("epoch") if "epoch" in frame else frame

    def __repr__(self) -> str:
        rows = [list(self._columns), *self._rows()]
        widths = [max(map(len, column)) for column in zip(*rows)]
        return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths)) for row in rows)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(name)}</th>" for name in self._columns)
        body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in self._rows())
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _rows(self) -> list[list[str]]:
        shown = list(range(self.epochs))
        if len(shown) > ROWS:
            shown = [*shown[: ROWS // 2], -1, *shown[-ROWS // 2 :]]
        return [["..." if row < 0 else _cell(c, row) for c in self._columns.values()] for row in shown]


def _cell(column: list[float], row: int) -> str:
    if row >= len(column):  # a loop of one's own need not log everything every time
        return ""
    value = column[row]
    return str(int(value)) if math.isfinite(value) and value == int(value) else f"{value:.{DIGITS}g}"
