"""A model in a terminal: a line for each layer, the totals, and what another structure would save.

May not: measure, build a model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from torchdoctor.fixes.savings import Saving
from torchdoctor.models.costs import Costs, Layer
from torchdoctor.show.remedy import call
from torchdoctor.show.text import STEP, console_for, put, put_code
from torchdoctor.show.words import printable

GAP = 2  # between columns
WORDS = ("layer", "kind")  # columns that begin on the left; numbers stand to the right
LEAST_NEEDED = ("share", "kind", "kept", "output")
LARGE = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
Row = Sequence[str]


def print_model(title: str, found: Costs, file: TextIO | None = None) -> None:
    """To `file` (default: standard output); aligned columns without colours where that is no terminal."""
    console = console_for(file)
    put(console, Text(printable(title), "bold"))
    put(console)
    _put_table(console, HEAD, [*(row(layer, found) for layer in found.layers if not layer.passes), total(found)])
    put(console)
    for line in remarks(found):
        put(console, line)


def print_savings(
    saved: Iterable[Saving], not_here: Mapping[str, str], samples: int, file: TextIO | None = None
) -> None:
    """What each other structure would save, as code and, where a recipe can say it, as an override. samples: in the
    batch that was measured."""
    console = console_for(file)
    put(console)
    put(console, Text("What another structure would save", "bold"))
    for saving in saved:
        put(console, Text.assemble((saving.what, "cyan"), f": {', '.join(changes(saving, samples))}"), STEP, hang=STEP)
        put(console, Text.assemble(("fix: ", "green"), call(saving.remedy)), 2 * STEP)
        put_code(console, saving.code, 3 * STEP)
        for key, value in (saving.patch or {}).items():
            put_code(console, f"--set {key}={value}", 3 * STEP)
    for what, why in not_here.items():
        put(console, Text(f"{what}: does not apply. {printable(why)}", "dim"), STEP, hang=STEP)
    put(console, Text("Weights are drawn anew: whether it learns as well, only training says.", "dim"))


HEAD = ("layer", "kind", "output", "parameters", "FLOPs", "kept", "field", "time", "share")


def row(layer: Layer, found: Costs) -> Row:
    """FLOPs and kept memory of one sample, time of the batch and its share."""
    share = layer.seconds / sum(one.seconds for one in found.layers) if layer.seconds else 0.0
    frozen = " *" if layer.trainable < layer.parameters else ""
    return (
        printable(layer.name) or "(itself)", layer.kind, sides(layer.output[1:]),
        f"{layer.parameters:,}{frozen}" if layer.parameters else "", short(layer.flops / found.samples),
        memory(layer.kept_bytes / found.samples), sides(layer.field or ()), duration(layer.seconds), f"{share:.0%}",
    )  # fmt: skip


def total(found: Costs) -> Row:
    return (
        "total", "", "", f"{found.parameters:,}", short(found.flops / found.samples),
        memory(found.kept_bytes / found.samples), "", duration(found.seconds), "",
    )  # fmt: skip


def remarks(found: Costs) -> Iterator[str]:
    yield (
        f"{found.trainable:,} of {found.parameters:,} parameters are trained ({memory(found.parameter_bytes)}); the "
        f"output depends on {found.train_reached:,} in training mode and on {found.eval_reached:,} in eval mode."
    )
    if found.trainable < found.parameters:
        yield "* holds frozen parameters."
    yield (
        "FLOPs (multiplication and addition are two) and memory kept for backward are of one sample; times are medians "
        f"of a forward pass of {found.samples}, of layers with hooks around them, of the total without."
    )


def changes(saving: Saving, samples: int) -> Iterator[str]:
    """ "parameters 61,706 to 2,742 (-96 %)", "FLOPs ...", "time ..." """
    before, after = saving.parameters
    yield f"parameters {before:,} to {after:,} ({percent(before, after)})"
    yield f"FLOPs {short(saving.flops[0] / samples)} to {short(saving.flops[1] / samples)} ({percent(*saving.flops)})"
    yield f"time {duration(saving.seconds[0])} to {duration(saving.seconds[1])} ({percent(*saving.seconds)})"


def percent(before: float, after: float) -> str:
    return f"{after / before - 1:+.0%}" if before else "new"


def short(value: float) -> str:
    """1.82 G, 235 k, 90; "" for nothing."""
    for size, letter in LARGE:
        if value >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.0f}" if value else ""


def memory(size: float) -> str:
    """1.5 MB, 18.8 kB, 64 B; powers of 1000."""
    text = short(size)
    return f"{text}B" if " " in text else f"{text} B" if text else ""


def duration(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.3g} s"
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f} µs"


def sides(shape: Iterable[int]) -> str:
    return "×".join(map(str, shape))


def _put_table(console: Console, head: Row, rows: list[Row]) -> None:
    """Columns that find no room in a terminal are left out, the least needed first; in a file there is room for all."""
    columns = list(zip(head, *rows))
    widths = [max(map(len, column)) + GAP for column in columns]
    for name in LEAST_NEEDED:
        if console.is_terminal and sum(widths) > console.width + GAP:
            at = [column[0] for column in columns].index(name)
            del columns[at], widths[at]
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="dim")
    for title, *_ in columns:
        table.add_column(title, justify="left" if title in WORDS else "right", no_wrap=True)
    for cells in zip(*(column[1:] for column in columns)):
        table.add_row(*map(Text, cells))
    out = console if console.is_terminal else Console(file=console.file, width=sum(widths) + GAP)
    out.print(table)
