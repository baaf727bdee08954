"""A preparation is learnt from training samples alone, and does to new raw samples what it did to those."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from torchdoctor.data.columns import as_columns, kinds_of
from torchdoctor.data.digits import digits
from torchdoctor.data.preparation import Preparation, fitted, save_beside
from torchdoctor.data.samples import Samples, as_divided
from torchdoctor.data.steps.buckets import Buckets
from torchdoctor.data.steps.fill import Fill
from torchdoctor.data.steps.log import Log
from torchdoctor.data.steps.one_hot import OneHot
from torchdoctor.data.steps.scale import Scale
from torchdoctor.data.steps.tokens import Tokens
from torchdoctor.data.steps.whiten import Whiten
from torchdoctor.data.steps.words import Words
from torchdoctor.errors import BadParts

NAN = float("nan")
TEXTS = ["Free entry, win!", "see you at home", "win a free prize now", "home again"]


def samples(**columns) -> Samples:
    made = {name: np.array(values, object if isinstance(values[0], (str, type(None))) else float)
            for name, values in columns.items()}  # fmt: skip
    return Samples(made, torch.zeros(len(next(iter(made.values())))))


def prepared(data: Samples, *steps, **options) -> tuple[Preparation, torch.Tensor]:
    return fitted(data, steps or None, **options)


TABLE = samples(age=[20.0, NAN, 40, 30], town=["Oslo", "Rome", None, "Oslo"], pay=[0.0, 10, 100, 1000])


def test_what_a_table_needs_is_done_without_being_asked():
    preparation, x = prepared(TABLE)
    assert preparation.features == ("age", "town=Oslo", "town=Rome", "pay")
    assert x.tolist() == [[20, 1, 0, 0], [30, 0, 1, 10], [40, 0, 0, 100], [30, 1, 0, 1000]]


def test_new_samples_are_filled_coded_and_scaled_by_what_training_said():
    preparation, x = prepared(TABLE, scale="standard")
    new = preparation({"town": ["Paris", "Rome"], "pay": [10, None], "age": [None, "40"], "unused": [1, 2]})
    mean, std = x.new_tensor([30, 0.5, 0.25, 277.5]), np.std([[20, 1, 0, 0], [30, 0, 1, 10], [40, 0, 0, 100],
                                                              [30, 1, 0, 1000]], axis=0)  # fmt: skip
    expected = (torch.tensor([[30, 0, 0, 10], [40, 0, 1, 55]]) - mean) / torch.tensor(std)
    assert torch.allclose(new.double(), expected.double(), atol=1e-5)


@pytest.mark.parametrize(
    "raw",
    [
        {"age": [20.0], "town": ["Oslo"], "pay": [0]},
        [{"pay": 0.0, "age": 20, "town": "Oslo"}],
        {"age": np.array([20]), "town": ("Oslo",), "pay": torch.zeros(1)},
    ],
    ids=["columns", "rows", "arrays"],
)
def test_raw_samples_may_come_by_column_or_by_row(raw):
    preparation, x = prepared(TABLE)
    assert torch.equal(preparation(raw), x[:1])


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"age": [1], "town": ["Oslo"]}, "no column 'pay'. Known: age, town."),
        ({"age": ["old"], "town": ["x"], "pay": [1]}, "Column 'age', sample 0: 'old' is no number"),
        ({"age": [1, 2], "town": ["x"], "pay": [1]}, "different lengths"),
        (3, "The samples are a int"),
    ],
)
def test_raw_samples_that_training_could_not_have_seen_are_refused(raw, said):
    with pytest.raises(BadParts) as error:
        prepared(TABLE)[0](raw)
    assert said in str(error.value) and "\n" not in str(error.value)


EVERY = [
    (),
    (Fill(by="mean", mark=True), OneHot(), Whiten()),
    (Fill(("town",), by="most-frequent"), Fill(), OneHot(("town",))),
    (Fill(by=-1.0), Log(("pay",)), Buckets(("age",), count=3), OneHot(), Scale("standard"), Whiten(epsilon=0.1)),
    (Fill(), Fill(("town",), by="nowhere"), OneHot(), Scale(((1.0, 2.0, 3.0, 4.0, 5.0), 2.0))),
]


@pytest.mark.parametrize("steps", EVERY, ids=str)
@pytest.mark.parametrize("scale", ["none", "standard"])
def test_a_saved_preparation_does_to_raw_samples_what_training_saw(tmp_path, steps, scale):
    preparation, x = prepared(TABLE, *steps, scale=scale)
    preparation.save(tmp_path / "preparation")
    again = Preparation.load(tmp_path / "preparation")
    assert torch.equal(preparation(TABLE.x), x) and torch.equal(again(TABLE.x), x)
    assert again.features == preparation.features and again.steps[0] == preparation.steps[0]
    assert x.dtype == torch.float32 and not x.isnan().any()


numbers = st.floats(-1e6, 1e6) | st.just(NAN)
words = st.none() | st.text(max_size=4)


@settings(max_examples=40)
@given(rows=st.lists(st.tuples(numbers, words), min_size=2, max_size=20))
def test_any_table_goes_there_and_back(tmp_path_factory, rows):
    column = np.array([row[0] for row in rows])
    if np.isnan(column).all():
        column[0] = 1.0
    text = np.empty(len(rows), object)
    text[:] = [row[1] for row in rows]
    preparation, x = prepared(Samples({"n": column, "w": text}, torch.zeros(len(rows))), scale="standard")
    place = tmp_path_factory.mktemp("any") / "p"
    preparation.save(place)
    assert torch.equal(Preparation.load(place)({"n": column, "w": text}), x)
    assert torch.equal(preparation([{"n": n, "w": w} for n, w in rows[:1]]), x[:1]) or np.isnan(rows[0][0])


def test_pictures_are_scaled_by_training_and_come_back_the_same(tmp_path):
    train = as_divided(digits()).train
    preparation, x = fitted(train, (Whiten(),), scale="standard")
    preparation.save(tmp_path / "p")
    again = Preparation.load(tmp_path / "p")
    assert x.shape == (1797, 1, 8, 8) and torch.equal(again(train.x), x)
    assert torch.allclose(again(train.x[:3].numpy()), x[:3], atol=1e-4)  # a smaller product may round otherwise


def test_whitened_features_do_not_go_together_and_have_variance_one():
    torch.manual_seed(0)
    mixed = torch.randn(500, 6) @ torch.randn(6, 6) + 3
    _, x = fitted(Samples(mixed, torch.zeros(500)), (Whiten(epsilon=0),))
    assert torch.allclose(x.T.cov(correction=0), torch.eye(6), atol=1e-3) and x.mean(0).abs().max() < 1e-4


def test_a_feature_that_never_varies_survives_whitening():
    x = torch.cat([torch.randn(50, 2), torch.ones(50, 1)], 1)
    assert fitted(Samples(x, torch.zeros(50)), (Whiten(),))[1].isfinite().all()


def test_buckets_hold_equally_many_training_samples_and_take_any_number():
    data = samples(a=list(np.arange(100.0)))
    preparation, x = prepared(data, Buckets(count=4))
    assert x.sum(0).tolist() == [25, 25, 25, 25] and (x.sum(1) == 1).all()
    assert preparation({"a": [-1e9, 1e9, NAN]}).tolist() == [[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
    _, repeated = prepared(samples(a=[0.0] * 9 + [1.0]), Buckets(count=5))
    assert repeated.shape[1] <= 2


def test_the_logarithm_keeps_signs_and_zero():
    _, x = prepared(samples(a=[0.0, np.e - 1, 1 - np.e]), Log())
    assert x[:, 0].tolist() == pytest.approx([0, 1, -1])


@pytest.mark.parametrize("weights", ["count", "tf-idf"])
@pytest.mark.parametrize("ngrams", [1, 2])
def test_bags_of_words_are_those_of_scikit_learn(tmp_path, weights, ngrams):
    data = samples(say=TEXTS)
    preparation, x = prepared(data, Words(size=7, ngrams=ngrams, weights=weights))
    counter = (CountVectorizer if weights == "count" else TfidfVectorizer)(max_features=7, ngram_range=(1, ngrams))
    assert np.allclose(x, counter.fit_transform(TEXTS).toarray(), atol=1e-6)
    assert preparation.features == tuple(f"say: {term}" for term in counter.get_feature_names_out())
    preparation.save(tmp_path / "p")
    new = ["free home", "nothing known", ""]
    assert np.allclose(Preparation.load(tmp_path / "p")(new), counter.transform(new).toarray(), atol=1e-6)


def test_tokens_are_ranked_by_frequency_and_padded_and_unknown_words_have_one_id(tmp_path):
    preparation, ids = prepared(samples(say=TEXTS), Tokens())
    assert ids.shape == (4, 5) and ids.dtype == torch.int64
    assert preparation.steps[0].words[:3] == ("free", "home", "win")  # twice each, in the order of the alphabet
    assert ids[0, 0] == 2 and (ids[3] > 0).tolist() == [True, True, False, False, False]
    preparation.save(tmp_path / "p")
    again = Preparation.load(tmp_path / "p")
    assert again(["FREE zebra"]).tolist() == [[2, 1, 0, 0, 0]] and again.vocabulary == preparation.vocabulary
    assert int(ids.max()) < preparation.vocabulary


def test_the_vocabulary_can_be_small_texts_cut_and_rare_words_left_out():
    preparation, ids = prepared(samples(say=TEXTS), Tokens(size=4, length=2, least=2))
    assert preparation.vocabulary == 4 and ids.shape == (4, 2) and int(ids.max()) <= 3
    assert Tokens(lower=False).split("Win, win") == ["Win", ",", "win"]


def test_held_out_words_and_values_are_never_learnt():
    train, val = samples(say=["a b", "b c"]), samples(say=["zebra b"])
    preparation, _ = prepared(train, Tokens())
    assert "zebra" not in preparation.steps[0].words and preparation(val.x)[0, 0] == 1


def test_decimal_targets_are_scaled_and_given_back_in_their_units(tmp_path):
    data = Samples(torch.zeros(4, 1), torch.tensor([10.0, 20, 30, 40]))
    preparation, _ = fitted(data, target_scale="standard")
    scaled = preparation.target(data.y)
    preparation.save(tmp_path / "p")
    assert scaled.mean().abs() < 1e-6
    assert torch.allclose(Preparation.load(tmp_path / "p").in_units(scaled[:, None]), data.y[:, None])


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ((OneHot(),), "Column 'age' misses 1 of 4 values; put fill"),
        ((Fill(),), "Column 'town' holds text; put one-hot"),
        ((Log(("town",)),), "log is for columns of numbers; 'town' holds text"),
        ((Fill(("twon",)),), "no column 'twon'. Did you mean 'town'?"),
        ((Tokens(),), "takes one text column and no others"),
        ((Whiten(),), "holds text"),
        ((Fill(), OneHot(), Whiten(), Log()), "log is for columns of a table"),
    ],
    ids=str,
)
def test_steps_that_do_not_fit_the_data_say_which_would(step, said):
    with pytest.raises(BadParts) as error:
        prepared(TABLE, *step)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_a_column_of_names_is_no_category_and_an_empty_one_holds_nothing():
    with pytest.raises(BadParts, match=r"'who' has 30 different values in 30 samples"):
        prepared(samples(who=[f"name {i}" for i in range(30)]))
    with pytest.raises(BadParts, match=r"'a' has no value in any training sample"):
        prepared(samples(a=[NAN, NAN], b=[1.0, 2.0]))


def test_a_new_column_takes_no_other_ones_name():
    with pytest.raises(BadParts, match="two columns are called 'c=x'"):
        prepared(samples(**{"c": ["x", "y"], "c=x": [1.0, 2.0]}))


def test_columns_may_be_called_whatever_the_file_calls_its_own_things(tmp_path):
    data = samples(tensor=[1.0, NAN, 3], name=["x", "y", "x"], fields=[1.0, 2, 3], tensors=[0.0, 1, 0])
    preparation, x = prepared(data, Fill(("tensor",)), Fill(), OneHot(), scale="standard")
    preparation.save(tmp_path / "p")
    assert torch.equal(Preparation.load(tmp_path / "p")(data.x), x)


def test_what_is_no_preparation_or_names_other_code_is_refused(tmp_path):
    preparation, _ = prepared(TABLE)
    preparation.save(tmp_path / "p")
    file = tmp_path / "p.json"
    held = json.loads(file.read_text())
    held["facts"]["steps"][0]["name"] = "os:system"
    file.write_text(json.dumps(held))
    with pytest.raises(BadParts, match="no preparation that this version can read"):
        Preparation.load(tmp_path / "p")
    file.write_text("{")
    with pytest.raises(BadParts, match="not what torchdoctor stores"):
        Preparation.load(tmp_path / "p")
    with pytest.raises(BadParts, match="nothing stored"):
        Preparation.load(tmp_path / "q")


def test_only_loaders_that_know_a_preparation_leave_one(tmp_path):
    save_beside(object(), tmp_path)
    assert not list(tmp_path.iterdir())


def test_columns_keep_their_kinds():
    assert kinds_of(TABLE.x) == {"age": "number", "town": "text", "pay": "number"}
    assert as_columns({"a": [1, "2", None]}, {"a": "text"})["a"].tolist() == ["1", "2", None]
