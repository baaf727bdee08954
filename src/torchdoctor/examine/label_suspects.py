"""Labels that do not go with their samples."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from torchdoctor.examine.examination import CannotTell, examination
from torchdoctor.examine.material import Material
from torchdoctor.examine.small_models import classifier
from torchdoctor.extra import needed
from torchdoctor.record.measurement import Fact, Measurement

ASKED = 20_000  # training samples looked at
FOLDS = 5
TRUSTED = 0.6  # share of labels the model must get right; a wrong label stands out among right ones only
KNOWN = 0.5  # of a class's own; what is said to be one of a class that the model does not know is no suspect
SURE, DENIED = 0.95, 0.02  # least probability of another class, most of the label: then the model is sure
NAMED = 60


@examination(
    order=6,
    measures={
        "label_suspects": "samples: of training whose label is probably wrong",
        "sure_suspects": "samples: among them, for which the model is sure of another class",
        "suspects_at_ease": "0..1: of a suspect and a sample whose label it gets right, how often the model is surer "
        "of the suspect; a half where wrong labels fall anywhere, less where suspects lie between overlapping classes",
        "suspect_samples": "samples: of training that were looked at",
        "out_of_fold_score": "0..1: share of labels a small model gets right that was not shown them",
    },
)
def label_suspects(material: Material) -> Iterator[Measurement | Fact]:
    """Confident learning over the out-of-fold probabilities of a small model, the least plausible label first.

    Northcutt, Jiang, Chuang, Confident Learning, JAIR 2021; cleanlab's own filter and ranking.
    """
    if material.task != "classes":
        return
    rows = material.rows("train", ASKED)
    x, y = material.features["train"][rows], material.labels("train")[rows]
    enough = np.flatnonzero(np.bincount(y) >= 2 * FOLDS)
    keep = np.isin(y, enough)
    rows, x, y = rows[keep], x[keep], np.searchsorted(enough, y[keep])
    if len(enough) < 2:
        return
    find = needed("cleanlab.filter", extra="labels").find_label_issues
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=material.seed)
    model = classifier(material.kind, x, material.seed)
    shares = cross_val_predict(model, x, y, cv=folds, method="predict_proba")
    guess, given = shares.argmax(1), shares[np.arange(len(y)), y]
    right = float((guess == y).mean())
    yield Measurement("suspect_samples", len(rows))
    yield Measurement("out_of_fold_score", right)
    if right < TRUSTED:
        raise CannotTell(f"a small model gets {right:.0%} of the labels right, too few for its doubts to mean anything")
    order = find(y, shares, filter_by="low_normalized_margin", return_indices_ranked_by="normalized_margin", n_jobs=1)
    known = np.bincount(y, guess == y) >= KNOWN * np.bincount(y)
    order = [i for i in order if guess[i] != y[i] and known[y[i]]]
    yield Measurement("label_suspects", len(order))
    yield Measurement("sure_suspects", sum(bool(shares[i].max() >= SURE and given[i] <= DENIED) for i in order))
    if order:
        at_rest = np.sort(shares.max(1)[guess == y])
        yield Measurement(
            "suspects_at_ease", float(np.searchsorted(at_rest, shares.max(1)[order]).mean() / len(at_rest))
        )
    named = [
        {"row": int(rows[i]), "label": int(enough[y[i]]), "looks_like": int(enough[guess[i]]),
         "probability": round(float(given[i]), 4)}
        for i in order[:NAMED]
    ]  # fmt: skip
    yield Fact("label_suspects", named)
    yield Fact("label_suspect_rows", [int(rows[i]) for i in order])
    yield Fact("label_suspect_classes", [int(enough[guess[i]]) for i in order])  # what each looks like
