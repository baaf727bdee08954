"""What is explained: a copy of a model that answers with one number per class, for inputs that are one tensor.

May not: change the model it is given, draw random numbers.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from torchdoctor.data.batch import first_tensor
from torchdoctor.errors import BadParts, one_line
from torchdoctor.evaluate.reading import Reading
from torchdoctor.models.hooks import hooked


@dataclass(frozen=True, eq=False)
class Subject:
    """model: a copy on the CPU, in eval mode, without in-place operations (they would spoil what hooks have kept).
    reading: what its outputs mean. baseline: (1, ...) an input that says nothing: black of a picture, the mean of a
    table."""

    model: nn.Module
    reading: Reading
    baseline: Tensor

    @classmethod
    def of(cls, model: nn.Module, reading: Reading, data: Tensor) -> Subject:
        """data: (N, ...) samples that the baseline is taken from. Raises BadParts for inputs that are no decimals, or a
        model that cannot be copied."""
        if not data.is_floating_point() or data.ndim not in (2, 4):
            raise BadParts(
                f"Inputs {tuple(data.shape)} of {data.dtype} cannot be explained: it takes pictures (N, C, H, W) or "
                "rows of decimals (N, features). Of token ids explain the embedded vectors."
            )
        try:
            twin = copy.deepcopy(model).cpu().eval()
        except Exception as error:  # any attribute of the user's model may refuse, each in its own way
            raise BadParts(f"The model cannot be copied ({one_line(error)}), so it is left alone.") from error
        for module in twin.modules():
            if getattr(module, "inplace", False) is True:
                module.inplace = False  # type: ignore[assignment]
        twin.requires_grad_(False)
        return cls(twin, reading, _baseline(data))

    def scores(self, x: Tensor) -> Tensor:
        """(N, K): what an explanation explains. Logits where the model gives them, else log-probabilities; of one
        output that means yes or no, its logit for yes and against; numbers as they are."""
        output = first_tensor(self.model(x))
        if self.reading.kind == "numbers":
            return output.reshape(len(x), -1)
        if self.reading.means == "scores":
            return output
        if self.reading.means == "logit":
            return torch.cat([-output.reshape(-1, 1), output.reshape(-1, 1)], 1)
        return self.reading.log_odds(output)

    def with_model(self, model: nn.Module) -> Subject:
        return Subject(model, self.reading, self.baseline)

    @property
    def pictures(self) -> bool:
        return self.baseline.ndim == 4


def outputs_of(model: nn.Module, x: Tensor, layers: tuple[str, ...] | None = None) -> dict[str, Tensor]:
    """{layer: output} of these modules (default: the innermost) that give one tensor, in the order of execution,
    without gradients."""
    kept: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                kept.pop(name, None)
                kept[name] = output.detach()

        return hook

    modules = {n: m for n, m in model.named_modules() if (n in layers if layers else n and not list(m.children()))}
    handles = [module.register_forward_hook(keep(name)) for name, module in modules.items()]
    with hooked(handles), torch.no_grad():
        model(x)
    return kept


def convolutions(model: nn.Module, x: Tensor) -> tuple[str, ...]:
    """Layers with a weight (out, in, height, width) that give maps larger than one pixel, in the order of execution."""
    modules = dict(model.named_modules())
    return tuple(
        name
        for name, out in outputs_of(model, x[:1]).items()
        if out.ndim == 4 and max(out.shape[2:]) > 1 and getattr(getattr(modules[name], "weight", None), "ndim", 0) == 4
    )


def last_maps(model: nn.Module, x: Tensor) -> str | None:
    """The module that gives the last maps of the size that the last convolution gives, after its normalisation and
    activation; None where there is no convolution. Modules that run more than once cannot be asked for one output."""
    found = convolutions(model, x)
    if not found:
        return None
    ended: list[tuple[str, Any]] = []
    handles = [
        m.register_forward_hook(lambda _m, _i, out, name=name: ended.append((name, getattr(out, "shape", ()))))
        for name, m in model.named_modules()
        if name
    ]
    with hooked(handles), torch.no_grad():
        model(x[:1])
    size = dict(ended)[found[-1]][2:]
    names = [name for name, _ in ended]
    return [name for name, shape in ended if len(shape) == 4 and shape[2:] == size and names.count(name) == 1][-1]


def _baseline(data: Tensor) -> Tensor:
    if data.ndim == 4:
        return data.amin((0, 2, 3), keepdim=True).expand(1, *data.shape[1:]).clone().cpu()
    return data.mean(0, keepdim=True).cpu()
