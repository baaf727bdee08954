"""A run while it trains, in a terminal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from torchdoctor.record.run import Writer
from torchdoctor.show import live_view as module
from torchdoctor.show.live_view import LiveView
from torchdoctor.show.texts import texts


def shown(view: LiveView) -> list[str]:
    return [line.plain for line in view.lines()]


def test_curves_grow_with_the_run_and_are_read_no_more_often_than_they_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    view = LiveView(tmp_path / "run")
    assert shown(view) == [], "nothing is written yet"
    writer = Writer(tmp_path / "run")
    writer.append("loss", ("",), np.arange(50), np.linspace(2, 1, 50)[:, None])
    writer.commit()
    assert shown(view) == [], "it has just looked"
    now[0] = 1.5
    (line,) = shown(view)
    assert line.startswith("  loss") and line.endswith("2 → 1")
    writer.append("loss", ("",), np.arange(50, 90), np.full((40, 1), 0.5))
    writer.commit()
    now[0] = 3.0
    assert shown(view)[0].endswith("2 → 0.5")
    writer.close()


def test_a_finding_is_shown_with_the_step_it_came_at_and_goes_when_it_is_gone(tmp_path: Path) -> None:
    view = LiveView(tmp_path / "run")
    view.found(("stalled-loss",), 120)
    view.found(("stalled-loss", "dead-units"), 240)
    first, second = shown(view)
    assert first.startswith("  stalled-loss since step 120: ") and second.startswith("  dead-units since step 240: ")
    view.found(("dead-units",), 300)
    (left,) = shown(view)
    assert left.startswith("  dead-units since step 240: ")


def test_at_the_end_the_curves_are_whole_and_the_findings_are_left_to_the_report(tmp_path: Path) -> None:
    view = LiveView(tmp_path / "run")
    writer = Writer(tmp_path / "run")
    writer.append("loss", ("",), np.arange(50), np.linspace(2, 1, 50)[:, None])
    writer.commit()
    view.found(("stalled-loss",), 49)
    assert [line[:14].strip() for line in shown(view)] == ["loss", "stalled-loss"]
    writer.append("loss", ("",), np.arange(50, 60), np.full((10, 1), 0.25))
    writer.close()
    view.end()
    (line,) = shown(view)
    assert line.endswith("2 → 0.25")


def test_a_finding_of_a_rule_that_is_not_known_here_is_shown_by_its_name(tmp_path: Path) -> None:
    view = LiveView(tmp_path / "run")
    view.found(("my-own-rule",), 5)
    assert shown(view) == ["  my-own-rule since step 5: "]


def test_a_finding_is_told_in_the_language_that_was_asked_for(tmp_path: Path) -> None:
    view = LiveView(tmp_path / "run", texts("zh"))
    view.found(("stalled-loss",), 120)
    assert shown(view) == ["  stalled-loss 自第 120 步起：" + texts("zh").said("stalled-loss")]
