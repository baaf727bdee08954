"""What a search tries, in which order, and what it keeps: in a world where what each fix is worth is known.

The network is real, and so are fixes, arms and races; only its training is counted instead of done, and its score is
what the world says a network of that build and so much training is worth.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import nn

from torchdoctor.cures.budget import Budget
from torchdoctor.cures.candidates import Candidate, Candidates, candidates, joined
from torchdoctor.cures.meeting import Meeting
from torchdoctor.cures.screening import Screening
from torchdoctor.cures.search import Search
from torchdoctor.cures.track import Track
from torchdoctor.cures.verdict import after_search
from torchdoctor.experiment import Experiment, Log
from torchdoctor.fixes.wrapping import Standardize
from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.report import Report
from torchdoctor.parts import Loader, Parts

EPOCHS, BATCHES = 20, 10
NORMALIZE, STANDARDIZE = Remedy("normalize-layers"), Remedy("standardize-inputs")
BARE, RELU = Remedy("remove-output-activation"), Remedy("replace-activation", {"to": "relu"})
LONGER = Remedy("more-epochs", {"factor": 4.0})


class Net(nn.Sequential):
    """It counts the batches it is trained on."""

    steps: torch.Tensor

    def __init__(self) -> None:
        super().__init__(nn.Linear(4, 8), nn.Sigmoid(), nn.Linear(8, 3), nn.Softmax(1))
        self.register_buffer("steps", torch.zeros(()))


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = Net()
    batches = [(torch.randn(8, 4), torch.randint(0, 3, (8,))) for _ in range(BATCHES)]
    return Parts(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.1), batches, batches)


def fit(parts: Parts, log: Log) -> None:
    (net,) = [m for m in parts.model.modules() if isinstance(m, Net)]
    for epoch in range(log.epochs):
        for _ in parts.train:
            net.steps += 1
        log(epoch=epoch)


def holds(model: nn.Module, *kinds: type[nn.Module]) -> bool:
    return all(any(isinstance(m, kind) for m in model.modules()) for kind in kinds)


def searched(worth: Callable[[nn.Module, float], float], found: Candidates, budget: float = 3) -> Search:
    """worth(model, share of a run that it was trained for) -> score."""

    def score(model: nn.Module, loader: Loader) -> float:
        (net,) = [m for m in model.modules() if isinstance(m, Net)]
        return worth(model, float(net.steps) / (EPOCHS * BATCHES))

    track = Track(Experiment(build, EPOCHS, fit=fit, score=score), Budget(budget), 3, None)
    track.meet()
    track.first_run()
    search = Search(Meeting(track), lambda given, share: Report(()), found)
    search.run()
    return search


def fixes(search: Search) -> list[str]:
    return [c.remedy.fix for c in search.kept]


def candidate(remedy: Remedy, *others: Remedy) -> Candidate:
    return Candidate(remedy, (f"needs {remedy.fix}",), others)


def test_what_else_a_finding_offers_is_tried_where_its_first_remedy_does_nothing() -> None:
    search = searched(
        lambda model, share: share if holds(model, Standardize) else 0.0,
        Candidates((candidate(NORMALIZE, RELU, STANDARDIZE),)),
    )

    assert fixes(search) == ["standardize-inputs"]
    assert search.final is not None and search.final.with_it == {0: 1.0}
    assert search.track.purse.runs <= 3.01


def test_what_helps_late_is_seen_by_a_longer_look() -> None:
    search = searched(
        lambda model, share: float(share > 0.4 and holds(model, nn.BatchNorm1d)),
        Candidates((candidate(NORMALIZE),)),
        budget=4,
    )

    assert fixes(search) == ["normalize-layers"]
    assert search.won is not None and search.won.share > 0.4


def test_two_that_help_only_together_are_both_kept() -> None:
    search = searched(
        lambda model, share: share * (holds(model, nn.BatchNorm1d, Standardize) or 0.01),
        Candidates((candidate(NORMALIZE), candidate(STANDARDIZE))),
        budget=10,
    )

    assert fixes(search) == ["normalize-layers", "standardize-inputs"]
    assert [r.name for r in search.meeting.races if r.proven and len(r.changed) == 1] == [
        "standardize-inputs", "normalize-layers",
    ]  # fmt: skip


def test_what_is_not_missed_is_left_out() -> None:
    search = searched(
        lambda model, share: share * holds(model, nn.BatchNorm1d),
        Candidates((candidate(NORMALIZE), candidate(STANDARDIZE))),
        budget=10,
    )

    assert fixes(search) == ["normalize-layers"]


def test_what_adds_to_a_cure_is_taken_from_the_reserve() -> None:
    def worth(model: nn.Module, share: float) -> float:
        return share * (holds(model, nn.BatchNorm1d) * (1 + holds(model, Standardize)))

    search = searched(
        worth, Candidates((candidate(NORMALIZE),), reserve=(candidate(RELU), candidate(STANDARDIZE))), budget=10
    )

    assert fixes(search) == ["normalize-layers", "standardize-inputs"]
    assert search.final is not None and search.final.effect.mean == pytest.approx(2.0)


def test_a_newcomer_that_does_the_work_of_an_older_remedy_takes_its_place() -> None:
    def worth(model: nn.Module, share: float) -> float:
        both = holds(model, nn.BatchNorm1d) or holds(model, nn.ReLU)
        return share * (3.0 if holds(model, Standardize) else 0.5 * both + 0.5 * (not holds(model, nn.Softmax)))

    search = searched(
        worth, Candidates((candidate(NORMALIZE), candidate(BARE)), reserve=(candidate(STANDARDIZE),)), budget=20
    )

    assert fixes(search) == ["standardize-inputs"]


def test_nothing_that_makes_it_worse_is_kept() -> None:
    search = searched(
        lambda model, share: share - holds(model, nn.BatchNorm1d) - holds(model, Standardize),
        Candidates((candidate(NORMALIZE, RELU),), reserve=(candidate(STANDARDIZE),)),
        budget=10,
    )

    assert (search.kept, search.won) == ((), None)


def verdict_of(search: Search) -> str:
    return after_search(Report(()), search, interrupted=False)[0]


BUDGETS = [0.2, 0.5, 1.0, 1.3, 1.7, 2.0, 3.0, 6.0, 12.0]


@pytest.mark.parametrize("budget", BUDGETS)
def test_what_is_better_at_first_and_worse_in_the_end_is_never_handed_over(budget: float) -> None:
    def worth(model: nn.Module, share: float) -> float:
        return (1.0 if share < 0.9 else 0.0) if holds(model, nn.BatchNorm1d) else 0.5 * share

    assert verdict_of(searched(worth, Candidates((candidate(NORMALIZE, RELU),)), budget)) == "not proven"


@pytest.mark.parametrize("budget", BUDGETS)
def test_what_is_handed_over_was_seen_at_the_end_of_a_whole_run_whatever_the_budget(budget: float) -> None:
    search = searched(
        lambda model, share: share * holds(model, nn.BatchNorm1d), Candidates((candidate(NORMALIZE),)), budget
    )
    seen = search.final is not None and search.final.share == 1.0 and search.final.effect.mean == 1.0

    assert (verdict_of(search) == "cured") == seen
    assert seen or budget < 2
    assert search.track.purse.runs <= budget + 0.1


def test_what_wins_short_races_is_told_where_no_whole_run_can_be_paid() -> None:
    search = searched(
        lambda model, share: share * holds(model, nn.BatchNorm1d), Candidates((candidate(NORMALIZE),)), budget=0.9
    )

    assert search.won is not None and search.final is None
    assert "no run of full length" in after_search(Report(()), search, interrupted=False)[1]


@pytest.mark.parametrize("budget", [0.9, 3.0])
def test_remedies_that_do_nothing_but_scatter_are_not_handed_over(budget: float) -> None:
    """Twenty-four worlds in which every network is worth the same, give or take what its weights happen to be."""

    def scatters(world: int) -> Callable[[nn.Module, float], float]:
        def worth(model: nn.Module, share: float) -> float:
            first = next(m for m in model.modules() if isinstance(m, nn.Linear))
            kinds = "".join(type(m).__name__ for m in model.modules())
            noise = random.Random(f"{world} {share:.3f} {float(first.weight.sum())} {kinds}").gauss(0, 0.02)
            return 0.9 * share**0.1 + noise

        return worth

    found = Candidates((candidate(NORMALIZE, RELU), candidate(BARE)), reserve=(candidate(STANDARDIZE),))
    cured = [w for w in range(24) if verdict_of(searched(scatters(w), found, budget)) == "cured"]

    assert len(cured) <= 1


@pytest.mark.parametrize(("most", "factor"), [(9.0, 4.0), (2.55, 2.5), (1.5, 1.5), (1.1, None)])
def test_as_much_of_a_longer_run_is_raced_as_can_be_paid(most: float, factor: float | None) -> None:
    dose = candidate(LONGER).dose(most)

    assert (dose and dose.remedy.options["factor"]) == factor
    assert candidate(NORMALIZE).dose(most) == candidate(NORMALIZE)


def test_more_epochs_are_raced_for_as_long_as_the_budget_lasts() -> None:
    search = searched(lambda model, share: share**2, Candidates((candidate(LONGER),)), budget=4)

    assert [(c.remedy.fix, c.remedy.options) for c in search.kept] == [("more-epochs", {"factor": 1.5})]
    assert search.track.purse.runs <= 4.01


def test_a_substitute_that_shows_at_once_is_raced_instead_of_more_epochs() -> None:
    search = searched(
        lambda model, share: share * (1 + holds(model, Standardize)), Candidates((candidate(LONGER, STANDARDIZE),))
    )

    assert fixes(search) == ["standardize-inputs"]


def test_where_the_substitute_does_nothing_the_money_goes_into_more_epochs() -> None:
    search = searched(lambda model, share: share**2, Candidates((candidate(LONGER, STANDARDIZE),)), budget=6)

    assert fixes(search) == ["more-epochs"]


def test_an_optimizer_with_a_rate_of_its_own_and_a_rate_are_not_tried_together() -> None:
    slower = Remedy("set-learning-rate", {"factor": 0.1})
    findings = tuple(
        Finding("it does not learn", name=name, place="hyperparameters", severity=Severity.WARNING, kind="cause",
                fixes=(remedy,))
        for name, remedy in (("high-learning-rate", slower), ("unsuitable-optimizer", Remedy("use-adam")))
    )  # fmt: skip

    (first,) = candidates(Report(findings), Experiment(build, EPOCHS)).chosen

    assert first.remedy == slower and first.causes == ("high-learning-rate",) and first.others == (Remedy("use-adam"),)
    (joint,) = joined([candidate(slower)], [candidate(Remedy("use-adam"))])
    assert joint.remedy == slower and joint.others == (Remedy("use-adam"),)


def test_a_rate_that_changes_nothing_is_not_lowered_for_ever() -> None:
    rate = replace(candidate(Remedy("set-learning-rate", {"factor": 0.1})), tuning=True)
    meeting = searched(
        lambda model, share: share * holds(model, nn.BatchNorm1d), Candidates((candidate(NORMALIZE),)), budget=10
    ).meeting

    tuned = Screening(meeting, lambda given, share: Report(())).tuned((candidate(NORMALIZE), rate), 0.15)

    assert tuned[1].remedy.options == {"factor": 0.1}
