"""What every fix promises, and what each does to live parts."""

from __future__ import annotations

import ast
import subprocess
import sys
import warnings
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR, StepLR
from torch.utils.data import DataLoader, TensorDataset

from torchdoctor.discover import discover
from torchdoctor.errors import BadParts, BadUnit
from torchdoctor.experiment import Experiment, Log
from torchdoctor.fixes.fix import Fix, code_of, resolve
from torchdoctor.judge.finding import Remedy
from torchdoctor.judge.judge import all_rules
from torchdoctor.parts import Parts
from torchdoctor.train.log import History

FIXES = discover("fixes", Fix)
NEEDED: dict[str, dict[str, Any]] = {
    "set-learning-rate": {"lr": 0.01},
    "drop-samples": {"rows": (0, 5)},
    "anneal-rate": {"epochs": 4},
}


def parts(model: nn.Module | None = None, **optimizer: Any) -> Parts:
    torch.manual_seed(0)
    model = model or nn.Sequential(nn.Linear(6, 8), nn.Sigmoid(), nn.Linear(8, 3), nn.Softmax(1))
    batches = [(3 + 5 * torch.randn(16, 6), torch.randint(0, 3, (16,))) for _ in range(3)]
    return Parts(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), **{"lr": 0.1, **optimizer}), batches)


def pictures() -> Parts:
    """A small convolutional net in which every structure that a fix changes is there."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(4),
        nn.Flatten(), nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 3),
    )  # fmt: skip
    batches = [(torch.randn(16, 1, 8, 8), torch.randint(0, 3, (16,))) for _ in range(3)]
    return Parts(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.1), batches)


def parts_for(name: str) -> Parts:
    """Parts to which the fix applies."""
    if name in ("replace-large-kernels", "use-depthwise", "use-bottleneck", "use-global-pooling"):
        return pictures()
    if name == "add-hidden-activation":
        return parts(nn.Sequential(nn.Linear(6, 8), nn.Linear(8, 3)))
    if name == "register-parameters":
        return parts(Unlisted())
    if name == "skip-layers":
        return parts(nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 3)))
    if name == "drop-samples":
        return numbered()
    if name == "fill-missing":
        return gaps()
    if name == "seed-workers":
        before = parts()
        data = TensorDataset(torch.cat([x for x, _ in before.train]), torch.cat([y for _, y in before.train]))
        return replace(before, train=DataLoader(data, 16, num_workers=1))
    if name == "match-output-width":
        return replace(regression(), model=nn.Linear(6, 3))
    return regression() if name in ("standardize-targets", "use-squared-error") else parts()


class Unlisted(nn.Module):
    """Its first layer lies in a plain list, which parameters() does not look into."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = [nn.Linear(6, 8)]
        self.output = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.output(torch.relu(self.layers[0](x)))


def regression() -> Parts:
    torch.manual_seed(0)
    model = nn.Linear(6, 1)
    batches = [(x, 1000 + 50 * x[:, :1]) for x in torch.randn(3, 16, 6)]
    return Parts(model, nn.MSELoss(), torch.optim.SGD(model.parameters(), lr=0.1), batches)


def numbered() -> Parts:
    """Samples that have numbers."""
    before = parts()
    x, y = (torch.cat(column) for column in zip(*before.train))
    return replace(before, train=DataLoader(TensorDataset(x, y), batch_size=16))


def gaps() -> Parts:
    """The first column is 5 on the whole, and missing here and there."""
    before = parts()
    batches = [(x.clone(), y) for x, y in before.train]
    for x, _ in batches:
        x[:, 0] = 5
        x[::4, 0] = torch.nan
    return replace(before, train=batches)


def applied(name: str, before: Parts, /, **options: Any) -> Parts:
    return resolve(Remedy(name)).apply(before, **options)


def trained(p: Parts, steps: int = 3) -> Parts:
    for _ in range(steps):
        for x, y in p.train:
            p.optimizer.zero_grad()
            p.loss_fn(p.model(x), y).backward()
            p.optimizer.step()
    return p


