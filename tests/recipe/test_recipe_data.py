"""What a recipe says of its data reaches the batches, the model, the loss and the run folder, or is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from waiting import HANGS

from torchdoctor.data.preparation import Preparation
from torchdoctor.data.prepared import Prepared
from torchdoctor.errors import BadParts, BadRecipe
from torchdoctor.recipe.build import Builder
from torchdoctor.recipe.schema import Recipe
from torchdoctor.train.log import History
from torchdoctor.train.run import train

SMALL = {"model": {"name": "mlp", "args": {"hidden": [8]}}, "train": {"device": "cpu", "threads": 1, "epochs": 2}}


def recipe(**patch) -> Recipe:
    return Recipe.from_dict(SMALL).patched({key.replace("__", "."): value for key, value in patch.items()})


def trained(described: Recipe) -> dict[str, list[float]]:
    experiment = described.experiment()
    history = History(experiment.epochs)
    experiment.fit(experiment.build(0), history)
    return history.numbers


@pytest.fixture
def people(tmp_path: Path) -> str:
    """200 people in 40 families over 200 days; who pays is rare; some ages are missing."""
    random = np.random.default_rng(0)
    age, town = random.integers(18, 80, 200), random.choice(["Oslo", "Rome", "Lima"], 200)
    pays = (age + 30 * (town == "Rome") + random.normal(0, 5, 200) > 85).astype(int)
    days = np.datetime64("2026-01-01") + random.permutation(200)
    rows = [
        f"{'' if i % 9 == 0 else age[i]},{town[i]},{'yes' if pays[i] else 'no'},{i % 40},{days[i]},{age[i] * 2.5},"
        + ("all is well", "call me now", "now all call")[i % 3]
        for i in range(200)
    ]
    (tmp_path / "people.csv").write_text("age,town,pays,family,day,rent,say\n" + "\n".join(rows) + "\n")
    return str(tmp_path / "people.csv")


def of(people: str, **patch) -> Recipe:
    usual = {"data__name": "table", "data__root": people, "data__target": "pays", "data__args": {"drop": ["say"]}}
    return recipe(**{**usual, **patch})


def test_a_split_that_leaves_one_class_to_train_on_is_refused(tmp_path):
    rows = "".join(f"{i},{i % 7},{'p' if i < 80 else 'q'}\n" for i in range(100))
    (tmp_path / "t.csv").write_text("day,a,y\n" + rows)
    with pytest.raises(BadParts, match="All 70 training targets are 'p'"):
        of(str(tmp_path / "t.csv"), data__target="y", data__time="day", data__args={}).experiment().build(0)


@pytest.mark.parametrize("name", ["iris", "wine", "breast-cancer"])
def test_embedded_tables_train(name):
    described = recipe(data__name=name, data__scale="standard", train__epochs=60, optimizer__lr=0.1)
    assert trained(described)["val_score"][-1] > 0.85


def test_a_table_trains_and_its_class_and_feature_names_are_kept(people):
    builder = Builder(of(people, data__group="family", data__time=None, data__args={"drop": ["say", "day"]}))
    parts = builder(0)
    made = builder.made
    assert made.classes == ("no", "yes") and parts.model(parts.train.x).shape[1] == 2
    assert made.preparation.features == ("age", "town=Lima", "town=Oslo", "town=Rome", "rent")
    assert [len(names) for names in made.names] == [
        len(x) for x in builder.data[0::2]
    ] and not parts.train.x.isnan().any()


def test_groups_stay_together_and_time_runs_forwards(people):
    def rows(described: Recipe) -> list[list[int]]:
        return [[int(name.split()[1]) for name in names] for names in Builder(described).made.names]

    families = [
        {i % 40 for i in part} for part in rows(of(people, data__group="family", data__args={"columns": ["age"]}))
    ]
    assert not families[0] & families[1] and not families[0] & families[2] and not families[1] & families[2]
    days = [line.split(",")[4] for line in Path(people).read_text().splitlines()[1:]]
    when = [[days[i] for i in part] for part in rows(of(people, data__time="day"))]
    assert max(when[0]) < min(when[1]) and max(when[1]) < min(when[2]) and len(when[0]) == 140


def test_steps_are_taken_in_their_order_and_scaled_last(people):
    steps = [{"log": ["rent"]}, {"fill": {"by": "mean", "mark": True}}, {"buckets": {"columns": ["rent"], "count": 3}},
             "one-hot", "whiten"]  # fmt: skip
    args = {"drop": ["say", "day", "family"]}
    builder = Builder(of(people, data__features=steps, data__scale="standard", data__args=args))
    train, names = builder.data.train_x, builder.made.preparation.features
    assert names[:2] == ("age", "age missing") and len(names) == 8 and train.shape[1] == 8
    assert train.mean(0).abs().max() < 1e-4 and (train.std(0, correction=0) - 1).abs().max() < 0.1


def test_decimals_of_a_table_are_learnt_in_scaled_units(people):
    described = of(
        people,
        data__target="rent",
        data__target_scale="standard",
        data__scale="standard",
        data__args={"columns": ["age", "town"]},
        loss__name="mse",
        optimizer__lr=0.1,
        train__epochs=40,
    )
    parts = described.experiment().build(0)
    assert parts.train.y.shape[1] == 1 and abs(parts.train.y.mean().item()) < 1e-5
    assert trained(described)["val_score"][-1] > 0.8


def test_text_of_a_table_becomes_token_ids_and_the_model_knows_how_many(people):
    reader = {"name": "transformer", "args": {"width": 8, "layers": 1}}
    described = of(people, data__text="say", data__args={}, model=reader)
    builder = Builder(described)
    parts = builder(0)
    assert parts.train.x.dtype == torch.int64 and parts.train.x.shape[1] == 3
    assert parts.model.embedding.num_embeddings == builder.made.preparation.vocabulary == 2 + 6
    bag = of(people, data__text="say", data__args={}, data__features=[{"words": {"size": 4}}])
    assert Builder(bag).data.train_x.shape[1] == 4


def test_weights_go_into_the_loss_and_a_sampler_into_the_batches(people):
    args = {"data__args": {"drop": ["say", "day", "family"]}}
    plain, weighted = (of(people, data__balance=b, **args).experiment().build(0) for b in ("none", "weights"))
    counts = plain.train.y.bincount()
    expected = len(plain.train.y) / (2 * counts)
    assert plain.loss_fn.weight is None and torch.allclose(weighted.loss_fn.weight, expected)
    drawn = of(people, data__balance="sampler", **args).experiment().build(0).train
    seen = torch.cat([y for _ in range(20) for _, y in drawn]).bincount()
    assert counts[1] < 0.4 * counts[0] and abs(seen[1] / seen.sum() - 0.5) < 0.03
    assert trained(of(people, data__balance="weights", **args))["train_loss"][0] > 0


def test_the_run_folder_holds_what_a_service_needs_to_prepare_new_samples(people, tmp_path):
    described = of(people, data__args={"drop": ["say", "day", "family"]}, data__scale="standard")
    run = train(described, tmp_path / "run")
    again = Preparation.load(tmp_path / "run" / "preparation")
    row = {"age": [30], "town": ["Rome"], "rent": [75.0]}
    assert torch.equal(again(row), Builder(described).made.preparation(row)) and again.classes == ("no", "yes")
    assert run.model.eval()(again(row)).shape == (1, 2)


def test_pictures_of_a_folder_train_by_size_and_channels(tmp_path):
    for part in ("train", "test"):
        for value, name in enumerate(("dark", "light")):
            for i in range(8):
                (tmp_path / part / name).mkdir(parents=True, exist_ok=True)
                Image.new("RGB", (10 + i, 12), (200 * value + i,) * 3).save(tmp_path / part / name / f"{i}.png")
    described = recipe(
        data__name="images",
        data__root=str(tmp_path),
        data__size=9,
        data__channels=1,
        data__scale="standard",
        data__split=[0.5, 0.5, 0],
        train__epochs=20,
        optimizer__lr=0.1,
    )
    builder = Builder(described)
    assert builder.data.train_x.shape == (8, 1, 9, 9) and builder.made.classes == ("dark", "light")
    assert builder.made.names[2][0] == "test/dark/0.png" and trained(described)["train_score"][-1] == 1


def test_stored_data_are_trained_on_as_they_are(people, tmp_path):
    described = of(people, data__args={"drop": ["say", "day", "family"]}, data__scale="standard")
    described.prepared().save(tmp_path / "store")
    again = recipe(data__name="stored", data__root=str(tmp_path / "store"))
    assert trained(again) == trained(described)
    assert isinstance(Builder(again).made, Prepared) and Builder(again).made.classes == ("no", "yes")
    with pytest.raises(BadRecipe, match=r"data\.scale = 'unit': stored is prepared data"):
        again.patched({"data.scale": "unit"}).experiment().build(0)


def test_decimals_that_are_stored_and_read_again_keep_their_shape(people, tmp_path):
    described = of(people, data__target="rent", data__args={"columns": ["age"]}, loss__name="mse", optimizer__lr=1e-5)
    described.prepared().save(tmp_path / "store")
    again = recipe(data__name="stored", data__root=str(tmp_path / "store"), loss__name="mse", optimizer__lr=1e-5)
    assert trained(again) == trained(described)


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ({"data.features": ["fil"]}, "data.features = 'fil': must be fill, one-hot"),
        ({"data.features": "fill"}, "data.features = 'fill': must be a list of names"),
        ({"data.features": [{"log": ["a"], "fill": {}}]}, "must be a list of names, {name: [columns]}"),
        ({"data.split_by": "group"}, "data.split_by = 'group': needs the column: data.group"),
        ({"data.split_by": "random", "data.time": "day"}, "leaves data.time without effect"),
        ({"data.group": "family", "data.time": "day"}, "must be group or time, since both columns are named"),
        ({"data.balance": "both"}, "data.balance = 'both': must be 'none', 'weights' or 'sampler'"),
        ({"data.channels": 2}, "data.channels = 2: must be 1, 3 or 4"),
        ({"data.size": 0}, "data.size = 0: "),
    ],
)
def test_options_that_make_no_sense_are_refused_when_the_recipe_is_read(patch, said):
    with pytest.raises(BadRecipe) as error:
        recipe().patched(patch)
    assert said in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("patch", "said"),
    [
        ({"data.features": [{"log": ["ages"]}]}, "log: there is no column 'ages'. Did you mean 'age'?"),
        ({"data.features": [{"log": {"colums": ["age"]}}]}, "data.features[0].log.colums: Log takes no 'colums'"),
        ({"data.features": ["fill", {"buckets": {"count": "ten"}}]}, "data.features[1].buckets = {'count': 'ten'}"),
        ({"data.features": [{"whiten": ["age"]}]}, "data.features[0].whiten.columns: Whiten takes no 'columns'"),
        ({"data.target": "pay"}, "has no column 'pay'. Did you mean 'pays'?"),
        ({"data.target": None}, "which column is to be learnt?"),
        ({"data.args.separatr": ";"}, "data.args.separatr: table takes no 'separatr'"),
        ({"data.size": 3}, "data.size = 3: data set 'table' takes no size"),
        ({"data.name": "digits", "data.root": None, "data.args": {}}, "data.target = 'pays': data set 'digits' takes"),
        ({"data.target": "rent", "data.balance": "weights", "loss.name": "mse"}, "data.balance is for classes"),
        ({"data.args.drop": []}, "one-hot: column 'day'"),
        ({"data.balance": "weights", "loss.name": "mse"}, "mse takes no weight; use sampler"),
        ({"data.name": "mnist", "data.target": None, "data.args": {}}, "data.root is"),
    ],
)  # fmt: skip
def test_data_that_do_not_fit_the_recipe_are_told_in_one_line(people, patch, said):
    with pytest.raises((BadRecipe, BadParts)) as error:
        of(people, data__args={"drop": ["day"]}).patched(patch).experiment().build(0)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_old_recipes_are_read_as_they_were():
    old = {"data": {"name": "digits", "root": None, "batch_size": 64, "shuffle": True, "scale": "none",
                    "target_scale": "none", "split": [0.7, 0.2, 0.1], "limit": None, "args": {}}}  # fmt: skip
    assert Recipe.from_dict(old) == Recipe()
    new = recipe(data__features=[{"log": ["a"]}, "fill"], data__size=[3, 4], data__balance="sampler")
    assert Recipe.from_dict(json.loads(json.dumps(new.to_dict()))) == new
    assert new.data.features == [{"log": {"columns": ["a"]}}, {"fill": {}}]


def test_editors_are_told_that_a_step_may_be_a_name_alone():
    told = Recipe.json_schema()["$defs"]["Data"]["properties"]["features"]
    name, named = told["anyOf"][0]["items"]["anyOf"]
    assert "one-hot" in name["enum"] and named["propertyNames"] == name and told["default"] is None
    assert told["description"].startswith("Steps that make inputs")


MINE = """
import numpy as np
from torchdoctor.data.samples import Samples
import torch

