"""Modes, chance, and whether samples know of each other."""

from __future__ import annotations

import torch
from faults import lstm_that_takes_samples_for_time, on_digits, plain, softmax_over_the_batch, view_for_permute_on_ids
from measuring import measured
from programs import convolutions, loader, mlp, recurrent, split, text
from torch import Tensor, nn

from torchdoctor.parts import Parts
from torchdoctor.probes.train_eval import train_eval


def test_healthy_nets_keep_samples_apart_to_the_bit() -> None:
    for build in (mlp, convolutions, recurrent, text):
        values, _ = measured(train_eval, build())
        assert values["mixing", ""] < 1e-5, build.__name__


def test_mixed_samples_are_measured_and_named() -> None:
    assert measured(train_eval, softmax_over_the_batch())[0]["mixing", ""] > 0.1
    values, facts = measured(train_eval, lstm_that_takes_samples_for_time())
    assert values["mixing", ""] > 0.05 and facts["mixed_sample"] == 31  # the first sees no other, the last sees all
    assert measured(train_eval, view_for_permute_on_ids())[0]["mixing", ""] > 0.05


class MomentsFirst(nn.Module):
    """What a CTC loss takes: (moments, samples, classes), by a view of (samples, channels, moments) or as it should."""

    def __init__(self, view: bool) -> None:
        super().__init__()
        self.features, self.output, self.view = nn.Conv1d(1, 6, 3, padding=1), nn.Linear(6, 5), view

    def forward(self, x: Tensor) -> Tensor:
        samples, channels, moments = (features := self.features(x)).shape
        rows = features.view(moments, samples, channels) if self.view else features.permute(2, 0, 1)
        return torch.log_softmax(self.output(rows), 2)


def ctc(output: Tensor, target: Tensor) -> Tensor:
    samples = target.shape[0]
    lengths = torch.full((samples,), len(output)), torch.full((samples,), target.shape[1])
    return nn.functional.ctc_loss(output, target, *lengths)


def test_samples_behind_the_moments_are_kept_apart_too() -> None:
    torch.manual_seed(0)
    for view in (True, False):
        model = MomentsFirst(view)
        optimizer = torch.optim.Adam(model.parameters())
        data = loader(torch.randn(64, 1, 24), torch.randint(1, 5, (64, 4)))
        mixing = measured(train_eval, Parts(model, ctc, optimizer, data))[0]["mixing", ""]
        assert mixing > 0.1 if view else mixing < 1e-5


def test_dropout_is_noise_in_training_alone() -> None:
    values, _ = measured(train_eval, convolutions())
    assert values["eval_noise", ""] == 0
    assert values["train_noise", ""] > 0.01 and values["mode_gap", ""] > 0.01


def test_a_net_without_modes_has_neither_noise_nor_gap() -> None:
    values, _ = measured(train_eval, mlp())
    assert values["train_noise", ""] == values["eval_noise", ""] == values["mode_gap", ""] == 0


