"""What all sections of a recipe share.

May not: import torch.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

Args = dict[str, Any]  # further arguments, passed on as they are


class Section(BaseModel):
    """What all sections share: no unknown keys, no change after validation, no NaN."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)
