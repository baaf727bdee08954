"""A recurrent network for text: gated recurrent units, read from both ends.

Cho and others, Learning phrase representations using RNN encoder-decoder, arXiv:1406.1078.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn


class GRU(nn.Module):
    """Ids (N, length) int64 -> (N, outputs): embedding, recurrent layers, mean over the tokens, one dense layer."""

    def __init__(
        self,
        input_shape: tuple[int, ...],
        outputs: int,
        *,
        vocabulary: int,
        width: int = 64,
        layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.0,
        padding: int | None = None,
    ) -> None:
        """vocabulary: number of different ids. width: numbers of an embedding, and units of a layer and direction.
        dropout: between recurrent layers and before the last. padding: the id that fills up short texts, whose places
        do not count in the mean."""
        super().__init__()
        self.padding = padding
        self.embedding = nn.Embedding(vocabulary, width, padding_idx=padding)
        between = dropout if layers > 1 else 0.0  # torch warns of dropout where nothing is between
        self.gru = nn.GRU(width, width, layers, batch_first=True, dropout=between, bidirectional=bidirectional)
        self.drop = nn.Dropout(dropout)
        self.fc = nn.Linear(width * (2 if bidirectional else 1), outputs)

    def forward(self, ids: Tensor) -> Tensor:
        states, _ = self.gru(self.embedding(ids))
        return cast(Tensor, self.fc(self.drop(mean_of_tokens(states, ids, self.padding))))


def mean_of_tokens(states: Tensor, ids: Tensor, padding: int | None) -> Tensor:
    """(N, length, width) -> (N, width), over the places that hold a token; zeros for a text that has none."""
    if padding is None:
        return states.mean(1)
    real = (ids != padding)[..., None]
    return torch.where(real, states, 0.0).sum(1) / real.sum(1).clamp(min=1)
