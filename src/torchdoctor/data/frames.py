"""CSV, TSV and Parquet files as pandas frames; each way in which reading loses or bends something is an error instead.

May not: choose targets, learn anything from the samples.
"""

from __future__ import annotations

import csv
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from torchdoctor.errors import BadParts, one_line
from torchdoctor.extra import needed

SUFFIXES = (".csv", ".tsv", ".tab", ".parquet", ".pq")
Quoting = Literal["minimal", "none"]
MISSING = ["", "NA", "N/A", "n/a", "<NA>", "nan", "NaN", "-nan", "-NaN", "null", "NULL", "None", "#N/A", "#NA"]


def read_frame(
    root: str,
    *,
    text: str | None = None,
    target: str | None = None,
    separator: str | None = None,
    quoting: Quoting | None = None,
    header: bool = True,
    encoding: str = "utf-8",
) -> Any:
    """The file as a DataFrame whose column names are text. Raises BadParts, in one line, with what to set.

    text, target: columns in which "NA" or "null" may be words, not missing values. separator: default a tab for .tsv
    and .tab, else a comma. quoting: whether quotation marks enclose fields (minimal) or are text (none); default
    minimal, unless rows are lost by that, which is an error.
    """
    pandas = needed("pandas", extra="tables")
    path = Path(root)
    if "://" not in root and not path.is_file():
        what = "a folder; give the file in it" if path.is_dir() else "not there"
        raise BadParts(f"data.root = {root!r} is {what}: a .csv, .tsv or .parquet file.")
    if path.suffix.lower() in (".parquet", ".pq"):
        needed("pyarrow", extra="tables")
        frame = _read(lambda: pandas.read_parquet(root), root)
    else:
        form = Form(separator or ("\t" if path.suffix.lower() in (".tsv", ".tab") else ","), quoting, header, encoding)
        frame = _read_csv(root, form, text, target)
    if not len(frame):
        raise BadParts(f"{root} holds no rows.")
    frame.columns = [str(name) for name in frame.columns]
    return frame


@dataclass(frozen=True)
class Form:
    """How a file of separated values is written."""

    separator: str
    quoting: Quoting | None
    header: bool
    encoding: str

    def for_pandas(self) -> dict[str, Any]:
        return {
            "sep": self.separator,
            "header": 0 if self.header else None,
            "encoding": self.encoding,
            "quoting": csv.QUOTE_NONE if self.quoting == "none" else csv.QUOTE_MINIMAL,
            "index_col": False,  # else a row with a field too many makes its first one the row's name
        }


def _read_csv(root: str, form: Form, text: str | None, target: str | None) -> Any:
    import pandas

    how = form.for_pandas()
    names = _read(lambda: pandas.read_csv(root, nrows=0 if form.header else 1, **how), root).columns
    how["na_values"] = {name: [""] if str(name) in (text, target) else MISSING for name in names}
    how["dtype"] = {name: str for name in names if str(name) == text}
    frame = _read(lambda: pandas.read_csv(root, keep_default_na=False, low_memory=False, **how), root)
    if form.quoting is None and "://" not in root:
        _complain_of_lost_rows(Path(root), len(frame), form)
    if len(names) == 1 and form.separator == "," and any(mark in str(names[0]) for mark in ";\t|"):
        raise BadParts(f"{root} has one column, {str(names[0])[:60]!r}. Set data.args.separator.")
    for name in names[[str(name) == target for name in names]]:
        frame[name] = _numbers_with_gaps(frame[name])
    return frame


def _numbers_with_gaps(values: Any) -> Any:
    """A target of which all is numbers but "NA" and its like: there they are gaps, beside words they are words."""
    import pandas

    gaps = values.isna() | values.isin(MISSING)
    numbers = pandas.to_numeric(values.mask(gaps), errors="coerce")
    return numbers if not gaps.all() and (numbers.notna() | gaps).all() else values


def _read(read: Any, root: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # pandas warns where it drops fields
            return read()
    except UnicodeDecodeError as error:
        raise BadParts(f"{root} is not UTF-8 at byte {error.start}; set data.args.encoding, such as latin-1.") from None
    except (ValueError, Warning) as error:  # pandas' and pyarrow's parser errors are ValueErrors
        said = one_line(error).partition(": ")[2].removeprefix("Error tokenizing data. C error: ").rstrip(". ")
        hint = " Are quotation marks mere text? Set data.args.quoting: none." if "EOF inside string" in said else ""
        raise BadParts(f"Cannot read {root} as a table: {said}.{hint}") from None
    except OSError as error:
        raise BadParts(f"Cannot read {root}: {error}.") from None


def _complain_of_lost_rows(path: Path, rows: int, form: Form) -> None:
    """A lone quotation mark begins a field that ends at the next one, lines later; all between is one row.

    A field may well hold line ends. But when every line by itself has the same number of separators, lines are rows.
    """
    lines = [line for line in path.read_bytes().splitlines() if line.strip()]
    lost = len(lines) - form.header - rows
    if lost > 0 and len({line.count(form.separator.encode()) for line in lines}) == 1:
        raise BadParts(
            f"{path} has {rows + lost:,} lines, but only {rows:,} rows when quotation marks enclose fields: "
            f"{lost:,} would be swallowed. Set data.args.quoting: none where they are mere text, minimal where not."
        )
