"""A bag of words: the mean of the embeddings of a text's tokens, then dense layers.

Joulin, Grave, Bojanowski, Mikolov, Bag of tricks for efficient text classification, arXiv:1607.01759 (fastText).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from torchdoctor.models.mlp import MLP


class EmbeddingBag(nn.Module):
    """Ids (N, length) int64 -> (N, outputs). The order of the tokens makes no difference."""

    def __init__(
        self,
        input_shape: tuple[int, ...],
        outputs: int,
        *,
        vocabulary: int,
        width: int = 64,
        hidden: Sequence[int] = (),
        activation: str = "relu",
        normalization: str = "none",
        dropout: float = 0.0,
        padding: int | None = None,
    ) -> None:
        """vocabulary: number of different ids. width: numbers of an embedding. hidden: units of hidden layers; without
        any the classifier is linear. dropout: of the mean and of hidden units. padding: the id that fills up short
        texts, which does not count."""
        super().__init__()
        self.embedding = nn.EmbeddingBag(vocabulary, width, mode="mean", padding_idx=padding)
        self.drop = nn.Dropout(dropout)
        self.head = MLP(
            (width,), outputs, hidden=hidden, activation=activation, normalization=normalization, dropout=dropout
        )

    def forward(self, ids: Tensor) -> Tensor:
        return cast(Tensor, self.head(self.drop(self.embedding(ids))))
