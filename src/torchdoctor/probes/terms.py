"""The scalars that a loss adds up: found by watching it add.

May not: judge, print, call the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from torch import Tensor
from torch.overrides import TorchFunctionMode

SUMS = frozenset({"add", "add_", "__add__", "__radd__", "__iadd__", "sub", "sub_", "__sub__", "__isub__"})
REVERSED = frozenset({"rsub", "__rsub__"})
PRODUCTS = frozenset({"mul", "mul_", "__mul__", "__rmul__", "__imul__"})
QUOTIENTS = frozenset({"div", "div_", "true_divide", "__truediv__", "__itruediv__"})


class Term(NamedTuple):
    """A summand without its factor; the size of the factor, its sign left out."""

    scalar: Tensor
    factor: float


class _Watching(TorchFunctionMode):
    """Keeps how each scalar was made, by its id; the scalars are kept too, so that no other gets that id."""

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[int, tuple[Tensor, str, tuple[Any, ...]]] = {}

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and result.ndim == 0 and not any(result is a for a in args):  # not in place
            self.made[id(result)] = (result, getattr(func, "__name__", ""), args)
        return result


def terms(loss_of: Callable[[], Tensor]) -> list[Term]:
    """What the loss adds up, in the order in which it stands there; one term, the loss itself, where it adds nothing.
    Constant factors are looked through, and constant summands left out. What a single function adds up inside of itself
    (a sum over a stack of terms) counts as one, and so does a sum that is made in place."""
    watching = _Watching()
    with watching:
        loss = loss_of()
    return list(_leaves(watching.made, loss, 1.0))


def _leaves(made: dict[int, tuple[Tensor, str, tuple[Any, ...]]], scalar: Tensor, factor: float) -> Iterator[Term]:
    _, name, args = made.get(id(scalar), (scalar, "", ()))
    learning = [a for a in args if isinstance(a, Tensor) and a.requires_grad]
    if len(args) == 2 and name in SUMS | REVERSED and learning and all(a.ndim == 0 for a in learning):
        for a in learning:
            yield from _leaves(made, a, factor)
    elif len(args) == 2 and name in PRODUCTS | QUOTIENTS and len(learning) == 1 and learning[0].ndim == 0:
        other = args[1] if learning[0] is args[0] else args[0]
        if name in QUOTIENTS and learning[0] is not args[0]:
            yield Term(scalar, factor)  # a constant over a term is no factor of it
        else:
            by = abs(float(other))
            yield from _leaves(made, learning[0], factor * by if name in PRODUCTS else factor / by)
    else:
        yield Term(scalar, factor)
