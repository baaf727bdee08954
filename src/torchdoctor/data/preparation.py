"""A Preparation turns raw samples into what a model takes, with everything it must know learnt from training samples.

    preparation, train_x = fitted(train, steps=(Log(("income",)), Fill(), OneHot()), scale="standard")
    preparation.save("runs/first/preparation")
    x = Preparation.load("runs/first/preparation")({"income": [3.2], "town": ["Oslo"]})     # (1, F), as in training

May not: see validation or test samples, unpickle.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from torchdoctor.data import store
from torchdoctor.data.columns import Kind, as_columns, kinds_of
from torchdoctor.data.names import READERS, STEPS
from torchdoctor.data.plain import made, name_of, written
from torchdoctor.data.samples import Reader, Samples
from torchdoctor.data.scaling import How, Scaling, scaling
from torchdoctor.data.steps.fill import Fill
from torchdoctor.data.steps.matrix import Matrix
from torchdoctor.data.steps.one_hot import OneHot
from torchdoctor.data.steps.scale import Scale
from torchdoctor.data.steps.step import Step
from torchdoctor.data.steps.tokens import Tokens
from torchdoctor.errors import BadParts

BESIDE = "preparation"  # its name in a run folder
SCALING = {"scaling": "torchdoctor.data.scaling:Scaling"}


@dataclass(frozen=True, eq=False)
class Preparation:
    """steps: in their order, fitted. kinds: the columns it takes, when it takes a table. classes: the name of each
    output. target: how decimal targets were scaled. reader: for raw samples that are files."""

    steps: tuple[Step, ...] = ()
    kinds: Mapping[str, Kind] | None = None
    classes: tuple[str, ...] | None = None
    target: Scaling | None = None
    reader: Reader | None = None

    def __call__(self, raw: Any) -> Tensor:
        """Raw samples -> (N, ...) float32, or int64 token ids. Raises BadParts for what the training data were not.

        raw: of tables {column: values}, a DataFrame or a list of dicts; of texts also a list of strings; of pictures
        also paths, bytes or PIL images; else an array or tensor (N, ...) like the source's own.
        """
        x = self._read(raw)
        for step in self.steps:
            x = step(x)
        return _plain(x)

    @property
    def features(self) -> tuple[str, ...] | None:
        """The name of each column of a prepared table; None for anything else."""
        steps: tuple[Any, ...] = self.steps
        return next((step.names for step in steps if isinstance(step, Matrix)), None)

    @property
    def vocabulary(self) -> int | None:
        """How many different token ids there can be; None where inputs are no ids."""
        steps: tuple[Any, ...] = self.steps
        return next((step.vocabulary for step in steps if isinstance(step, Tokens)), None)

    def in_units(self, outputs: Tensor) -> Tensor:
        """Outputs of a model that learnt scaled targets, (N, ...), in the targets' own units."""
        if self.target is None:
            return outputs
        return outputs * self.target.std.to(outputs.device) + self.target.mean.to(outputs.device)

    def save(self, url: str | Path) -> None:
        """Write url.json and url.safetensors; any fsspec URL. Raises BadParts when that fails."""
        tensors, facts = self.to_parts()
        store.write(url, tensors, facts)

    @classmethod
    def load(cls, url: str | Path) -> Preparation:
        """What `save` wrote. Raises BadParts when there is none, or when it is damaged."""
        return cls.from_parts(*store.read(url), source=str(url))

    def to_parts(self, prefix: str = "") -> tuple[dict[str, Tensor], dict[str, Any]]:
        """As tensors and plain JSON values."""
        tensors: dict[str, Tensor] = {}
        steps = [written(step, STEPS, f"{prefix}{i}", tensors) for i, step in enumerate(self.steps)]
        target = None if self.target is None else written(self.target, SCALING, f"{prefix}target", tensors)
        reader = None if self.reader is None else written(self.reader, READERS, f"{prefix}reader", tensors)
        plain = {"steps": steps, "kinds": self.kinds, "classes": self.classes, "target": target, "reader": reader}
        return tensors, plain

    @classmethod
    def from_parts(cls, tensors: Mapping[str, Tensor], facts: Mapping[str, Any], source: str = "it") -> Preparation:
        """The reverse of to_parts. Only the steps of this package are made: nothing is imported that a file names."""
        try:
            steps = tuple(made(step, STEPS, tensors) for step in facts["steps"])
            target, reader = facts["target"], facts["reader"]
            return cls(
                steps,
                facts["kinds"],
                None if facts["classes"] is None else tuple(facts["classes"]),
                None if target is None else made(target, SCALING, tensors),
                None if reader is None else made(reader, READERS, tensors),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadParts(f"{source} holds no preparation that this version can read ({error!r}).") from None

    def learnt_the_same(self, other: Preparation) -> bool:
        """Was it learnt from the same samples, as far as the numbers of both tell, up to rounding?"""
        (own, plain), (others, other_plain) = self.to_parts(), other.to_parts()
        return (
            own.keys() == others.keys()
            and all(own[k].shape == others[k].shape for k in own)
            and all(torch.allclose(own[k], others[k], rtol=1e-3, atol=1e-6, equal_nan=True) for k in own)
            and _rounded(plain) == _rounded(other_plain)
        )

    def _read(self, raw: Any) -> Any:
        if self.kinds is not None:
            texts = isinstance(raw, (list, tuple)) and raw and all(isinstance(text, str) for text in raw)
            return as_columns({next(iter(self.kinds)): raw} if texts and len(self.kinds) == 1 else raw, self.kinds)
        if isinstance(raw, (Tensor, np.ndarray)):
            return torch.as_tensor(raw)
        if self.reader is not None:
            return self.reader(raw)
        raise BadParts(f"The samples are a {type(raw).__name__}; give an array or tensor (N, ...).")


def fitted(
    train: Samples, steps: Sequence[Step] | None = None, scale: How = "none", target_scale: str = "none"
) -> tuple[Preparation, Tensor]:
    """The preparation learnt from training samples, and those samples prepared.

    steps: None does what the data need: of tables missing numbers filled and words one-hot, of texts token ids.
    Raises BadParts when a step does not fit the data.
    """
    done: list[Step] = []
    x: Any = train.x

    def add(step: Step) -> None:
        nonlocal x
        done.append(step.fit(x))
        x = done[-1](x)

    for step in _needed(train) if steps is None else steps:
        if step.on == "columns" and not isinstance(x, dict):
            raise BadParts(
                f"{name_of(step, STEPS)} is for columns of a table, but here the inputs are one tensor already."
            )
        if step.on == "tensor" and isinstance(x, dict):
            add(Matrix())
        add(step)
    if isinstance(x, dict):
        add(Matrix())
    if scale != "none":
        if x.dtype == torch.int64:
            raise BadParts(f"data.scale = {scale!r}: the inputs are whole numbers (ids); give decimals, or none.")
        add(Scale(scale))
    target = scaling(train.y, "standard") if target_scale == "standard" else None
    kinds = kinds_of(train.x) if isinstance(train.x, dict) else None
    return Preparation(tuple(done), kinds, train.classes, target, train.reader), _plain(x)


def _needed(train: Samples) -> tuple[Step, ...]:
    if not isinstance(train.x, dict):
        return ()
    return (Tokens(train.text),) if train.text is not None else (Fill(), OneHot())


def _plain(x: Tensor) -> Tensor:
    """Token ids stay whole numbers; all else is float32."""
    return x if x.dtype == torch.int64 else x.float()


def _rounded(plain: Any) -> Any:
    """As JSON gives it back, with decimals that another processor would make too."""
    return json.loads(json.dumps(plain), parse_float=lambda text: f"{float(text):.4g}")


def save_beside(loader: object, folder: Path) -> None:
    """The preparation that a loader's samples went through, as folder/preparation.json and .safetensors; nothing where
    it tells of none. Raises BadParts when it cannot be written."""
    found = getattr(loader, "preparation", None)
    if isinstance(found, Preparation):
        found.save(folder / BESIDE)
