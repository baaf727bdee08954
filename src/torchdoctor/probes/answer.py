"""Where does the answer come from: which layer has the last weights, and which modules stand behind it?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from torchdoctor.models.hooks import hooked
from torchdoctor.probes.bench import Bench, training
from torchdoctor.probes.probe import Fact, Measurement, probe
from torchdoctor.probes.sample import head, sample
from torchdoctor.probes.tail import Tail

SAMPLES = 4  # the way through the model is the same for all


@probe(passes=2, measures={})
def answer(bench: Bench) -> Iterator[Measurement | Fact]:
    """The fact `answer`: {"weights": names of the layers whose outputs are the last that weights made, "behind": names
    of the modules that change what these gave, in order}. Functions called in a forward have no name to tell.
    """
    batch = head(sample(bench), SAMPLES)
    tail = Tail(training(bench.fork()).model, batch.inputs)
    twin = training(bench.fork()).model
    calls = _calls(twin, batch.inputs)
    last = max((i for i, (name, _) in enumerate(calls) if name in tail.last), default=len(calls))
    yield Fact("answer", {"weights": tail.last, "behind": [name for name, changes in calls[last + 1 :] if changes]})


def _calls(model: nn.Module, inputs: tuple[Any, ...]) -> list[tuple[str, bool]]:
    """(name, does it change the numbers it is given) of every innermost module, in the order of their calls."""
    calls: list[tuple[str, bool]] = []
    given: list[Any] = []

    def begin(_: nn.Module, args: tuple[Any, ...]) -> None:
        given.append(args[0].clone() if args and isinstance(args[0], Tensor) else None)  # it may work in place

    def end(name: str) -> Any:
        return lambda _module, _args, output: calls.append((name, _changes(given.pop(), output)))

    inner = [(name, m) for name, m in model.named_modules() if not any(m.children())]
    hooks = [m.register_forward_pre_hook(begin) for _, m in inner]
    hooks += [m.register_forward_hook(end(name)) for name, m in inner]
    with hooked(hooks), torch.no_grad():
        model(*inputs)
    return calls


def _changes(given: Any, output: Any) -> bool:
    if not (isinstance(given, Tensor) and isinstance(output, Tensor) and given.numel() == output.numel()):
        return True
    return not torch.equal(given.reshape(-1), output.reshape(-1))
