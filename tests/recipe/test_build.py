"""From a recipe to parts that train: the same for the same seed, with our names and with your own functions."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from torchdoctor.errors import BadParts, BadRecipe
from torchdoctor.experiment import Experiment
from torchdoctor.models.names import ACTIVATIONS, INITS, MODELS, NORMALIZATIONS, OUTPUTS, READS_IDS
from torchdoctor.recipe.names import OPTIMIZERS, SCHEDULES
from torchdoctor.recipe.schema import Recipe
from torchdoctor.train.log import History
from torchdoctor.train.score import score

DEEP = ("vgg13", "vgg19", "resnet34", "resnet50", "resnet101", "resnet152")  # as their shallow kin, for a minute
SMALL = {"data": {"limit": 100, "scale": "standard"}, "model": {"name": "mlp", "args": {"hidden": [16]}},
         "train": {"device": "cpu", "threads": 1, "epochs": 2}}  # fmt: skip
MINE = """
from typing import Literal
import numpy as np
import torch
from torch import nn
from torch.utils.data import TensorDataset

def table(root=None, seed=0, n=60):
    random = np.random.default_rng(seed)
    x = random.normal(5, [1, 10, 100], (n, 3))
    return x, x @ [1.0, 0.1, 0.01]

def six(seed):
    x, y = torch.randn(40, 5), torch.randint(0, 4, (40,))
    return x[:20], y[:20], x[20:30], y[20:30], x[30:], y[30:]

def texts():
    return torch.randint(0, 30, (80, 7)), torch.randint(0, 3, (80,))

def numbered():
    return torch.randn(40, 5), torch.arange(40) * 10**6

def one_class():
    return torch.randn(40, 5), torch.ones(40).long()

def single_numbers():
    return torch.randn(40), torch.arange(40) % 2

def waves():
    return torch.randn(40, 5, dtype=torch.complex64), torch.arange(40) % 2

def kinds(kind: Literal["old", "new"] | None = None, share: float = 0.1):
    return torch.randn(40, 5), torch.arange(40) % 2

def sets(seed):
    x = torch.randn(40, 5)
    data = TensorDataset(x, (x.sum(1) > 0).long())
    return torch.utils.data.Subset(data, range(30)), torch.utils.data.Subset(data, range(30, 40))

class Net(nn.Module):
    def __init__(self, outputs, width=4):
        super().__init__()
        self.layers = nn.Sequential(nn.LazyLinear(width), nn.Tanh(), nn.Linear(width, outputs))
        self.layers(torch.zeros(1, 5))

    def forward(self, x):
        return self.layers(x)

def plain_net():
    return nn.Linear(5, 2)

class Stream(torch.utils.data.IterableDataset):
    def __iter__(self):
        yield torch.randn(5), torch.tensor(1)

def stream():
    return Stream()

def pixels():
    y = torch.randint(0, 3, (24, 6, 5))
    y[:, 0] = 255
    return torch.randn(24, 2, 6, 5), y