# -- all of them ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fix", FIXES.values(), ids=FIXES.keys())
def test_its_page_says_what_it_does_and_its_code_is_python(fix: Fix) -> None:
    assert fix.doc[0].isupper() and "." in fix.doc
    ast.parse(fix.code(**NEEDED.get(fix.name, {})).replace("return ", ""))


@pytest.mark.parametrize("fix", FIXES.values(), ids=FIXES.keys())
def test_what_it_is_handed_stays_as_it_was(fix: Fix) -> None:
    before = parts_for(fix.name)
    if fix.name == "unfreeze":
        before.model[0].weight.requires_grad_(False)
    weights = {k: v.clone() for k, v in before.model.state_dict().items()}
    names, groups = str(before.model), str(before.optimizer)
    frozen = [p.requires_grad for p in before.model.parameters()]
    if fix.name == "match-target-shape":
        before = Parts(before.model, before.loss_fn, before.optimizer, [(x, torch.randn(48)) for x, _ in before.train])

    numbers = torch.get_rng_state()
    fix.apply(before, **NEEDED.get(fix.name, {}))

    if fix.name != "reinitialize":  # it draws weights
        assert torch.equal(torch.get_rng_state(), numbers)
    assert all(torch.equal(v, weights[k]) for k, v in before.model.state_dict().items())
    assert (str(before.model), str(before.optimizer)) == (names, groups)
    assert [p.requires_grad for p in before.model.parameters()] == frozen
    assert before.model.training and all(p.grad is None for p in before.model.parameters())


@pytest.mark.parametrize("fix", FIXES.values(), ids=FIXES.keys())
def test_what_comes_out_trains_all_of_its_weights(fix: Fix) -> None:
    before = parts_for(fix.name)
    if fix.name == "unfreeze":
        before.model[0].weight.requires_grad_(False)
    if fix.name == "match-target-shape":
        before = Parts(before.model, nn.MSELoss(), before.optimizer, [(x, torch.randn(48)) for x, _ in before.train])
    after = fix.apply(before, **NEEDED.get(fix.name, {}))
    weights = {n: p.detach().clone() for n, p in after.model.named_parameters() if p.ndim > 1}

    trained(after)

    assert all(not torch.equal(dict(after.model.named_parameters())[n], old) for n, old in weights.items())


def test_every_remedy_that_a_rule_names_is_a_fix_with_these_options() -> None:
    for rule in all_rules():
        for trace in rule.examples("FIRES").values():
            for remedy in (r for finding in rule.judge(trace) for r in finding.fixes):
                assert code_of(remedy), (rule.name, remedy)
                assert not set(remedy.options) - set(resolve(remedy).options), (rule.name, remedy)


def test_an_option_a_fix_does_not_have_is_refused() -> None:
    experiment = Experiment(lambda seed: parts(), epochs=1)
    with pytest.raises(BadUnit, match="no option"):
        resolve(Remedy("clip-gradients")).on(experiment, norm=1.0)


def test_code_is_shown_where_torch_is_not_installed() -> None:
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from torchdoctor.discover import discover; from torchdoctor.fixes.fix import Fix\n"
        "needed = {'set-learning-rate': {'lr': 1}}\n"
        "assert all(f.code(**needed.get(f.name, {})) for f in discover('fixes', Fix).values())"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


# -- data -------------------------------------------------------------------------------------------------------------


def test_standardised_inputs_reach_the_model_with_zero_mean_and_unit_scale() -> None:
    seen: list[Tensor] = []
    after = applied("standardize-inputs", parts())
    after.model.model.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    for x, _ in after.train:
        after.model(x)
    seen_all = torch.cat(seen)

    assert torch.allclose(seen_all.mean(0), torch.zeros(6), atol=1e-5)
    assert torch.allclose(seen_all.std(0, correction=0), torch.ones(6), atol=1e-5)


def test_the_statistics_are_saved_with_the_weights() -> None:
    state = applied("standardize-inputs", parts()).model.state_dict()

    assert state["before.0.mean"].shape == (6,)


