"""What all sections of a recipe share.

May not: import torch.
"""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict


def _finite(value: Any) -> Any:
    """The value, however nested. JSON has no word for NaN and infinity, and a recipe must be able to be written."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must hold finite numbers")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ():
        _finite(item)
    return value


Args = Annotated[dict[str, Any], AfterValidator(_finite)]  # further arguments, passed on as they are


class Section(BaseModel):
    """What all sections share: no unknown keys, no change after validation, no NaN."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)