class PerPixel(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.conv = nn.Conv2d(2, outputs, 1)

    def forward(self, x):
        return self.conv(x)

def no_net():
    return 3

def squared(output, target, scale=1.0):
    return scale * (output - target).square().mean()

not_callable = 3
"""


@pytest.fixture
def mine(module_of: Callable[[str], str]) -> str:
    return module_of(MINE)


def recipe(**patch) -> Recipe:
    return Recipe.from_dict(SMALL).patched({key.replace("__", "."): value for key, value in patch.items()})


def trained(described: Recipe, seed: int = 0) -> History:
    experiment = described.experiment()
    history = History(experiment.epochs)
    experiment.fit(experiment.build(seed), history)
    return history


def test_the_experiment_says_what_it_was_made_from_and_reads_nothing_yet():
    described = recipe(data__name="mnist", data__root="/nowhere")
    experiment = described.experiment()
    assert isinstance(experiment, Experiment) and experiment.epochs == 2
    assert Recipe.from_dict(experiment.recipe) == described
    with pytest.raises(BadParts, match="no folder"):
        experiment.build(0)


def test_the_same_seed_builds_and_trains_the_same_and_another_seed_does_not():
    described = recipe(model__args={"hidden": [16], "dropout": 0.2})
    one, same, other = trained(described), trained(described), trained(described, seed=1)
    assert one.numbers == same.numbers != other.numbers


def test_parts_of_one_experiment_share_the_data_but_neither_weights_nor_order():
    experiment = recipe().experiment()
    a, b = experiment.build(0), experiment.build(1)
    assert a.train.x is b.train.x
    assert not torch.equal(a.model[1].weight, b.model[1].weight)
    assert not torch.equal(next(iter(a.train))[1], next(iter(b.train))[1])


def test_a_second_build_is_the_first_again_even_when_the_data_draw_random_numbers(mine):
    experiment = recipe(data__name=f"{mine}:six", data__scale="none").experiment()
    assert torch.equal(experiment.build(0).model[1].weight, experiment.build(0).model[1].weight)


def test_scaling_uses_training_samples_only_and_reaches_the_test_part():
    described = recipe(data__limit=None)
    parts, test = described.experiment().build(0), described.test()
    assert parts.train.x.mean().abs() < 1e-5 and (parts.train.x.std() - 1).abs() < 1e-3
    assert 1e-5 < test.x.mean().abs() < 0.1
    raw = recipe(data__limit=None, data__scale="none").experiment().build(0).train.x
    assert raw.min() == 0 and raw.max() == 255 and raw.dtype == torch.float32
    assert torch.equal(recipe(data__limit=None, data__scale="unit").experiment().build(0).train.x, raw / 255)
    assert torch.allclose(
        recipe(data__limit=None, data__scale=[10.0, 2.0]).experiment().build(0).train.x, (raw - 10) / 2
    )


@pytest.mark.parametrize(
    "patch",
    [{"model.name": name, "model.args": {}} for name in MODELS if name not in (*READS_IDS, *DEEP)]
    + [{"model.activation": name} for name in ACTIVATIONS]
    + [{"model.output": name, "loss.name": "nll" if name == "log-softmax" else "cross-entropy"} for name in OUTPUTS]
    + [{"model.init": name} for name in INITS]
    + [{"model.normalization": name} for name in NORMALIZATIONS]
    + [{"optimizer.name": name, "optimizer.weight_decay": 0.01} for name in OPTIMIZERS if name != "lbfgs"]
    + [{"optimizer.name": "lbfgs"}, {"loss.also": {"multi-margin": 0.5}, "loss.l1": 1e-5, "loss.l2": 1e-4}]
    + [{"train.ema": 0.99, "train.monitor": "val_loss"}, {"train.swa": 0.5}, {"train.clip_value": 1e-3}]
    + [{"schedule.name": name, "schedule.warmup": 0.5} for name in SCHEDULES if name != "one-cycle"]
    + [{"schedule.name": name} for name in SCHEDULES]
    + [
        {"optimizer.momentum": 0.9, "optimizer.args.nesterov": True},
        {"train.precision": "bf16"},
        {"train.accumulate": 3},
    ]
    + [{"train.clip_norm": 1.0, "train.patience": 1}, {"data.shuffle": False}, {"loss.args.label_smoothing": 0.1}],
    ids=str,
)
def test_every_name_and_option_of_the_schema_trains(patch):
    history = trained(recipe().patched({"train.epochs": 1, **patch}))
    assert history.numbers["train_loss"][0] == history.numbers["train_loss"][0]


def test_users_tables_models_and_losses_are_found_in_the_current_folder(mine):
    described = recipe(
        data__name=f"{mine}:table", data__args={"n": 50}, data__limit=None, data__target_scale="standard",
        loss__name=f"{mine}:squared", loss__args={"scale": 2.0}, optimizer__lr=0.05, train__epochs=60,
    )  # fmt: skip
    parts = described.experiment().build(0)
    assert parts.model(parts.train.x).shape == (35, 1)
    assert parts.train.x.mean(0).abs().max() < 1e-5 and parts.train.y.std(correction=0).item() == pytest.approx(1)
    assert trained(described).numbers["val_score"][-1] > 0.5


def test_targets_of_a_regression_fit_the_mean_squared_error(mine):
    described = recipe(data__name=f"{mine}:table", loss__name="mse", data__target_scale="standard", train__epochs=60)
    assert trained(described).numbers["val_score"][-1] > 0.5


def test_divided_data_and_data_sets_are_taken_as_they_come(mine):
    six = recipe(data__name=f"{mine}:six").experiment().build(0)
    assert [len(six.train.x), len(six.val.x)] == [20, 10]
    sets = recipe(data__name=f"{mine}:sets", data__scale="none", data__limit=None, model__name=f"{mine}:Net",
                  model__args={"outputs": 2, "width": 9}, train__epochs=20, optimizer__lr=0.1)  # fmt: skip
    assert trained(sets).numbers["train_score"][-1] > 0.8 and sets.test() is None
    assert trained(sets).numbers == trained(sets).numbers


def test_token_ids_stay_whole_numbers_and_their_count_reaches_the_model(mine):
    described = recipe(
        data__name=f"{mine}:texts", data__scale="none", model__name="transformer", model__args={"width": 8, "layers": 1}
    )
    parts = described.experiment().build(0)
    assert parts.train.x.dtype == torch.int64 and parts.model.embedding.num_embeddings == 30
    assert len(trained(described).numbers["epoch"]) == 2


def test_labels_of_pixels_make_an_output_for_each_class(mine):
    ignoring = {"loss.args": {"ignore_index": 255}, "data.scale": "none", "data.batch_size": 8, "model.args": {}}
    described = recipe().patched({**ignoring, "data.name": f"{mine}:pixels", "model.name": f"{mine}:PerPixel"})
    assert described.experiment().build(0).model.conv.out_channels == 3
    assert all(0 < loss < 5 for loss in trained(described).numbers["val_loss"])


def test_a_model_of_ones_own_is_offered_only_what_it_takes(mine):
    sets = {"data.name": f"{mine}:sets", "data.scale": "none", "data.limit": None}
    plain = recipe().patched({**sets, "model.name": f"{mine}:plain_net", "model.args": {}, "model.output": "softmax"})
    assert isinstance(plain.experiment().build(0).model[0], nn.Linear)
    with pytest.raises(BadRecipe, match=r"model\.activation = 'tanh': .*takes no activation"):
        plain.patched({"model.activation": "tanh"}).experiment().build(0)


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ({"model.name": "no_such_pkg.mod:Net"}, "model.name = 'no_such_pkg.mod:Net': there is no module 'no_such_pkg'"),
        ({"model.name": "torchdoctor.models.lenet5:LeNet"}, "has no 'LeNet'. Did you mean 'LeNet5'?"),
        ({"model.name": "MINE:not_callable"}, "is a int; it must be a class or function"),
        ({"model.name": "MINE:no_net", "model.args": {}}, "made a int"),
        ({"model.args": {"hiden": [3]}}, "model.args.hiden: MLP takes no 'hiden'. Did you mean 'hidden'?"),
        ({"model.name": "transformer", "model.args": {}}, "model.name = 'transformer' reads token ids"),
        ({"data.name": "MINE:texts", "data.scale": "none"}, "model.name = 'mlp' reads decimals"),
        ({"optimizer.args": {"eps": 1e-8}}, "optimizer.args.eps: SGD takes no 'eps'"),
        ({"optimizer.name": "adam", "optimizer.momentum": 0.9}, "optimizer.momentum = 0.9: adam takes no momentum"),
        (
            {"loss.args": {"weights": 1}},
            "loss.args.weights: CrossEntropyLoss takes no 'weights'. Did you mean",
        ),
        ({"schedule": {"name": "cosine", "args": {"T": 1}}}, "schedule.args.T: CosineAnnealingLR takes no 'T'"),
        ({"data.root": "/data"}, "data.root = '/data': data set 'digits' takes no root"),
        ({"data.args": {"n": 3}}, "data.args.n: digits takes no 'n'"),
        ({"data.target_scale": "standard"}, "the targets are classes"),
        ({"data.name": "MINE:texts"}, "data.scale = 'standard': the inputs are whole numbers"),
        ({"data.name": "MINE:sets"}, "returns data sets; let it do this itself"),
        ({"data.name": "MINE:no_net"}, "MINE:no_net returned a int"),
        ({"data.name": "MINE:numbered"}, "up to 39,000,000, which makes 39,000,001 classes of 40 samples"),
        ({"data.name": "MINE:stream", "data.scale": "none", "data.limit": None}, "gives a stream (IterableDataset)"),
        ({"data.name": "MINE:one_class"}, "All 28 training targets are '1'"),
        ({"data.name": "MINE:single_numbers"}, "each sample of 'MINE:single_numbers' is a single one: return x[:"),
        ({"data.name": "MINE:waves"}, "MINE:waves gives complex numbers"),
        (
            {"data.name": "MINE:kinds", "data.args": {"kind": "olt"}},
            "must be 'old', 'new' or None. Did you mean 'old'?",
        ),
        ({"train.device": "cuda:97"}, "device 'cuda:97' is not there"),
    ],
)
def test_what_cannot_be_built_is_told_in_one_line_with_the_key(mine, patch, said):
    named = {key: value.replace("MINE", mine) if isinstance(value, str) else value for key, value in patch.items()}
    with pytest.raises((BadRecipe, BadParts)) as refused:
        recipe().patched(named).experiment().build(0)
    assert said.replace("MINE", mine) in str(refused.value) and "\n" not in str(refused.value)


def test_the_test_part_is_scaled_and_scored_like_the_others():
    described = recipe(data__limit=None, train__epochs=15, optimizer__momentum=0.9, optimizer__lr=0.05)
    experiment = described.experiment()
    parts = experiment.build(0)
    experiment.fit(parts, History(15))
    assert score(parts.model, described.test()) > 0.9


def test_the_builder_knows_the_names_of_the_classes():
    assert Recipe.from_dict({"data": {"name": "iris"}, "model": {"name": "mlp"}}).experiment().build.classes == (
        "setosa",
        "versicolor",
        "virginica",
    )
