"""One network of a family under the name that people know it by: vgg16 is VGG with depth 16."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def one_of(family: Callable[..., Network], name: str, said: str, **fixed: Any) -> Callable[..., Network]:
    """A function that makes a network of `family` with these options `fixed`, called `name` and documented by `said`.

    Its signature is the family's without them, since recipes learn from it which options there are.
    """

    def make(*args: Any, **options: Any) -> Network:
        return family(*args, **fixed, **options)

    whole = inspect.signature(family)
    left = [parameter for parameter in whole.parameters.values() if parameter.name not in fixed]
    make.__signature__ = whole.replace(parameters=left)  # type: ignore[attr-defined]  # of any function, by PEP 362
    make.__name__ = make.__qualname__ = name
    make.__module__, make.__doc__ = family.__module__, said
    return make
