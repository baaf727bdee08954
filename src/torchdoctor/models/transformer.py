"""A small transformer encoder for text: token ids in, class scores out.

Vaswani and others, Attention is all you need, arXiv:1706.03762; normalised before each block (arXiv:2002.04745).
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn


class TextTransformer(nn.Module):
    """Ids (N, length) int64 -> (N, outputs): embedding and learnt positions, encoder layers, mean over the tokens."""

    def __init__(
        self,
        input_shape: tuple[int, ...],
        outputs: int,
        *,
        vocabulary: int,
        width: int = 128,
        layers: int = 4,
        heads: int = 4,
        dropout: float = 0.0,
        activation: str = "relu",
    ) -> None:
        """input_shape: (length,). vocabulary: number of different ids. activation: "relu" or "gelu"."""
        super().__init__()
        (length,) = input_shape
        self.embedding = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(torch.randn(length, width) * 0.02)
        layer = nn.TransformerEncoderLayer(
            width, heads, 4 * width, dropout, activation=activation, batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.fc = nn.Linear(width, outputs)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.encoder(self.embedding(ids) + self.positions[: ids.shape[1]])
        return cast(Tensor, self.fc(self.norm(x).mean(1)))
