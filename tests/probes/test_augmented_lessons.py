"""What a loader changes at random is asked for what it leaves of the labels."""

from __future__ import annotations

from collections.abc import Callable

import torch
from judging import judged, names, traced
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from torchdoctor.parts import Parts
from torchdoctor.probes.augmented_lessons import augmented_lessons
from torchdoctor.rules.data.destructive_augmentation import destructive_augmentation


class Changed(Dataset):
    """Digits, each changed anew whenever it is read."""

    def __init__(self, x: Tensor, y: Tensor, change: Callable[[Tensor], Tensor]) -> None:
        self.x, self.y, self.change = x, y, change

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.change(self.x[index]), self.y[index]


def turned_any_way(picture: Tensor) -> Tensor:
    picture = picture.rot90(int(torch.randint(0, 4, ())), (1, 2))
    return picture.flip(2) if torch.rand(()) < 0.5 else picture


def lightened(picture: Tensor) -> Tensor:
    return picture * (0.8 + 0.4 * torch.rand(()))


def drowned(picture: Tensor) -> Tensor:
    return picture + 3 * torch.randn_like(picture)


def parts(change: Callable[[Tensor], Tensor] | None) -> Parts:
    x, y = load_digits(return_X_y=True)
    x, y = torch.tensor(x / 16, dtype=torch.float32).reshape(-1, 1, 8, 8), torch.tensor(y)
    data = TensorDataset(x[:1200], y[:1200]) if change is None else Changed(x[:1200], y[:1200], change)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    train = DataLoader(data, 64, shuffle=True, generator=torch.Generator().manual_seed(0))
    return Parts(model, nn.CrossEntropyLoss(), optimizer, train, DataLoader(TensorDataset(x[1200:], y[1200:]), 200))


def found(change: Callable[[Tensor], Tensor]) -> list[str]:
    return names(judged(parts(change), [augmented_lessons], destructive_augmentation))


def test_digits_that_are_turned_any_way_are_told() -> None:
    assert found(turned_any_way) == ["destructive-augmentation"]


def test_noise_that_drowns_them_is_told() -> None:
    assert found(drowned) == ["destructive-augmentation"]


def test_light_that_varies_is_not() -> None:
    assert found(lightened) == []


def test_samples_that_are_always_the_same_are_not_asked() -> None:
    assert traced(parts(None), augmented_lessons).data == {}


def test_random_numbers_are_where_they_were() -> None:
    given = parts(turned_any_way)
    before = torch.get_rng_state()
    first = traced(given, augmented_lessons).value("label_kept", "the loader")
    assert torch.equal(before, torch.get_rng_state())
    assert traced(given, augmented_lessons).value("label_kept", "the loader") == first