def words():
    x = np.random.default_rng(0).normal(0, 1, (60, 3))
    return x, np.where(x[:, 0] > 0, "up", "down")

def parts():
    x = np.eye(4)
    return x, ["c", "a", "b", "a"], x[:2], ["b", "c"], None, None

def grouped(group):
    n = 60
    made = {"a": np.arange(n).astype(float), "b": np.array(["x", "y"] * (n // 2), object)}
    return Samples(made, torch.arange(n) % 2, ("even", "odd"), groups=np.arange(n) // 6 if group else None)
"""


@pytest.fixture
def mine(module_of: Callable[[str], str]) -> str:
    return module_of(MINE)


def test_words_for_targets_become_classes_by_name(mine):
    made = Builder(recipe(data__name=f"{mine}:words")).made
    assert made.classes == ("down", "up") and torch.equal(made.splits.train_y, (made.splits.train_x[:, 0] > 0).long())
    splits = Builder(recipe(data__name=f"{mine}:parts")).made.splits
    assert splits.train_y.tolist() == [2, 0, 1, 0] and splits.val_y.tolist() == [1, 2] and splits.test_y is None


def test_a_function_of_ones_own_may_return_samples_with_groups_and_columns(mine):
    made = Builder(recipe(data__name=f"{mine}:grouped", data__group="who", data__features=["one-hot"])).made
    assert made.preparation.features == ("a", "b=x", "b=y") and made.classes == ("even", "odd")
    groups = [set((x[:, 0] // 6).tolist()) for x in made.splits[0::2]]
    assert not groups[0] & groups[1] and not groups[1] & groups[2] and not groups[0] & groups[2]


WORKER = """
import json, sys
import torch
from torchdoctor.recipe.schema import Recipe
rank, place = int(sys.argv[1]), sys.argv[2]
torch.distributed.init_process_group("gloo", init_method="file://" + place, rank=rank, world_size=2)
loaders = [Recipe.from_dict(told).experiment().build(3).train for told in json.loads(sys.argv[3])]
print(json.dumps([[x[:, 0].tolist() for _ in range(2) for x, _ in loader] for loader in loaders]))
torch.distributed.destroy_process_group()
"""


@pytest.mark.slow
def test_two_processes_share_each_batch_of_one(tmp_path):
    recipes = [recipe(data__name="wine", data__balance=b, data__batch_size=16) for b in ("none", "sampler")]
    told = json.dumps([described.to_dict() for described in recipes])
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(rank), str(tmp_path / "meet"), told],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        for rank in range(2)
    ]  # fmt: skip
    outputs = [worker.communicate(timeout=HANGS) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], outputs[0][1]
    first, second = (json.loads(out.splitlines()[-1]) for out, _ in outputs)
    for described, mine, theirs in zip(recipes, first, second):
        alone = described.experiment().build(3).train
        whole = [x[:, 0].tolist() for _ in range(2) for x, _ in alone]
        assert [sorted(a + b) for a, b in zip(mine, theirs)] == [sorted(batch) for batch in whole]
