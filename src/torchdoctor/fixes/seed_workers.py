"""Random numbers of its own for every worker of a loader, and every epoch."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from torchdoctor.errors import BadParts
from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts

DEPTH = 4  # dataset -> transforms -> one transform -> its generator


def code() -> str:
    return (
        "def seed(worker):   # give each worker's generators the seed that torch gave the worker\n"
        "    info = torch.utils.data.get_worker_info()\n"
        "    info.dataset.rng = np.random.default_rng(info.seed)\n"
        "train = DataLoader(dataset, batch_size, shuffle=True, num_workers=workers, worker_init_fn=seed)"
    )


@fix(code=code)
def seed_workers(parts: Parts) -> Parts:
    """Start the generators that the dataset holds anew in each worker, with the seed that torch gives the worker, in
    the place of the loader's own worker_init_fn.

    Raises BadParts when the loader has no workers.
    """
    from torch.utils.data import DataLoader

    from torchdoctor.fixes.loaders import recut

    if not isinstance(parts.train, DataLoader) or parts.train.num_workers < 1:
        raise BadParts("The training loader has no workers, so there are none to seed.")
    twin = recut(parts.train)
    vars(twin)["worker_init_fn"] = reseeded
    return replace(parts, train=twin)


def reseeded(_worker: int) -> None:
    """In a worker: new states for Python's and NumPy's global numbers, and for generators that the dataset holds."""
    import numpy as np
    from torch.utils.data import get_worker_info

    info = get_worker_info()
    if info is None:
        return
    random.seed(info.seed)
    np.random.seed(info.seed % 2**32)  # noqa: NPY002 - the user's code may draw from the global generator
    _reseed(info.dataset, info.seed, DEPTH)


def _reseed(thing: Any, seed: int, depth: int) -> None:
    import numpy as np
    import torch

    if isinstance(thing, torch.Generator):
        thing.manual_seed(seed)
    elif isinstance(thing, np.random.Generator):
        thing.bit_generator.state = type(thing.bit_generator)(seed).state
    elif isinstance(thing, (random.Random, np.random.RandomState)):
        thing.seed(seed % 2**32)
    elif depth:
        inside = list(thing) if isinstance(thing, (list, tuple)) else list(getattr(thing, "__dict__", {}).values())
        for item in inside[:100]:  # a longer list holds data, not the steps of a pipeline
            _reseed(item, seed, depth - 1)
