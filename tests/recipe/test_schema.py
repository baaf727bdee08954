"""Recipes are validated in one line that names the key, the value, what is allowed and the nearest name."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from waiting import HANGS

from torchdoctor.data.names import DATA
from torchdoctor.errors import BadRecipe
from torchdoctor.models.names import ACTIVATIONS, INITS, NORMALIZATIONS, OUTPUTS
from torchdoctor.recipe.schema import Recipe


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"optimiser": {}}, "there is no 'optimiser'. Did you mean 'optimizer'? Allowed: name, seed, data"),
        ({"optimizer": {"momentun": 0.9}}, "there is no 'optimizer.momentun'. Did you mean 'momentum'? Allowed: name,"),
        ({"model": {"name": "lenet"}}, "model.name = 'lenet': must be lenet5, alexnet,"),
        ({"model": {"name": "lenet"}}, "or an import path 'package.module:name'. Did you mean 'lenet5'?"),
        ({"model": {"activation": "rely"}}, "model.activation = 'rely': must be relu,"),
        ({"model": {"activation": "my.own:act"}}, "model.activation = 'my.own:act': must be relu,"),
        ({"model": {"output": "softmx"}}, "model.output = 'softmx': must be 'none', 'softmax'"),
        ({"model": {"output": "softmx"}}, "Did you mean 'softmax'?"),
        ({"model": {"output": None}}, "model.output = None: must be 'none'"),
        ({"train": {"epochs": 0}}, "train.epochs = 0: must be greater than 0."),
        ({"train": {"epochs": 1.5}}, "train.epochs = 1.5: must be a valid integer"),
        ({"train": 3}, "train = 3: must be a section with keys of its own"),
        ({"train": {"device": "gpu"}}, "train.device = 'gpu': must be auto, cpu, cuda (or cuda:0)."),
        ({"data": {"scale": "unt"}}, "data.scale = 'unt': must be none, unit, standard or [mean, std]. Did you mean"),
        ({"data": {"scale": [1, "a"]}}, "data.scale = [1, 'a']: must be none, unit,"),
        ({"data": {"split": [0.5, 0.5]}}, "data.split = [0.5, 0.5]: must be the shares of training"),
        ({"data": {"split": [0, 1, 1]}}, "data.split = [0, 1, 1]: must be the shares of training"),
        ({"optimizer": {"lr": -0.1}}, "optimizer.lr = -0.1: must be greater than or equal to 0."),
        ({"optimizer": {"lr": float("nan")}}, "optimizer.lr = nan: must be a finite number."),
        ({"model": {"args": [1]}}, "model.args = [1]: must be a section"),
        ({"seed": -1, "data": {"limit": 0}}, "seed = -1: must be greater than or equal to 0. data.limit = 0: must be"),
        ({"seed": 2**63}, "seed = 9223372036854775808: must be less than 9223372036854775808."),
        (["not", "a", "mapping"], "must be a section"),
    ],
)
def test_a_wrong_recipe_is_told_in_one_line(values, said):
    with pytest.raises(BadRecipe) as refused:
        Recipe.from_dict(values, source="mine.yaml")
    text = str(refused.value)
    assert said in text and text.startswith("mine.yaml: ") and "\n" not in text


simple = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
anything = st.recursive(simple, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=8), v, max_size=3))


@given(
    value=anything,
    section=st.sampled_from(["data", "model", "optimizer", "train", "schedule", "loss", "name", "seed"]),
    key=st.sampled_from([None, "name", "scale", "split", "lr", "args", "device", "epochs"]),
)
def test_whatever_stands_in_a_recipe_it_is_taken_or_told_in_one_line(value, section, key):
    values = {section: value if key is None else {key: value}}
    try:
        recipe = Recipe.from_dict(values)
    except BadRecipe as refused:
        assert "\n" not in str(refused)
    else:
        assert Recipe.from_dict(recipe.to_dict()) == recipe


def test_what_is_left_out_takes_its_default_and_rates_follow_the_optimizer():
    recipe = Recipe()
    assert recipe.data.name == "digits" and recipe.optimizer.lr == 0.01
    assert Recipe.from_dict({"optimizer": {"name": "adam"}}).optimizer.lr == 0.001
    assert Recipe.from_dict({"optimizer": {"name": "adam", "lr": 0.5}}).optimizer.lr == 0.5
    assert Recipe.from_dict({"optimizer": {"lr": None}}).optimizer.lr == 0.01


def test_a_recipe_cannot_be_changed():
    with pytest.raises(ValidationError):
        Recipe().train.epochs = 3  # type: ignore[misc]


def test_a_patch_makes_another_recipe_and_is_checked():
    recipe = Recipe()
    other = recipe.patched({"optimizer.lr": 0.5, "data.scale": [[1.0], [2.0]], "model.args.pool": "average"})
    assert (other.optimizer.lr, other.data.scale) == (0.5, ((1.0,), (2.0,)))
    assert other.model.args == {"pool": "average"} and recipe.optimizer.lr == 0.01
    with pytest.raises(BadRecipe, match=r"optimizer\.lr = 'fast'"):
        recipe.patched({"optimizer.lr": "fast"})
    with pytest.raises(BadRecipe, match="'lr' is a single value"):
        recipe.patched({"optimizer.lr.x": 1})


def test_plain_values_and_yaml_go_there_and_back(tmp_path):
    recipe = Recipe().patched({"data.scale": [0.5, [1.0, 2.0]], "train.clip_norm": 1e-8, "optimizer.args.eps": 1e-20})
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
    (tmp_path / "r.yaml").write_text(recipe.to_yaml())
    assert Recipe.load(tmp_path / "r.yaml") == recipe


def test_the_difference_of_two_recipes_shows_section_and_lines():
    before = Recipe()
    after = before.patched({"optimizer.lr": 0.5, "data.scale": "standard"})
    lines = before.diff(after).splitlines()
    assert lines[:2] == ["--- before", "+++ after"]
    assert [line for line in lines[2:] if line[0] in "+-"] == [
        "-  scale: none", "+  scale: standard", "-  lr: 0.01", "+  lr: 0.5",
    ]  # fmt: skip
    assert [line.split("@@ ")[2] for line in lines if line.startswith("@@")] == ["data:", "optimizer:"]
    assert before.diff(before) == ""


def test_json_schema_says_what_every_key_means_and_which_names_there_are():
    schema = Recipe.json_schema()
    json.dumps(schema)
    for name, section in schema["$defs"].items():
        assert section["description"] and not section["additionalProperties"]
        for key, field in section["properties"].items():
            assert field.get("description"), f"{name}.{key}"
    assert schema["$defs"]["Data"]["properties"]["name"]["anyOf"][0]["enum"] == list(DATA)
    assert schema["$defs"]["Model"]["properties"]["output"]["enum"] == list(OUTPUTS)
    assert schema["$defs"]["Model"]["properties"]["init"]["enum"] == list(INITS)
    assert set(NORMALIZATIONS) <= set(str(schema["$defs"]["Model"]["properties"]["normalization"]).split("'"))
    assert set(ACTIVATIONS) <= set(str(schema["$defs"]["Model"]["properties"]["activation"]).split("'"))


def test_a_recipe_is_read_patched_and_shown_without_torch():
    code = (
        "import sys; from torchdoctor.recipe.schema import Recipe; r = Recipe().patched({'optimizer.lr': 1.0}); "
        "r.to_yaml(); r.diff(Recipe()); r.json_schema(); assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=HANGS)
    assert done.returncode == 0, done.stderr


def test_arguments_that_no_recipe_file_could_hold_are_refused():
    for args in ({"": [float("inf")]}, {"a": {"b": float("nan")}}):
        with pytest.raises(BadRecipe, match=r"data\.args.*finite"):
            Recipe.from_dict({"data": {"args": args}})
