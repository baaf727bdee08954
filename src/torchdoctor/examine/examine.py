"""Look at data with every examination, and keep what was seen as a run that the rules judge.

    trace = examine(Material.of(splits), "runs/data")
    judge(trace)

May not: decide what is a fault, name an examination or a rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from torchdoctor.discover import discover
from torchdoctor.errors import MissingExtra, one_line
from torchdoctor.examine.examination import CannotTell, Examination
from torchdoctor.examine.material import Material
from torchdoctor.judge.trace import Trace
from torchdoctor.record.measurement import Fact, Measurement
from torchdoctor.record.run import Writer

STAGE = "data"  # the rules that are asked are those of this stage
OWN = (CannotTell, MissingExtra)  # reasons that are sentences already
Tell = Callable[[int, str], object]  # (examinations done, the next one's name)


def examine(
    material: Material, run: Path | None = None, *, recipe: str | None = None, report_progress: Tell | None = None
) -> Trace:
    """What every examination says, cheap ones first; also written to the folder `run`, a recorded run like any other.

    An examination that fails, or that cannot tell, is named in the fact `probe_errors`; what it measured until then is
    kept.
    """
    writer, errors = Writer(run, recipe), dict[str, str]()
    lacking: dict[str, str] = {}
    every = sorted(discover("examine", Examination).values(), key=lambda e: e.order)
    for done, examination in enumerate(every):
        if report_progress is not None:
            report_progress(done, examination.name)
        try:
            _keep(writer, examination.run(material))
        except Exception as error:  # noqa: BLE001 - odd data break one examination, and must not hide the others
            errors[examination.name] = str(error) if isinstance(error, OWN) else one_line(error)
            lacking |= dict.fromkeys(examination.measures, errors[examination.name])
    writer.fact("stage", STAGE)
    writer.fact("probe_errors", errors)
    writer.fact("signals_off", lacking)
    writer.commit()
    trace = writer.trace()
    writer.close()
    return trace


def measured() -> dict[str, str]:
    """Signal -> "unit: meaning", of all examinations."""
    return {name: what for e in discover("examine", Examination).values() for name, what in e.measures.items()}


def _keep(writer: Writer, said: Iterable[Measurement | Fact]) -> None:
    for item in said:
        if isinstance(item, Fact):
            writer.fact(item.name, _plain(item.value))
        else:
            values = np.asarray(item.value, np.float64).reshape(1, 1, *([-1] if isinstance(item.value, list) else []))
            writer.append(item.signal, (item.subject,), np.array([item.step]), values)


def _plain(value: Any) -> Any:
    """JSON has no NumPy numbers."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value.item() if hasattr(value, "item") else value