@pytest.mark.parametrize(("shape", "kept"), [((8, 3, 5, 5), (3, 1, 1)), ((8,), ()), ((8, 4), (4,))])
def test_statistics_are_of_channels_and_columns(shape: tuple[int, ...], kept: tuple[int, ...]) -> None:
    from torchdoctor.fixes.moments import moments

    assert moments(torch.randn(shape)).mean.shape == kept


def test_in_sequences_the_features_are_where_sizes_differ() -> None:
    from torchdoctor.fixes.moments import moments

    x = torch.randn(50, 7, 3) * torch.tensor([1.0, 100.0, 0.01])

    assert moments(x).mean.shape == (1, 3)
    assert moments(x.transpose(1, 2)).mean.shape == (3, 1)


def test_constant_columns_and_bad_values_do_not_spoil_the_statistics() -> None:
    from torchdoctor.fixes.moments import moments

    x = torch.tensor([[1.0, 5.0], [3.0, 5.0], [torch.nan, torch.inf]])
    found = moments(x)

    assert found.mean.tolist() == [2.0, 5.0]
    assert found.std.tolist() == [1.0, 1.0]


def test_token_ids_are_not_standardised() -> None:
    model = nn.Sequential(nn.Embedding(10, 4), nn.Flatten(), nn.Linear(12, 3))
    before = parts(model)
    ids = Parts(model, before.loss_fn, before.optimizer, [(torch.randint(0, 10, (4, 3)), torch.tensor([0, 1, 2, 0]))])

    with pytest.raises(BadParts, match="ids stay"):
        applied("standardize-inputs", ids)


def test_a_model_of_scaled_targets_answers_in_the_units_of_the_data() -> None:
    before = regression()
    after = trained(applied("standardize-targets", before), 60)
    x, y = before.train[0]

    assert float(F.mse_loss(after.model(x), y).detach()) < 1
    assert float(after.loss_fn(after.model(x), y).detach()) < 1e-3


def test_a_loop_may_still_call_what_the_model_itself_has() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = nn.Linear(6, 8), nn.Linear(8, 3)

        def encode(self, x: Tensor) -> Tensor:
            return self.body(x)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.encode(x))

    after = applied("standardize-inputs", parts(Net())).model

    assert after.encode(torch.zeros(1, 6)).shape == (1, 8)
    with pytest.raises(AttributeError):
        after.decode  # noqa: B018


# -- model ------------------------------------------------------------------------------------------------------------


