"""Short races: nothing more is tried where the plan learns; where it does not, what is tried tells the causes apart."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from measuring import measured
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from torchdoctor.parts import Parts
from torchdoctor.probes.bench import Batch
from torchdoctor.probes.short_races import short_races
from torchdoctor.probes.skips import Skip, with_skips
from torchdoctor.probes.wider import hidden_widths, widened


def quadrants(n: int = 256) -> tuple[Tensor, Tensor]:
    """Two classes that no line parts."""
    x = torch.randn(n, 2, generator=torch.Generator().manual_seed(1))
    return x, (x.prod(1) > 0).long()


def mlp(*widths: int) -> nn.Sequential:
    layers = [part for a, b in pairwise(widths) for part in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def parts(model: nn.Module, batch_size: int = 16, **settings: float) -> Parts:
    optimizer = torch.optim.Adam(model.parameters(), **{"lr": 1e-2, **settings})
    return Parts(model, nn.CrossEntropyLoss(), optimizer, DataLoader(TensorDataset(*quadrants()), batch_size))


def left(found: dict[tuple[str, str], float]) -> dict[str, float]:
    return {subject: value for (signal, subject), value in found.items() if signal == "raced_loss"}


def test_where_the_plan_learns_nothing_else_is_tried_and_nothing_changes() -> None:
    torch.manual_seed(0)
    healthy = parts(nn.Sequential(mlp(2, 32, 32), nn.Dropout(0.1), nn.Linear(32, 2)), lr=2e-2, weight_decay=1e-3)
    before = [p.clone() for p in healthy.model.parameters()]
    found, _ = measured(short_races, healthy)
    assert list(left(found)) == ["as planned"] and left(found)["as planned"] < 0.2
    assert all(torch.equal(a, b) for a, b in zip(before, healthy.model.parameters()))
    assert healthy.model[1].p == 0.1 and healthy.optimizer.param_groups[0]["weight_decay"] == 1e-3


def test_a_model_without_a_hidden_layer_is_raced_against_one_with() -> None:
    torch.manual_seed(0)
    found, _ = measured(short_races, parts(nn.Linear(2, 2)))
    reached = left(found)
    assert min(v for k, v in reached.items() if not k.startswith("wider")) > 0.6 > 0.3 > reached["wider x1"]
    assert found["raced_unseen_loss", "wider x1"] < 0.4 and found["hidden_width", ""] == 0


def test_an_autoencoder_is_narrow_on_purpose() -> None:
    torch.manual_seed(0)
    x = torch.randn(128, 6)
    model = mlp(6, 2, 6)
    data = DataLoader(TensorDataset(x, x), 16)
    found, _ = measured(short_races, Parts(model, nn.MSELoss(), torch.optim.Adam(model.parameters()), data))
    assert not any(name.startswith("wider") for name in left(found))


def test_small_batches_are_raced_against_larger_ones() -> None:
    torch.manual_seed(0)
    found, _ = measured(short_races, parts(mlp(2, 32, 2), batch_size=2, lr=0.3))
    assert {"as planned", "larger batches"} <= set(left(found))


def test_another_optimizer_is_tried_without_weight_decay_as_the_plan_is() -> None:
    torch.manual_seed(0)
    model = mlp(2, 32, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-5, weight_decay=100.0)
    data = DataLoader(TensorDataset(*quadrants()), 16)
    found, _ = measured(short_races, Parts(model, nn.CrossEntropyLoss(), optimizer, data))
    reached = left(found)
    assert reached["adam"] < reached["as planned"] - 0.05 < reached["rate x0.1"]


@pytest.mark.parametrize(
    "model",
    [
        mlp(4, 3, 5, 2),
        nn.Sequential(
            nn.Unflatten(1, (1, 2, 2)), nn.Conv2d(1, 3, 1), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(12, 2)
        ),
        nn.Sequential(nn.Linear(4, 6), nn.LayerNorm(6), nn.ReLU(), nn.Linear(6, 2)),
    ],
    ids=["dense", "convolution", "layer norm"],
)
def test_a_wider_twin_has_more_units_inside_and_the_same_shapes_outside(model: nn.Module) -> None:
    batch = Batch((torch.randn(5, 4),), None)
    before, state = hidden_widths(model, batch), torch.get_rng_state()
    twin = widened(model, batch, 4)
    assert twin is not None and twin(batch.inputs[0]).shape == (5, 2)
    assert hidden_widths(twin, batch) == {name: 4 * width for name, width in before.items()}
    assert hidden_widths(model, batch) == before and torch.equal(torch.get_rng_state(), state)


def test_a_recurrent_network_on_word_numbers_can_be_widened() -> None:
    class Reader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words, self.memory, self.head = nn.Embedding(9, 4), nn.GRU(4, 3, batch_first=True), nn.Linear(3, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.memory(self.words(x))[0][:, -1])

    twin = widened(Reader(), Batch((torch.zeros(5, 7, dtype=torch.int64),), None), 4)
    assert isinstance(twin, Reader) and twin.memory.hidden_size == 12 and twin.head.in_features == 12


def test_what_is_no_chain_is_not_widened() -> None:
    class Beside(nn.Module):
        """Its inputs come in again behind the hidden layer."""

        def __init__(self) -> None:
            super().__init__()
            self.hidden, self.head = nn.Linear(4, 3), nn.Linear(7, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(torch.cat([x, self.hidden(x)], 1))

    assert widened(Beside(), Batch((torch.randn(5, 4),), None), 4) is None


def test_layers_that_keep_their_shape_are_skipped_around_on_a_copy() -> None:
    torch.manual_seed(0)
    model, x = mlp(4, 6, 6, 6, 2), torch.randn(5, 4)
    twin, count = with_skips(model, Batch((x,), None))
    assert count == 2 and sum(isinstance(m, Skip) for m in twin.modules()) == 2
    assert not any(isinstance(m, Skip) for m in model.modules())
    hidden = torch.relu(model[0](x))
    assert torch.allclose(twin[:3](x), hidden + model[2](hidden))
