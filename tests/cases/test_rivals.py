"""Other tools' rules on traces that show what they look for, and the totals beside ours."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from benchmarks.rivals import opinions, tools
from benchmarks.rivals.searches import Searched, better, searched
from cases.beside import standings
from cases.page import page
from cases.table import Row
from cases.verdict import first_step, until
from torchdoctor.experiment import Experiment
from torchdoctor.judge.trace import Trace
from torchdoctor.parts import Parts

WEIGHTS = {"a.weight": {"shape": [8, 8]}, "b.weight": {"shape": [8, 8]}}
FACTS = {"parameters": WEIGHTS, "modules": {"a": "Linear", "r": "ReLU", "b": "Linear"}}
LEARNING = {
    "loss": [2.3, 1.0, 0.5, 0.3, 0.2], "train_loss": [1.5, 0.6, 0.3], "val_loss": [1.4, 0.6, 0.32],
    "train_score": [0.5, 0.8, 0.94], "val_score": [0.5, 0.79, 0.9],
}  # fmt: skip


def said(tool: str, **signals: object) -> tuple[str, ...]:
    facts = {**FACTS, **{k: signals.pop(k) for k in ("optimizer", "loss_fn") if k in signals}}
    probed = Trace.of(**{k: signals.pop(k) for k in ("input_absmax", "label_counts") if k in signals})
    return opinions(probed, Trace.of(facts, **{**LEARNING, **signals}))[tool]


def test_every_tool_of_the_issue_is_there() -> None:
    assert set(tools()) == {"always", "autotrainer", "deeplocalize", "deepdiagnosis", "umlaut", "sagemaker_debugger"}


@pytest.mark.parametrize("tool", [t for t in tools() if t != "always"])
def test_all_but_the_one_that_always_alarms_are_silent_on_a_run_that_learns(tool: str) -> None:
    assert said(tool, param_grad_norm={"a.weight": [0.3] * 3, "b.weight": [0.5] * 3}) == ()


def test_autotrainer_sees_gradients_vanish_only_where_accuracy_is_low() -> None:
    faint = {"a.weight": [1e-6] * 3, "b.weight": [0.5] * 3}
    assert said("autotrainer", param_grad_norm=faint) == ()
    low = [0.1, 0.12, 0.1]
    (verdict,) = said("autotrainer", param_grad_norm=faint, train_score=low, val_score=low)
    assert "saturating-activation" in verdict.split("|")


def test_umlaut_goes_by_fixed_ranges() -> None:
    rate = {"groups": [{"lr": 0.1}]}
    assert said("umlaut", input_absmax=2.5, optimizer=rate) == ("unscaled-inputs", "high-learning-rate")


def test_sagemaker_debugger_calls_a_gap_of_a_tenth_overfitting() -> None:
    assert "weak-regularization" in said("sagemaker_debugger", val_loss=[1.5, 0.6, 0.34])[0]


def test_a_loss_that_is_no_number_is_seen_by_all() -> None:
    verdicts = [said(tool, loss=[2.0, float("nan")]) for tool in tools()]
    assert all(verdicts)


def test_verdicts_that_may_mean_several_names_are_right_when_one_is() -> None:
    faulty = Row("f", 0, (("x",), ("y",)), found=("z",), causes=("z",), rivals={"it": ("x|w", "v")})
    ours, its = standings([faulty], [Row("h", 0, rivals={"it": ()})])
    assert (ours.detected, ours.precision, its.detected, its.healthy_alarmed) == (1, 0, 1, 0)
    assert (its.first_right, its.precision, its.recall) == (1, 0.5, 0.5)


def test_a_search_alarms_when_something_else_is_clearly_better() -> None:
    found = Searched("faulty", "c", ("high-learning-rate",), planned=0.5, rate=0.1, swept=0.9, drawn=0.52)
    assert found.sweep_names == "high-learning-rate" and not found.draw_alarms
    assert better(0.1, float("nan")) and not better(float("nan"), 0.1)
    assert not better(-95.0, -99.0)  # a twentieth of the score's own size is not enough


def test_a_rate_that_was_too_high_is_found_by_a_sweep() -> None:
    found = searched("faulty", "wild", ("high-learning-rate",), wild)
    assert found.sweep_alarms and found.rate < 1


def wild() -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        x, model = torch.randn(64, 4), nn.Linear(4, 1)
        data = [(x, x.sum(1, keepdim=True))]
        return Parts(model, nn.MSELoss(), torch.optim.SGD(model.parameters(), lr=3.0), data, data)

    return Experiment(build, epochs=12)


def test_the_first_step_is_the_one_after_which_the_cause_is_named() -> None:
    stale = Trace.of({"steps": 9}, stale_grad_norm=[0.0, 1, 2, 3, 4, 5, 6, 7, 8], grad_norm=[1.0] * 9)
    assert len(until(stale, 3)["grad_norm"]) <= 4 and until(stale, 3).facts["steps"] == 3
    assert first_step(Trace({}), stale, frozenset({"missing-zero-grad"})) in (1, 2, 5)
    assert first_step(Trace({}), stale, frozenset({"wrong-loss"})) is None


def test_the_page_holds_totals_rivals_reliability_and_every_run() -> None:
    spoken = (("high-learning-rate", "cause", "error", 0.9),)
    rows = [
        Row(
            f"f{i}",
            0,
            (("high-learning-rate",),),
            ("high-learning-rate",),
            ("high-learning-rate",),
            said=spoken,
            task="t",
        )
        for i in range(3)
    ]
    text = page(rows, [Row("sound", 0, task="u", said=spoken, found=("high-learning-rate",))], [], [])
    for part in (
        "## Totals",
        "## Other tools",
        "## What confidence means",
        "## Training again",
        "| f2 | 0 |",
        "| sound | 0 |",
    ):
        assert part in text
