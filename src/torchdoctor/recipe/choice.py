"""The names a recipe may choose from, as types that pydantic checks and JSON Schema lists.

May not: import torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_after_validator_function

from torchdoctor.data.augment.names import AUGMENTATIONS
from torchdoctor.data.names import DATA, STEPS
from torchdoctor.errors import did_you_mean
from torchdoctor.models.names import ACTIVATIONS, MODELS
from torchdoctor.recipe.names import LOSSES, MONITORS, OPTIMIZERS, SCHEDULES


@dataclass(frozen=True)
class OneOf:
    """A name out of `names` or, where `paths`, an import path "package.module:name"."""

    names: tuple[str, ...]
    paths: bool = True

    def checked(self, value: str) -> str:
        """The value. Raises ValueError saying what is allowed and which name is nearest."""
        if value in self.names or (self.paths and ":" in value):
            return value
        allowed = ", ".join(self.names) + (" or an import path 'package.module:name'" if self.paths else "")
        near = did_you_mean(value, self.names)
        raise ValueError(f"must be {allowed}. {near if near.startswith('Did') else ''}".rstrip())

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_after_validator_function(self.checked, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        choices: list[dict[str, Any]] = [{"enum": list(self.names)}]
        return {**handler(core), "anyOf": choices + ([{"pattern": r"^[\w.]+:[\w.]+$"}] if self.paths else [])}


DataName = Annotated[str, OneOf(tuple(DATA))]
AugmentationName = Annotated[str, OneOf(tuple(AUGMENTATIONS))]
StepName = Annotated[str, OneOf(tuple(name for name in STEPS if name != "matrix"), paths=False)]
ModelName = Annotated[str, OneOf(tuple(MODELS))]
ActivationName = Annotated[str, OneOf(tuple(ACTIVATIONS), paths=False)]
LossName = Annotated[str, OneOf(tuple(LOSSES))]
OptimizerName = Annotated[str, OneOf(tuple(OPTIMIZERS))]
ScheduleName = Annotated[str, OneOf(("none", *SCHEDULES))]
MonitorName = Annotated[str, OneOf(MONITORS, paths=False)]
