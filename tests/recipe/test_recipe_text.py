"""YAML as people write it, overrides as they type them, and what is said when either is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torchdoctor.errors import BadRecipe
from torchdoctor.recipe.schema import Recipe
from torchdoctor.recipe.text import parsed, read, with_values, written


def file(tmp_path, text: str):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    return path


def test_overrides_are_yaml_and_win_over_the_file(tmp_path):
    path = file(tmp_path, "train: {epochs: 3}\noptimizer:\n  lr: 1e-2\n")
    recipe = Recipe.load(path, ("train.epochs=5", "data.split=[0.5, 0.3, 0.2]", "model.output=relu", "data.limit=null"))
    assert recipe.train.epochs == 5 and recipe.data.split == (0.5, 0.3, 0.2) and recipe.model.output == "relu"
    assert recipe.optimizer.lr == 0.01 and recipe.name == "mine" and recipe.data.limit is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001), ("-2E+4", -20000.0), ("1.5e3", 1500.0), (".5e1", 5.0), ("1_0", 10), ("true", True),
        ("none", "none"), ("null", None), ("[1, 2e-1]", [1, 0.2]), ("{a: 1}", {"a": 1}), ("", None),
        ("e3", "e3"), ("x=y", "x=y"), ("1e", "1e"),
    ],
)  # fmt: skip
def test_values_have_the_types_people_mean(text, value):
    got = parsed([f"a.b={text}"])["a.b"]
    assert got == value and type(got) is type(value)


@pytest.mark.parametrize("text", ["train.epochs", "=5", "train.epochs=[1", ""])
def test_an_override_that_sets_nothing_is_told(text):
    with pytest.raises(BadRecipe) as refused:
        parsed([text])
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("train: {epochs: 3", "not valid YAML: line 1"),
        ("seed: 1\nseed: 2", "line 2, column 1: 'seed' is given twice"),
        ("train:\n  epochs: 1\n  epochs: 2", "'epochs' is given twice"),
        ("- a\n- b", "holds a list"),
        ("just text", "holds a str"),
        ("a: !!python/object/apply:os.system ['true']", "not valid YAML"),
        ("? [1, 2]\n: 3", "not valid YAML"),
        ("1: 2", "there is no '1'"),
    ],
)
def test_a_file_that_is_no_recipe_is_told_in_one_line(tmp_path, text, said):
    with pytest.raises(BadRecipe) as refused:
        Recipe.load(file(tmp_path, text))
    assert said in str(refused.value) and "mine.yaml" in str(refused.value) and "\n" not in str(refused.value)


def test_a_missing_or_binary_file_is_told(tmp_path):
    with pytest.raises(BadRecipe, match=r"no\.yaml'.*No such file"):
        Recipe.load(tmp_path / "no.yaml")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(BadRecipe, match="not UTF-8"):
        Recipe.load(tmp_path / "b.yaml")


def test_an_empty_file_is_the_default_recipe(tmp_path):
    assert Recipe.load(file(tmp_path, "")) == Recipe(name="mine")


def test_setting_a_place_changes_neither_argument():
    values, patch = {"a": {"b": 1, "c": 2}}, {"a.b": 3, "d.e.f": 4}
    assert with_values(values, patch) == {"a": {"b": 3, "c": 2}, "d": {"e": {"f": 4}}}
    assert values == {"a": {"b": 1, "c": 2}}


words = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1)
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(words, plain | st.lists(plain) | st.dictionaries(words, plain)))
def test_what_is_written_is_read_back(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("yaml") / "r.yaml"
    path.write_text(written(values), "utf-8")
    assert read(path) == values
