"""A small transformer encoder for text: token ids in, class scores out.

Vaswani and others, Attention is all you need, arXiv:1706.03762; normalised before each block (arXiv:2002.04745).
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from torchdoctor.models.gru import mean_of_tokens
from torchdoctor.models.layers import activation as activation_layer


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
        padding: int | None = None,
    ) -> None:
        """input_shape: (length,). vocabulary: number of different ids. padding: the id that fills up short texts, which
        is neither looked at nor counted."""
        super().__init__()
        self.padding = padding
        (length,) = input_shape
        self.embedding = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(torch.randn(length, width) * 0.02)
        layer = nn.TransformerEncoderLayer(
            width, heads, 4 * width, dropout, activation=activation_layer(activation), batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.fc = nn.Linear(width, outputs)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embedding(ids) + self.positions[: ids.shape[1]]
        x = self.encoder(x, src_key_padding_mask=self._hidden(ids))
        return cast(Tensor, self.fc(mean_of_tokens(self.norm(x), ids, self.padding)))

    def _hidden(self, ids: Tensor) -> Tensor | None:
        """Where attention must not look; the first place stays open, or a text of padding alone would give NaN."""
        if self.padding is None:
            return None
        hidden = ids == self.padding
        return hidden & (torch.arange(ids.shape[1], device=ids.device) > 0)
