"""The benchmark's own soundness: every case builds, names real faults, and differs from its twin."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from cases.case import Case, Healthy, Program, faulty_cases, healthy_cases
from cases.data import Absent
from torchdoctor.experiment import Experiment
from torchdoctor.parts import Parts
from torchdoctor.probes.batch import as_batch

FAULTY, HEALTHY = faulty_cases(), healthy_cases()
NAMES = Path(__file__).parents[2].parent / "shared" / "design" / "faults.md"
KNOWN = (
    "unscaled-inputs",
    "unscaled-targets",
    "redundant-output-activation",
    "wrong-output-activation",
    "missing-output-activation",
    "saturating-activation",
    "symmetric-init",
    "badly-scaled-init",
    "high-learning-rate",
    "low-learning-rate",
    "missing-zero-grad",
    "misplaced-zero-grad",
    "frozen-parameters",
    "missing-parameters",
    "detached-graph",
    "eval-mode-training",
    "broadcast-loss",
    "mixed-batch",
    "too-few-epochs",
    "invalid-labels",
    "non-finite-inputs",
    "train-mode-evaluation",
    "stale-graph",
    "misused-scheduler",
    "negative-learning-rate",
    "strong-dropout",
    "strong-regularization",
    "weak-regularization",
    "large-batch",
    "tight-clipping",
    "unshuffled-training",
    "repeated-batch",
    "slow-data-loading",
    "growing-memory",
    "precision-loss",
    "unshuffled-split",
    "leaked-validation",
    "missing-hidden-activation",
    "missing-normalization",
    "wrong-output-width",
    "ignored-input",
    "mode-insensitive-layer",
    "unregistered-parameter",
    "wrong-loss",
    "summed-loss",
    "unstable-loss",
    "dominant-penalty",
    "unsuitable-optimizer",
    "small-batch",
    "insufficient-capacity",
    "excessive-depth",
    "swapped-dimensions",
    "repeated-augmentation",
    "non-deterministic-run",
    "corrupted-labels",
    "noisy-labels",
    "duplicate-samples",
    "outlying-samples",
    "grad-enabled-inference",
    "shortcut-features",
)  # causes that the rules know


def built(program: Program) -> tuple[Experiment, Parts]:
    try:
        experiment = program()
        return experiment, experiment.build(0)
    except Absent as why:
        pytest.skip(str(why))


@pytest.mark.parametrize("case", FAULTY, ids=lambda c: c.name)
def test_a_faulty_program_and_its_twin_build_and_differ(case: Case) -> None:
    (sick, sick_parts), (well, well_parts) = built(case.faulty), built(case.fixed)
    assert described(sick, sick_parts) != described(well, well_parts)


@pytest.mark.parametrize("case", HEALTHY, ids=lambda c: c.name)
def test_a_healthy_recipe_builds_and_gives_a_finite_loss(case: Healthy) -> None:
    _, parts = built(case.experiment)
    batch = as_batch(next(iter(parts.train)))
    loss = parts.loss_fn(parts.model(*batch.inputs), batch.target)
    assert torch.isfinite(loss).all()


@pytest.mark.parametrize("case", [*FAULTY, *HEALTHY], ids=lambda c: c.name)
def test_a_program_is_the_same_when_built_twice(case: Case | Healthy) -> None:
    program = case.faulty if isinstance(case, Case) else case.experiment
    (_, first), (_, second) = built(program), built(program)
    assert all(torch.equal(a, b) for a, b in zip(first.model.state_dict().values(), second.model.state_dict().values()))


@pytest.mark.parametrize("case", [c for c in FAULTY if c.where is not None], ids=lambda c: c.name)
def test_where_names_modules_or_parameters_of_the_faulty_model(case: Case) -> None:
    model = built(case.faulty)[1].model
    known = {name for name, _ in (*model.named_modules(), *model.named_parameters())}
    assert set(case.where or ()) <= known


def test_faults_are_names_of_the_vocabulary() -> None:
    if not NAMES.is_file():
        pytest.skip("../shared/design/faults.md, the list of fault names, is absent")
    known = set(re.findall(r"^\| ([a-z-]+) \|", NAMES.read_text("utf-8"), re.MULTILINE))
    used = {name for case in FAULTY for names in case.truths() for name in names}
    assert used <= known


def test_every_cause_that_the_first_rules_know_has_cases_of_two_tasks() -> None:
    tasks: dict[str, set[str]] = {}
    for case in FAULTY:
        for names in case.truths():
            for name in names:
                tasks.setdefault(name, set()).add(case.task)
    assert {name: sorted(tasks.get(name, ())) for name in KNOWN if len(tasks.get(name, ())) < 2} == {}


def test_the_benchmark_is_not_small() -> None:
    assert len(FAULTY) >= 110
    assert len(HEALTHY) >= 80


def described(experiment: Experiment, parts: Parts) -> tuple[str, ...]:
    """All that a program is made of, as text: what a twin must differ in somewhere."""
    batches = [as_batch(raw) for loader in (parts.train, parts.val or ()) for raw in loader]
    shown = [
        str(parts.model),
        str(vars_of(parts.model)),
        str(parts.loss_fn),
        str(parts.optimizer),
        str(experiment.epochs),
    ]
    shown += [str(settings_of(getattr(parts.train, "dataset", parts.train)))]
    shown += [str(inside(parts.loss_fn)), *(str(inside(f)) for f in getattr(parts.scheduler, "lr_lambdas", ()))]
    shown += [str([p.requires_grad for p in parts.model.parameters()]), str(held(parts)), loop_of(experiment)]
    shown += [str([float(p.detach().double().sum()) for p in parts.model.parameters()])]
    shown += [str([(b.inputs[0].double().sum(), b.target.double().sum(), b.target.shape) for b in batches])]
    shown += [str([b.inputs[0].double().flatten()[::7].sum() for b in batches])]  # the order within a sample
    return tuple(shown)


def vars_of(model: torch.nn.Module) -> list[dict[str, object]]:
    return [{k: v for k, v in vars(m).items() if isinstance(v, (bool, int, float, str))} for m in model.modules()]


def settings_of(data: object) -> dict[str, object]:
    """How a dataset of the case's own reads its samples."""
    return {k: v for k, v in getattr(data, "__dict__", {}).items() if isinstance(v, (bool, int, float, str))}


def inside(function: object) -> object:
    """What a loss, or a function of a schedule, computes with: settings of modules, what a function closes over."""
    if isinstance(function, torch.nn.Module):
        return vars_of(function)
    cells = [c.cell_contents for c in getattr(function, "__closure__", None) or ()]
    keywords = getattr(function, "keywords", {})
    return [v for v in (*cells, *keywords.values()) if isinstance(v, (bool, int, float, str))]


def held(parts: Parts) -> list[bool]:
    ids = {id(p) for group in parts.optimizer.param_groups for p in group["params"]}
    return [id(p) in ids for p in parts.model.parameters()]


def loop_of(experiment: Experiment) -> str:
    """The loop and what it closes over."""
    if experiment.fit is None:
        return ""
    code = experiment.fit.__code__
    return str((code.co_code, code.co_consts, [c.cell_contents for c in experiment.fit.__closure__ or ()]))