class Functional(nn.Module):
    """Its activations are calls, and one of them is the output."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.c(torch.tanh(self.b(torch.sigmoid(self.a(x))))))


def test_hidden_calls_that_saturate_are_replaced_and_the_output_is_not() -> None:
    model = Functional()
    after = applied("replace-activation", parts(model), to="relu").model
    x = torch.randn(5, 6)

    assert torch.allclose(after(x), torch.sigmoid(model.c(F.relu(model.b(F.relu(model.a(x)))))))


def test_hidden_modules_that_saturate_are_replaced_and_the_output_is_not() -> None:
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3), nn.Sigmoid())
    after = applied("replace-activation", parts(model), to="gelu").model

    assert [type(m) for m in after] == [nn.Linear, nn.GELU, nn.Linear, nn.Sigmoid]


@pytest.mark.parametrize("model", [nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3)), nn.Linear(6, 3)])
def test_activations_that_do_not_saturate_are_left_alone(model: nn.Module) -> None:
    with pytest.raises(BadParts, match="none to replace"):
        applied("replace-activation", parts(model))


def test_an_activation_nobody_knows_is_named_with_the_nearest() -> None:
    with pytest.raises(BadParts, match="Did you mean 'relu'"):
        applied("replace-activation", parts(), to="relo")


def test_weights_that_were_all_alike_are_drawn_apart() -> None:
    before = parts()
    for p in before.model.parameters():
        nn.init.constant_(p, 0.5)
    after = applied("reinitialize", before, scheme="he")

    assert len(after.model[0].weight.unique()) == 48
    assert all(p is q for p, q in zip(after.model.parameters(), after.optimizer.param_groups[0]["params"]))


def test_convolutions_sequences_and_tables_each_get_their_normalisation() -> None:
    image = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(36, 3))
    before = parts(image)
    batches = [(torch.randn(4, 3, 5, 5), torch.tensor([0, 1, 2, 0]))]
    after = applied("normalize-layers", Parts(image, before.loss_fn, before.optimizer, batches))
    assert isinstance(after.model[0][1], nn.BatchNorm2d)

    sequence = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Flatten(), nn.Linear(20, 3))
    before = parts(sequence)
    batches = [(torch.randn(4, 5, 6), torch.tensor([0, 1, 2, 0]))]
    after = applied("normalize-layers", Parts(sequence, before.loss_fn, before.optimizer, batches))
    assert isinstance(after.model[0][1], nn.LayerNorm)


def test_dropout_acts_in_training_only() -> None:
    after = applied("add-dropout", parts(), p=0.5).model
    x = torch.randn(5, 6)

    assert not torch.equal(after(x), after(x))
    assert torch.equal(after.eval()(x), after(x))


# -- loss -------------------------------------------------------------------------------------------------------------


def test_targets_are_compared_with_their_own_output_only() -> None:
    before = regression()
    flat = Parts(before.model, nn.MSELoss(), before.optimizer, [(x, y[:, 0]) for x, y in before.train])
    after = applied("match-target-shape", flat)
    x, y = flat.train[0]

    assert after.loss_fn(after.model(x), y) == F.mse_loss(before.model(x), y[:, None])


# -- optimizer --------------------------------------------------------------------------------------------------------


def rates(p: Parts, epochs: int = 6) -> list[float]:
    seen = []
    for _ in range(epochs):
        seen.append(p.optimizer.param_groups[0]["lr"])
        trained(p, 1)
        p.scheduler.step()
    return seen


@pytest.mark.parametrize(
    "schedule",
    [
        lambda o: StepLR(o, 2, 0.5),
        lambda o: CosineAnnealingLR(o, 6),
        lambda o: OneCycleLR(o, 0.1, total_steps=20),
    ],
    ids=["step", "cosine", "one cycle"],
)
def test_a_schedule_keeps_its_shape_at_another_rate_and_over_another_model(schedule: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one, two, three = (parts() for _ in range(3))
        plain, slow, wrapped = (
            Parts(p.model, p.loss_fn, p.optimizer, p.train, None, schedule(p.optimizer)) for p in (one, two, three)
        )
        expected = rates(plain)
        assert rates(applied("set-learning-rate", slow, factor=0.1)) == pytest.approx([r / 10 for r in expected])
        assert rates(applied("standardize-inputs", wrapped)) == pytest.approx(expected)


def test_groups_keep_their_proportion_at_another_rate() -> None:
    model = nn.Sequential(nn.Linear(6, 8), nn.Linear(8, 3))
    groups = [{"params": model[0].parameters(), "lr": 0.1}, {"params": model[1].parameters(), "lr": 1.0}]
    before = Parts(model, nn.CrossEntropyLoss(), torch.optim.SGD(groups, lr=0.1), parts().train)
    after = applied("set-learning-rate", before, lr=0.01)

    assert [g["lr"] for g in after.optimizer.param_groups] == pytest.approx([0.01, 0.1])


def test_a_rate_must_be_given() -> None:
    with pytest.raises(BadUnit, match="needs lr or factor"):
        applied("set-learning-rate", parts())


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW, torch.optim.RMSprop])
def test_clipping_shortens_what_the_optimizer_gets_and_is_kept_by_later_changes(kind: Any) -> None:
    before = parts()
    before = Parts(before.model, before.loss_fn, kind(before.model.parameters(), lr=0.1), before.train)
    after = applied("standardize-inputs", applied("clip-gradients", before, max_norm=1e-3))
    got: list[float] = []

    def norm(optimizer: Any, *_: Any) -> None:
        got.append(float(torch.stack([p.grad.norm() for g in optimizer.param_groups for p in g["params"]]).norm()))

    after.optimizer.register_step_pre_hook(norm)
    trained(after, 1)

    assert got == pytest.approx([1e-3] * 3, rel=1e-3)  # once a step, and clipped before a watch sees it


def test_what_the_optimizer_was_not_given_comes_in_only_where_that_is_the_fix() -> None:
    model = nn.Sequential(nn.Linear(6, 8), nn.Linear(8, 3))
    before = Parts(model, nn.CrossEntropyLoss(), torch.optim.SGD(model[1].parameters(), lr=0.1), parts().train)

    assert _held(applied("standardize-inputs", before)) == 2
    assert _held(applied("set-learning-rate", before, lr=0.01)) == 2
    assert _held(applied("optimize-all-parameters", before)) == 4


def test_what_the_model_no_longer_has_leaves_the_optimizer() -> None:
    model, old = nn.Linear(6, 3), nn.Linear(6, 3)
    before = Parts(model, nn.CrossEntropyLoss(), torch.optim.SGD(old.parameters(), lr=0.1), parts().train)
    after = applied("optimize-all-parameters", before)

    assert {id(p) for p in after.optimizer.param_groups[0]["params"]} == {id(p) for p in model.parameters()}


def test_only_what_is_named_is_unfrozen() -> None:
    model = nn.Sequential(nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 3))
    for p in [*model[0].parameters(), *model[1].parameters()]:
        p.requires_grad_(False)
    before = Parts(model, nn.CrossEntropyLoss(), torch.optim.SGD(model[2].parameters(), lr=0.1), parts().train)
    after = applied("unfreeze", before, names=("1",))

    assert [n for n, p in after.model.named_parameters() if p.requires_grad] == [
        "1.weight",
        "1.bias",
        "2.weight",
        "2.bias",
    ]
    assert _held(after) == 4
    with pytest.raises(BadParts, match="is frozen"):
        applied("unfreeze", before, names=("2",))


def test_an_optimizer_without_decay_is_told_so() -> None:
    model = nn.Linear(6, 3)
    before = Parts(model, nn.CrossEntropyLoss(), torch.optim.LBFGS(model.parameters()), parts().train)

    with pytest.raises(BadParts, match="LBFGS has no weight_decay"):
        applied("add-weight-decay", before)


# -- loop -------------------------------------------------------------------------------------------------------------


def test_any_loop_that_logs_its_score_stops_early_and_goes_back_to_its_best() -> None:
    seen: list[int] = []

    def loop(p: Parts, log: Log) -> None:
        for epoch in range(log.epochs):
            seen.append(epoch)
            nn.init.constant_(p.model[0].weight, float(epoch))
            log(epoch=epoch, val_score=[0.1, 0.5, 0.9, 0.8, 0.7, 0.6, 0.5][epoch])

    experiment = resolve(Remedy("stop-early")).on(Experiment(lambda seed: parts(), 7, fit=loop), patience=2)
    built = experiment.build(0)
    assert experiment.fit is not None
    log = History(experiment.epochs)
    experiment.fit(built, log)

    assert seen == [0, 1, 2, 3, 4]
    assert bool((built.model[0].weight == 2).all())
    assert log.numbers["val_score"] == [0.1, 0.5, 0.9, 0.8, 0.7]


def test_an_experiment_with_a_fix_builds_it_in_each_time() -> None:
    experiment = Experiment(lambda seed: parts(), epochs=4, fit=lambda p, log: None)
    longer = resolve(Remedy("more-epochs")).on(experiment, factor=2.5)
    own = resolve(Remedy("use-own-loop")).on(experiment)

    assert (longer.epochs, longer.fit) == (10, experiment.fit)
    assert (own.epochs, own.fit) == (4, None)


def _held(p: Parts) -> int:
    return sum(len(g["params"]) for g in p.optimizer.param_groups)
