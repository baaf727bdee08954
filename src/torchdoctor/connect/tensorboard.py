"""A run as TensorBoard shows it: scalars, histograms and distributions, the graph, pictures, the projector.

    exported("runs/first", "boards/first", parts=run.parts)
    td.train(recipe, on_epoch=Histograms("boards/first"))    # weights and gradients at the end of every epoch

May not: judge, train, change a run.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from torchdoctor.connect.board_folder import must_be_empty
from torchdoctor.data.batch import Batch, batches_of, class_ids
from torchdoctor.errors import one_line
from torchdoctor.extra import needed
from torchdoctor.judge.trace import Trace
from torchdoctor.models.hooks import hooked
from torchdoctor.parts import Parts
from torchdoctor.record.run import Run
from torchdoctor.train import checkpoint
from torchdoctor.train.device import device_of
from torchdoctor.train.score import evaluating
from torchdoctor.train.standing import Standing, untouched

SHOWN = 256  # samples in the projector
PICTURES = 32  # in one picture
GROWN = ".while-training"  # ends the name of what Histograms writes, beside which the rest of the same run belongs


@dataclass
class Exported:
    """How many of each were written, and what was not, with the reason."""

    folder: Path
    written: dict[str, int] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def count(self, what: str, number: int = 1) -> None:
        self.written[what] = self.written.get(what, 0) + number


class Histograms:
    """Called at the end of an epoch: writes the distribution of every weight and gradient then."""

    def __init__(self, to: str | Path) -> None:
        needed("tensorboard", extra="tensorboard")
        self.to = Path(to)
        must_be_empty(self.to)

    def __call__(self, at: Standing) -> None:
        with _writer(self.to, GROWN) as writer:
            for name, p in at.parts.model.named_parameters():
                writer.add_histogram(f"weights/{name}", p.detach().float().cpu(), at.step)
                if p.grad is not None and bool(p.grad.isfinite().all()):
                    writer.add_histogram(f"gradients/{name}", p.grad.float().cpu(), at.step)


def exported(run: str | Path, to: str | Path, parts: Parts | None = None) -> Exported:
    """Write the run folder `run` for TensorBoard into `to`: every signal as scalars (of one with several numbers at a
    time, a histogram), and the weights of its checkpoints as histograms.

    parts: also the graph of the model, pictures of validation samples, and in the projector what the last layer sees
    of them. Needs the extra `tensorboard`. Raises BadRun when there is no run, or when `to` shows another already.
    """
    run, done = Path(run), Exported(Path(to))
    must_be_empty(done.folder, but=GROWN)
    trace = Run(run).trace()
    with _writer(done.folder) as writer:
        _write_signals(writer, trace, done)
        _write_checkpoints(writer, run, done)
        if parts is not None:
            _write_parts(writer, parts, done)
    return done


def _write_signals(writer: Any, trace: Trace, done: Exported) -> None:
    for signal in trace.data:
        for subject, series in trace.each(signal):
            tag = f"{signal}/{subject}" if subject else signal
            for step, value in zip(series.steps.tolist(), series.values):
                if value.ndim == 0:
                    writer.add_scalar(tag, float(value), step)
                elif _histogram(writer, tag, torch.as_tensor(value), step):
                    done.count("histograms")
            done.count("scalars", series.values.ndim == 1)


def _write_checkpoints(writer: Any, run: Path, done: Exported) -> None:
    for name in ("best", "last"):
        if not (run / name / checkpoint.STATE).is_file():
            continue
        state = torch.load(run / name / checkpoint.STATE, map_location="cpu", weights_only=True)
        for tensor, values in load_file(run / name / checkpoint.WEIGHTS).items():
            if values.is_floating_point() and _histogram(writer, f"{name}/{tensor}", values, int(state.get("step", 0))):
                done.count("histograms")


def _write_parts(writer: Any, parts: Parts, done: Exported) -> None:
    loader = parts.train if parts.val is None else parts.val
    with untouched(loader), evaluating(parts.model):
        batches = _some(batches_of(loader, "the loader"), device_of(parts.model))
        for what, write in (("graph", _write_graph), ("images", _write_images), ("projector", _write_features)):
            try:
                done.count(what, write(writer, parts.model, batches))
            except Exception as error:  # noqa: BLE001 - not every model can be traced; the rest is exported all the same
                done.missing[what] = one_line(error)


def _some(batches: Iterator[Batch], device: torch.device) -> list[Batch]:
    """The first ones, until there are as many samples as are shown."""
    found: list[Batch] = []
    for batch in batches:
        found.append(batch.to(device))
        if sum(b.size for b in found) >= SHOWN:
            break
    return found


def _write_graph(writer: Any, model: nn.Module, batches: list[Batch]) -> int:
    inputs = batches[0].inputs
    writer.add_graph(model, inputs if len(inputs) > 1 else inputs[0])
    return 1


def _write_images(writer: Any, _model: nn.Module, batches: list[Batch]) -> int:
    pictures = _pictures(batches)[:PICTURES]
    writer.add_images("validation samples", pictures)
    return len(pictures)


def _write_features(writer: Any, model: nn.Module, batches: list[Batch]) -> int:
    features = torch.cat([_before_last_layer(model, batch) for batch in batches])[:SHOWN]
    labels = torch.cat([class_ids(batch.target).reshape(batch.size, -1)[:, 0] for batch in batches])[:SHOWN]
    try:
        pictures: Tensor | None = _pictures(batches)[:SHOWN]
    except ValueError:
        pictures = None
    names = [str(label) for label in labels.tolist()]
    with redirect_stdout(sys.stderr):  # torch prints a remark where the folder is there already
        writer.add_embedding(features, metadata=names, label_img=pictures, tag="last layer's input")
    return len(features)


def _before_last_layer(model: nn.Module, batch: Batch) -> Tensor:
    """(N, D): what goes into the last layer with weights that runs."""
    seen: list[Tensor] = []

    def note(_layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        seen[:] = [t for t in inputs if isinstance(t, Tensor) and t.is_floating_point()][:1]

    leaves = [m for m in model.modules() if not list(m.children()) and any(True for _ in m.parameters(recurse=False))]
    handles = [leaf.register_forward_pre_hook(note) for leaf in leaves]
    with hooked(handles):
        model(*batch.inputs)
    if not seen or len(seen[0]) != batch.size:
        raise ValueError("no layer was seen that works sample by sample")
    return seen[0].detach().flatten(1).float().cpu()


def _pictures(batches: list[Batch]) -> Tensor:
    """(N, 1 or 3, H, W), brought to 0..1 by their own range. Raises ValueError when there are none."""
    inputs = [batch.inputs[0] for batch in batches]
    if not all(isinstance(x, Tensor) and x.ndim == 4 and x.shape[1] in (1, 3) for x in inputs):
        raise ValueError("the inputs are not pictures (N, 1 or 3, H, W)")
    x = torch.cat(inputs).detach().float().cpu()
    return (x - x.min()) / (x.max() - x.min()).clamp_min(1e-12)


def _histogram(writer: Any, tag: str, values: Tensor, step: int) -> bool:
    """Of what is finite; False when nothing is."""
    finite = values[values.isfinite()]
    if finite.numel():
        writer.add_histogram(tag, finite.float(), step)
    return bool(finite.numel())


@contextmanager
def _writer(folder: Path, end: str = "") -> Iterator[Any]:
    """end: of the name of the file that is written."""
    needed("tensorboard", extra="tensorboard")
    with warnings.catch_warnings():
        # torch's writer traces the graph in a way that torch is giving up, and NumPy and protobuf warn below it.
        warnings.simplefilter("ignore")
        from torch.utils.tensorboard import SummaryWriter

        with SummaryWriter(str(folder), filename_suffix=end) as writer:
            yield writer
