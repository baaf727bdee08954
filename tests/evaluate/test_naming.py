"""Numbers in words: what a text, a table's row and a sample are called."""

from __future__ import annotations

from pathlib import Path

import torch

from torchdoctor.evaluate.evaluate import evaluate
from torchdoctor.evaluate.naming import Naming, naming_of
from torchdoctor.evaluate.opened import Opened
from torchdoctor.evaluate.options import QUICK
from torchdoctor.recipe.schema import Recipe
from torchdoctor.show.evaluation_page import write_evaluation
from torchdoctor.train.run import train


def test_rows_are_words_or_named_columns():
    naming = Naming(features=("age", "pay"), words=("", "?", "ham", "<b>"), samples={"val": ["a.txt"]})
    assert naming.row(torch.tensor([2, 3, 1, 0, 0])) == "ham <b> ?"
    assert naming.row(torch.tensor([41.0, 2.5])) == "age 41, pay 2.5"
    assert Naming().row(torch.zeros(20)).endswith(", …") and Naming().row(torch.tensor([7])) == "7"
    assert naming.sample("val", 0) == "a.txt" and naming.sample("test", 3) == "#3"
    assert naming_of(object()) == Naming()


def test_texts_are_shown_as_their_words_and_html_in_them_is_escaped(tmp_path: Path):
    lines = [
        f"{'spam' if i % 3 == 0 else 'ham'}\t{'win <i>cash</i> now' if i % 3 == 0 else 'see you'} {i % 7}"
        for i in range(90)
    ]
    (tmp_path / "sms.tsv").write_text("label\ttext\n" + "\n".join(lines) + "\n")
    recipe = Recipe.from_dict({
        "data": {"name": "table", "root": str(tmp_path / "sms.tsv"), "target": "label", "text": "text"},
        "model": {"name": "embedding-bag"}, "train": {"epochs": 1, "device": "cpu", "threads": 1},
    })  # fmt: skip
    opened = Opened.of(train(recipe, tmp_path / "run").folder)
    loader = opened.loader("val")
    found = evaluate(opened.model, loader, on="val", classes=opened.naming.classes, options=QUICK)
    assert found.classes == ("ham", "spam")
    path = write_evaluation(found, tmp_path / "page.html", title="sms", loader=loader, naming=opened.naming)
    text = path.read_text("utf-8")
    assert "cash" in text and "<i>" not in text and "see you" in text
