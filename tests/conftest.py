"""What holds for all tests."""

from __future__ import annotations

import random
import signal
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings
from steady import steady

# With more, the workers on a small machine wait for each other in every matrix product.
torch.set_num_threads(1)
# How long an example takes says more about what else the machine does than about the code.
# Every run tries the same examples, so that a failure can be had again; new ones: pytest --hypothesis-profile=explore.
ANY_TIME = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("explore", **ANY_TIME)
settings.register_profile("repeatable", **ANY_TIME, derandomize=True)
settings.load_profile("repeatable")
steady()
# A process that a shell started in the background ignores Ctrl-C, and tests that wait for it would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)


def _seed() -> None:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - the generator that users draw from without knowing
    torch.manual_seed(0)


_seed()  # for what is drawn while a file of tests is read


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
    """What many tests share is drawn alike whichever of them comes first, and that one draws what it always does."""
    if fixturedef.scope == "function":
        return (yield)
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    _seed()
    try:
        return (yield)
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
        torch.set_rng_state(before[2])


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test draws the same numbers alone, among others, and tomorrow."""
    _seed()