def test_dropout_that_does_not_follow_eval_is_noise_there() -> None:
    class Always(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(64, 10)

        def forward(self, x: Tensor) -> Tensor:
            return nn.functional.dropout(self.fc(x.flatten(1)), 0.5, training=True)

    values, _ = measured(train_eval, on_digits(Always()))
    assert values["eval_noise", ""] > 0.1
    assert ("mixing", "") not in values  # what chance changes would be taken for the neighbours' doing


class Graph(nn.Module):
    """Nodes of one graph: neighbours are meant to be seen."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(5, 3)

    def forward(self, nodes: Tensor, links: Tensor) -> Tensor:
        return links @ self.fc(nodes)


def test_the_nodes_of_a_graph_are_no_samples() -> None:
    model = Graph()
    graph = (torch.randn(20, 5), torch.rand(20, 20), torch.randint(0, 3, (20,)))
    parts = Parts(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters()), [graph] * 2)
    assert ("mixing", "") not in measured(train_eval, parts)[0]


def test_the_moments_of_a_sequence_are_no_samples() -> None:
    class Steps(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.out = nn.GRU(4, 6), nn.Linear(6, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.out(self.rnn(x)[0])

    model = Steps()
    batches = loader(torch.randn(8, 12, 4), torch.randn(8, 12, 1), batch_size=8)
    batches.collate_fn = lambda items: tuple(torch.stack(t, 1) for t in zip(*items, strict=True))  # (T, N, F)
    parts = Parts(model, nn.MSELoss(), torch.optim.Adam(model.parameters()), batches)
    assert ("mixing", "") not in measured(train_eval, parts)[0]


def test_a_loss_that_compares_samples_mixes_nothing() -> None:
    def contrastive(output: Tensor, target: Tensor) -> Tensor:
        close = nn.functional.normalize(output) @ nn.functional.normalize(output).T
        return nn.functional.cross_entropy(close / 0.1, torch.arange(len(output)))

    parts = on_digits(plain())
    assert measured(train_eval, Parts(parts.model, contrastive, parts.optimizer, parts.train))[0]["mixing", ""] == 0


def test_outputs_that_depend_on_no_input_mix_nothing() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 1))
    nn.init.zeros_(model[1].weight)
    x, y = torch.rand(40, 1, 8, 8), torch.rand(40, 1)
    parts = split(model, nn.MSELoss(), torch.optim.Adam(model.parameters()), x, y)
    assert ("mixing", "") not in measured(train_eval, parts)[0]


class LastRow(nn.Module):
    """Reads pictures row by row and answers by the last output, of what it takes for the moments or for the samples."""

    def __init__(self, batch_first: bool) -> None:
        super().__init__()
        self.rnn, self.out = nn.GRU(8, 12, batch_first=batch_first), nn.Linear(12, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.rnn(x)[0][:, -1])


def on_rows(x: Tensor, *, batch_first: bool) -> Parts:
    model = LastRow(batch_first)
    return split(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters()), x, torch.arange(len(x)) % 3)


def test_samples_are_mixed_through_numbers_that_are_the_same_in_all_of_them() -> None:
    torch.manual_seed(0)
    x = torch.rand(64, 6, 8)
    x[:, -1] = 0  # the rim of a picture, and all that reaches the answer
    assert measured(train_eval, on_rows(x, batch_first=False))[0]["mixing", ""] > 0.01
    assert measured(train_eval, on_rows(x, batch_first=True))[0]["mixing", ""] < 1e-5


class LastWord(nn.Module):
    def __init__(self, words: int, *, batch_first: bool) -> None:
        super().__init__()
        self.embedding, self.reader = nn.Embedding(words, 8), LastRow(batch_first)

    def forward(self, ids: Tensor) -> Tensor:
        return self.reader(self.embedding(ids))


def test_samples_are_mixed_through_the_padding_of_sentences() -> None:
    torch.manual_seed(0)
    ids = torch.randint(1, 20, (64, 6))
    ids[:, -1] = 0
    for batch_first in (False, True):
        model = LastWord(20, batch_first=batch_first)
        parts = split(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters()), ids, torch.arange(64) % 3)
        mixing = measured(train_eval, parts)[0]["mixing", ""]
        assert mixing < 1e-5 if batch_first else mixing > 0.01


def test_a_model_that_refuses_numbers_in_disorder_is_asked_about_copies_alone() -> None:
    class Columns(nn.Module):
        """The first column is looked up, with fewer entries than the second has numbers."""

        def __init__(self) -> None:
            super().__init__()
            self.rows, self.out = nn.Parameter(torch.randn(3, 4)), nn.Linear(5, 3)

        def forward(self, x: Tensor) -> Tensor:
            looked_up = nn.functional.embedding(x[:, 0].long(), self.rows)
            return self.out(torch.cat([looked_up, x[:, 1:]], 1))

    x = torch.stack([torch.arange(64) % 3, torch.arange(64)], 1).float()
    model = Columns()
    parts = split(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters()), x, torch.arange(64) % 3)
    assert measured(train_eval, parts)[0]["mixing", ""] < 1e-5
