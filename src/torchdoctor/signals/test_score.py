"""Signal `test_score`."""

from __future__ import annotations

from torchdoctor.record.moment import Moment
from torchdoctor.record.signal import Measured, signal


@signal(unit="1, higher is better", at="logged")
def test_score(moment: Moment) -> Measured:
    """Score over the test data, by the same measure as train_score and val_score; from an evaluation."""
    return None
