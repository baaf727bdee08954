"""The examples beside other libraries run as they stand, and cure what they say they cure."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from steady import STEADY
from waiting import HANGS

EXAMPLES = Path(__file__).parent.parent / "examples"
CURED = {  # library: its example, and what has to be among the fixes
    "skorch": ("skorch_net.py", "standardize-inputs"),
    "lightning": ("lightning_module.py", "set-learning-rate"),
    "transformers": ("hugging_face.py", "set-learning-rate"),
}


@pytest.mark.slow
@pytest.mark.parametrize("library", CURED)
def test_a_net_of_another_library_is_cured(library: str) -> None:
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed: pip install 'torchdoctor[neighbours]'")
    file, fix = CURED[library]
    program = f"{STEADY}import runpy; runpy.run_path({str(EXAMPLES / file)!r}, run_name='__main__')"
    command = [sys.executable, "-W", "ignore", "-c", program]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=HANGS, cwd=EXAMPLES, check=False)

    assert ran.returncode == 0, ran.stderr[-2000:]
    verdict = next(line for line in ran.stdout.splitlines() if line.startswith("cured: "))
    assert fix in verdict
