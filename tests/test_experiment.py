"""An experiment says in one line when its build function gives no parts."""

from __future__ import annotations

from typing import Any

import pytest

from torchdoctor.errors import BadParts, BadRecipe
from torchdoctor.experiment import Experiment


@pytest.mark.parametrize(
    ("given", "said"),
    [(None, r"nothing: is its `return` missing"), (("model", "loss"), r"a tuple\.$"), (3, r"a int\.$")],
)
def test_a_build_that_gives_no_parts_is_told_what_it_gave(given: Any, said: str) -> None:
    with pytest.raises(BadParts, match=said):
        Experiment(lambda seed: given, epochs=1).parts(0)


def test_a_build_that_fails_is_told_with_its_seed_and_its_error() -> None:
    def build(seed: int) -> Any:
        raise FileNotFoundError("data.csv")

    with pytest.raises(BadParts, match=r"build\(3\) failed: FileNotFoundError: data.csv") as refused:
        Experiment(build, epochs=1).parts(3)
    assert isinstance(refused.value.__cause__, FileNotFoundError)


def test_an_error_raised_on_purpose_passes_through() -> None:
    def build(seed: int) -> Any:
        raise BadRecipe("data.root is missing.")

    with pytest.raises(BadRecipe, match=r"data\.root"):
        Experiment(build, epochs=1).parts(0)
