"""Cure a Hugging Face model: a small BERT, drawn from its configuration, nothing is downloaded.

    pip install 'torchdoctor[neighbours]'
    python examples/hugging_face.py

It reads digits as sixteen words, which say how much ink there is on two by two pixels, and is trained from scratch at
the rate that suits fine-tuning.
"""

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from transformers import BertConfig, BertForSequenceClassification

import torchdoctor as td


class Classifier(nn.Module):
    """A model of the library, which answers with an object, as one that answers with scores."""

    def __init__(self) -> None:
        super().__init__()
        config = BertConfig(
            vocab_size=9, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
            max_position_embeddings=16, num_labels=10,
        )  # fmt: skip
        self.bert = BertForSequenceClassification(config)

    def forward(self, words: Tensor) -> Tensor:
        return self.bert(input_ids=words).logits


def build(seed: int) -> td.Parts:
    torch.manual_seed(seed)
    digits = load_digits()
    ink = torch.tensor(digits.images).reshape(-1, 4, 2, 4, 2).sum((2, 4)) // 8  # 0 .. 8
    x, y = ink.reshape(-1, 16).long(), torch.tensor(digits.target)
    model = Classifier()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-5)
    train = DataLoader(TensorDataset(x[:1000], y[:1000]), batch_size=25, shuffle=True)
    val = DataLoader(TensorDataset(x[1000:], y[1000:]), batch_size=500)
    return td.Parts(model, nn.CrossEntropyLoss(), optimizer, train, val)


if __name__ == "__main__":
    torch.set_num_threads(2)
    cure = td.cure(td.Experiment(build, epochs=6))
    cure.show()
    parts = cure.parts(seed=0)  # parts.model.bert.save_pretrained(...) when it is trained
    print(parts.optimizer)
