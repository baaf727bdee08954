"""Signal `attack_test`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="1 or 0", at="logged", per="disturbance")
def attack_test(moment: Moment) -> Measured:
    """Self-tests of the attacks: 1 where what must be true of a sound attack is true."""
    return None
