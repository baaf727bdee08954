"""The last activation of a model, found by what it does: a module or a plain function call such as F.softmax.

torch lets a mode see every function that Python code calls on tensors. One trial pass records which call made the
output; the change then takes that call's input instead of its result.
May not: train, judge, print, decide by the name of a function or class.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from torchdoctor.errors import BadParts
from torchdoctor.fixes.surgery import Executed, executed
from torchdoctor.fixes.wrapping import Cover
from torchdoctor.models.layers import put
from torchdoctor.probes.bench import Batch

Function = Callable[..., Any]


class Call(NamedTuple):
    """fn(*args, **kwargs) gave result. place: which of the arguments is the one tensor it works on."""

    fn: Function
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    result: Any

    @property
    def source(self) -> Tensor | None:
        """The one tensor among the arguments; None when there are none or several."""
        found = [a for a in (*self.args, *self.kwargs.values()) if isinstance(a, Tensor)]
        return found[0] if len(found) == 1 else None

    def again(self, tensor: Tensor) -> Any:
        """The same call on another tensor."""
        args = tuple(tensor if isinstance(a, Tensor) else a for a in self.args)
        return self.fn(*args, **{k: tensor if isinstance(v, Tensor) else v for k, v in self.kwargs.items()})


class Recorder(TorchFunctionMode):
    """Keeps every call that gives a tensor, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []

    def __torch_function__(
        self, func: Function, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor):
            self.calls.append(Call(func, args, kwargs or {}, result))
        return result


class Bypassed(Cover):
    """A model whose last call of one function is passed by: its output is made from that call's input.

    What came after it (a squeeze, a view) is done again. instead: a module to call in its place.
    """

    def __init__(self, model: nn.Module, fn: Function, in_place: bool, instead: nn.Module | None = None) -> None:
        super().__init__(model)
        self.fn = fn
        self.in_place = in_place
        self.instead = instead or nn.Identity()

    def forward(self, *inputs: Any, **named: Any) -> Any:
        with _Trail(self.fn, self.in_place) as trail:
            output = self.model(*inputs, **named)
        return trail.replayed(output, self.instead)


class _Trail(TorchFunctionMode):
    """What was made of the last result of `fn`; all else is let go, so that no memory is held for it."""

    def __init__(self, fn: Function, in_place: bool) -> None:
        super().__init__()
        self.fn = fn
        self.in_place = in_place  # then it is given a copy, or its input would be lost
        self.made: dict[int, Call] = {}  # by the id of the result, which the call keeps alive

    def __torch_function__(
        self, func: Function, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        call = Call(func, args, kwargs or {}, None)
        source = call.source
        if func != self.fn or source is None:
            call = call._replace(result=func(*args, **call.kwargs))
            if isinstance(call.result, Tensor) and id(source) in self.made and call.result is not source:
                self.made[id(call.result)] = call
        else:
            call = call._replace(result=call.again(source.clone() if self.in_place else source))
            self.made = {id(call.result): call}
        return call.result

    def replayed(self, output: Any, instead: nn.Module) -> Any:
        after: list[Call] = []
        tensor = output
        while (call := self.made.pop(id(tensor), None)) is not None and call.source is not None:
            tensor = call.source
            if call.fn == self.fn:
                tensor = instead(tensor)
                for later in reversed(after):
                    tensor = later.again(tensor)
                return tensor
            after.append(call)
        return output  # this forward took another way, on which the function was not called


class Pass(NamedTuple):
    """One trial pass: the output, every call that gave a tensor, and the leaf modules that ran."""

    output: Any
    calls: list[Call]
    ran: list[Executed]

    @property
    def last_activation(self) -> Call | None:
        """The call that made the output, seen through rearrangements such as squeeze and view; None when the output
        comes out of something else."""
        made: dict[int, list[Call]] = {}  # what works in place, or changes nothing, gives a tensor again
        for call in self.calls:
            made.setdefault(id(call.result), []).append(call)
        tensor = self.output
        while made.get(id(tensor)):
            call = made[id(tensor)].pop()
            if call.source is None:
                return None
            if is_activation(call):
                return call
            if not _rearranges(call):
                return None
            tensor = call.source
        return None

    def maker(self, call: Call) -> Executed | None:
        """The leaf module without weights that did nothing but this call; None when it is part of something else."""
        at = next(i for i, other in enumerate(self.calls) if other is call)
        return next((e for e in self.ran if e.span == (at, at + 1) and next(e.module.parameters(), None) is None), None)


def observed(model: nn.Module, batch: Batch) -> Pass:
    """A trial pass of the model over the batch."""
    with Recorder() as recorder:
        output, ran = executed(model, batch, lambda: len(recorder.calls))
    return Pass(output, recorder.calls, ran)


def with_output(model: nn.Module, batch: Batch, instead: nn.Module | None = None) -> nn.Module:
    """The model without its last activation, or with another in its place. Changes `model`; work on a copy.

    Raises BadParts when there is no last activation that could be taken away.
    """
    seen = observed(model, batch)
    call = seen.last_activation
    if call is None:
        raise BadParts(
            "The model's output does not come out of an activation that could be taken away (it is written by hand, "
            "or there is none). Change the last line of forward() by hand."
        )
    maker = seen.maker(call)
    if maker is not None and maker.name and maker.calls == 1:
        return put(model, maker.name, instead or nn.Identity())
    return Bypassed(model, call.fn, call.result is call.source, instead)


def is_activation(call: Call) -> bool:
    """Whether the call gives as many numbers as it takes and is not a straight line, unless a constant one.

    Random numbers are put in, of the shape that the source has: f(a) + f(b) = f(a + b) + f(0) holds for every affine
    function and no other. A constant one is a softmax over a single unit.
    """
    source = call.source
    if source is None or not source.is_floating_point() or call.result.shape != source.shape:
        return False
    generator = torch.Generator().manual_seed(0)
    shape = source.shape
    a, b = (torch.randn(shape, generator=generator).to(source) for _ in range(2))
    with torch.no_grad(), torch.random.fork_rng():
        first, second, both, none = (call.again(z) for z in (a.clone(), b.clone(), a + b, torch.zeros_like(a)))
    return torch.equal(first, none) or not torch.allclose(first + second, both + none, atol=1e-3, equal_nan=True)


def _rearranges(call: Call) -> bool:
    """Whether the call gives the same numbers in the same order: view, squeeze, a dropout that is off."""
    source = call.source
    return (
        source is not None
        and call.result.numel() == source.numel()
        and torch.equal(call.result.reshape(-1), source.reshape(-1))
    )
