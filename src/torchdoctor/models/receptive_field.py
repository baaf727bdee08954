"""The receptive field of each layer: how many pixels of the input, high and wide, one of its outputs can depend on.

Each operation that torch carries out is followed with the field and the distance (jump) between neighbours, as in
Araujo, Norris, Sim, Computing receptive fields of convolutional neural networks, Distill 2019: a window of k with
dilation d adds (k - 1) d jumps, a stride multiplies the jump. Branches that meet have the larger field. What a
normalisation learns of other pixels through its statistics is left out, as everywhere.
May not: train, change the model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from torchdoctor.models.hooks import hooked

aten = torch.ops.aten
Pair = tuple[float, float]


class Field(NamedTuple):
    """Height and width each: pixels seen, pixels between neighbouring outputs, outputs there are."""

    size: Pair
    jump: Pair
    sides: tuple[int, int]

    def through(self, kernel: Sequence[float], stride: Sequence[float], sides: Sequence[int]) -> Field:
        """Behind a window of that many outputs, moved by `stride`."""
        (h, w), (jh, jw) = self.size, self.jump
        seen = (h + (kernel[0] - 1) * jh, w + (kernel[1] - 1) * jw)
        return Field(seen, (jh * stride[0], jw * stride[1]), (sides[0], sides[1]))


def receptive_fields(model: nn.Module, image: Tensor) -> dict[str, tuple[int, int]]:
    """{module name: (height, width)} of every module that gives a tensor, never more than the image itself.

    image: (N, C, H, W), run once in eval mode without gradients. Modules behind a transposed convolution are left out.
    """
    found: dict[str, tuple[int, int]] = {}
    tracer = _Tracer(image)

    def keep(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: Any, output: Any) -> None:
            field = tracer.of(output) if isinstance(output, Tensor) else None
            if field is not None and field.size[0] == field.size[0]:
                found[name] = (min(int(field.size[0]), image.shape[2]), min(int(field.size[1]), image.shape[3]))

        return hook

    handles = [module.register_forward_hook(keep(name)) for name, module in model.named_modules()]
    modes = [(m, m.training) for m in model.modules()]
    try:
        model.eval()
        with hooked(handles), torch.no_grad(), tracer:
            model(image)
    finally:
        for module, mode in modes:
            module.training = mode
    return found


class _Tracer(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """The field of every tensor that was made of the image."""

    def __init__(self, image: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._batch = len(image)
        start = Field((1.0, 1.0), (1.0, 1.0), (image.shape[2], image.shape[3]))
        self._fields: dict[int, tuple[Tensor, Field]] = {id(image): (image, start)}  # the tensor, so that its id stays

    def of(self, tensor: Tensor) -> Field | None:
        """None for a tensor that no pixel reaches."""
        known = self._fields.get(id(tensor))
        return known[1] if known else None

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        given = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
        fields = [f for f in map(self.of, given) if f is not None]
        for made in tree_leaves(result):
            if fields and isinstance(made, Tensor):
                self._fields[id(made)] = (made, self._behind(func.overloadpacket, args, given, made, _joined(fields)))
        return result

    def _behind(self, op: Any, args: tuple[Any, ...], given: list[Tensor], made: Tensor, field: Field) -> Field:
        if op is aten.convolution and len(args) > 6:
            return _convolved(args, made, field)
        if op in _POOLS:
            kernel, stride, dilation = _window(args, 4 if op is aten.max_pool2d_with_indices else 9)
            return field.through([(k - 1) * d + 1 for k, d in zip(kernel, dilation)], stride, made.shape[-2:])
        if op in _ADAPTIVE:
            sides = made.shape[-2:]
            kernel = [-(-n // out) + (1 if n % out else 0) for n, out in zip(field.sides, sides)]
            return field.through(kernel, [n / out for n, out in zip(field.sides, sides)], sides)
        if made.ndim == 4 and tuple(made.shape[-2:]) == field.sides:
            return field
        if op in _MIXING and not self._by_position(op, given, field):
            return field.through(field.sides, (1, 1), (1, 1))
        return field

    def _by_position(self, op: Any, given: list[Tensor], field: Field) -> bool:
        """Whether a matrix product mixes the channels of each pixel alone: its rows are samples times pixels."""
        positions = field.sides[0] * field.sides[1]
        rows = max((len(t) for t in given if t.ndim == 2 and self.of(t) is not None), default=0)
        return op in (aten.mm, aten.addmm) and positions > 1 and rows == self._batch * positions


_POOLS = (aten.max_pool2d_with_indices, aten.avg_pool2d, aten.max_pool2d)
_ADAPTIVE = (aten._adaptive_avg_pool2d, aten.adaptive_avg_pool2d, aten.adaptive_max_pool2d)
_MIXING = (aten.mm, aten.addmm, aten.bmm, aten.baddbmm, aten.mean, aten.sum, aten.amax, aten.max)
_UNKNOWN = (float("nan"), float("nan"))


def _convolved(args: tuple[Any, ...], made: Tensor, field: Field) -> Field:
    """args: those of aten.convolution (input, weight, bias, stride, padding, dilation, transposed, ...)."""
    if args[6] or made.ndim != 4:
        return Field(_UNKNOWN, field.jump, field.sides)
    kernel = [(k - 1) * d + 1 for k, d in zip(args[1].shape[2:], _pair(args[5]))]
    return field.through(kernel, _pair(args[3]), made.shape[-2:])


def _window(args: tuple[Any, ...], dilation: int) -> tuple[list[int], list[int], list[int]]:
    """Kernel, stride (the kernel's size where it is left out) and dilation of a pooling."""
    kernel = _pair(args[1])
    stride = _pair(args[2]) if len(args) > 2 and args[2] else kernel
    return kernel, stride, _pair(args[dilation]) if len(args) > dilation else [1, 1]


def _pair(value: Any) -> list[int]:
    values = list(value) if isinstance(value, (list, tuple)) else [value]
    return values if len(values) == 2 else values * 2


def _joined(fields: list[Field]) -> Field:
    """Of branches that meet: the largest."""
    height, width = (max(f.size[i] for f in fields) for i in (0, 1))
    jump = (max(f.jump[0] for f in fields), max(f.jump[1] for f in fields))
    return Field((height, width), jump, max(f.sides for f in fields))
