"""All pictures of a run, one after another: of a run of ten million points a few hundred thousand are in memory at a
time.

May not: write HTML, read files by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace
from torchdoctor.show.charts.curves import curves, stack
from torchdoctor.show.charts.heat import heat
from torchdoctor.show.charts.marks import Mark
from torchdoctor.show.charts.option import Option
from torchdoctor.show.sparkline import DECADES
from torchdoctor.show.texts import Texts
from torchdoctor.show.words import printable

# What belongs on one pair of axes, in the order of reading; drawn where it was recorded.
CURVES = (("loss", "val_loss"), ("train_score", "val_score"), ("grad_norm",), ("lr",))
HEATS = ("param_grad_norm", "activation_std", "dead_share", "saturated_share", "update_ratio")
STEEP = {"grad_norm": 1.0}  # powers of ten after which the axis is logarithmic: a gradient is judged by its magnitude

Read = Callable[..., Trace]  # read("loss", "val_loss"): these signals


def pictures(read: Read, marks: Sequence[Mark], t: Texts, only: str | None = None) -> dict[str, Option]:
    """{name: option}, of those alone that there is something to draw of. only: the name of one."""

    def curve(together: tuple[str, ...]) -> Option | None:
        lines = dict(_lines(read(*together), together, t))
        return curves(lines, t, marks, decades=STEEP.get(together[0], DECADES))

    makers: dict[str, Callable[[], Option | None]] = {
        **{f"curve-{together[0]}": partial(curve, together) for together in CURVES},
        **{f"heat-{signal}": partial(_heat, read, signal, t) for signal in HEATS},
        "phases": lambda: stack(dict(read("phase_time").each("phase_time")), t),
        "memory": lambda: curves(_megabytes(read("memory"), t), t),
    }
    options = {name: make() for name, make in makers.items() if only in (None, name)}
    return {name: option for name, option in options.items() if option}


def _heat(read: Read, signal: str, t: Texts) -> Option | None:
    return heat(dict(read(signal).each(signal)), t, share=signal.endswith("_share"))


def _megabytes(trace: Trace, t: Texts) -> dict[str, Series]:
    series = trace["memory"]
    return {t("memory"): Series(series.steps, series.values / 1e6)} if len(series) > 1 else {}


def _lines(trace: Trace, together: tuple[str, ...], t: Texts) -> Iterator[tuple[str, Series]]:
    for signal in together:
        group: Mapping[str, Series] = trace.data.get(signal, {})
        for subject, series in group.items():
            if len(series) > 1:
                yield t.word(f"signal.{signal}") + (f" · {printable(subject)}" if subject else ""), series
