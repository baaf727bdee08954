"""Where neighbours lie in the inputs, and where the first layer looks for them."""

from __future__ import annotations

from judging import judged, names
from torch import Tensor, nn, optim, rand, randint, stack

from torchdoctor.parts import Parts
from torchdoctor.probes.axis_order import axis_order
from torchdoctor.rules.model.swapped_dimensions import swapped_dimensions


def coloured(n: int = 16, size: int = 12) -> Tensor:
    """Smooth pictures (n, size, size, 3), each colour of its own."""
    return nn.functional.interpolate(rand(n, 3, 4, 4), size, mode="bilinear").permute(0, 2, 3, 1)


def parts(x: Tensor, model: nn.Module) -> Parts:
    batches = [(x, randint(0, 2, (len(x),)))]
    return Parts(model, nn.CrossEntropyLoss(), optim.SGD(model.parameters(), 0.1), batches)


def convolution(channels: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(channels, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2))


def found(x: Tensor, model: nn.Module) -> list[str]:
    model(x)  # lazy layers take their size
    return names(judged(parts(x, model), [axis_order], swapped_dimensions))


def test_a_reshape_in_the_place_of_a_permutation_is_seen() -> None:
    x = coloured()
    assert found(x.reshape(16, 3, 12, 12), convolution(3)) == ["swapped-dimensions"]
    assert found(x.permute(0, 3, 1, 2).contiguous(), convolution(3)) == []


def test_pictures_with_their_colours_last_are_seen() -> None:
    assert found(coloured(), convolution(12)) == ["swapped-dimensions"]


def test_a_network_that_reads_rows_of_numbers_has_no_order_to_mistake() -> None:
    dense = nn.Sequential(nn.Flatten(), nn.LazyLinear(8), nn.ReLU(), nn.Linear(8, 2))
    assert found(coloured().reshape(16, 3, 12, 12), dense) == []


class Last(nn.Module):
    def __init__(self, features: int) -> None:
        super().__init__()
        self.memory, self.head = nn.GRU(features, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.memory(x)[0][:, -1])


def test_a_recurrent_network_that_is_handed_one_long_step_is_seen() -> None:
    waves = nn.functional.interpolate(rand(16, 1, 6), 40, mode="linear")
    assert found(waves, Last(40)) == ["swapped-dimensions"]
    assert found(waves.transpose(1, 2).contiguous(), Last(1)) == []


def test_sensors_in_the_order_of_a_convolution_over_time_are_no_fault() -> None:
    sensors = stack([nn.functional.interpolate(rand(16, 1, 6), 40, mode="linear")[:, 0] for _ in range(3)], 1)
    over_time = nn.Sequential(nn.Conv1d(3, 4, 5), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2))
    across = nn.Sequential(nn.Conv1d(40, 4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2))
    assert found(sensors, over_time) == []
    assert found(sensors.transpose(1, 2).contiguous(), across) == ["swapped-dimensions"]
