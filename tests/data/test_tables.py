"""Tables: targets of both kinds, missing values, and files that are not what they seem."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from torchdoctor.data.embedded import breast_cancer, iris, wine
from torchdoctor.data.samples import as_divided, learnable
from torchdoctor.data.tables import table
from torchdoctor.errors import BadParts

SHARED = Path(__file__).parents[3] / "shared" / "data"  # real data sets, kept beside the project where there are any


def there(name: str) -> str:
    if not (SHARED / name).exists():
        pytest.skip(f"the real {name} is not beside the project")
    return str(SHARED / name)


def csv(tmp_path: Path, text: str, name: str = "t.csv") -> str:
    (tmp_path / name).write_text(text)
    return str(tmp_path / name)


def refused(*args, **options) -> str:
    with pytest.raises(BadParts) as error:
        table(*args, **options)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("load", "rows", "columns", "classes"), [(iris, 150, 4, 3), (wine, 178, 13, 3), (breast_cancer, 569, 30, 2)]
)
def test_embedded_tables_come_with_the_names_of_columns_and_classes(load, rows, columns, classes):
    data = load()
    assert len(data) == rows and len(data.x) == columns and len(data.classes) == classes
    assert data.y.dtype == torch.int64 and data.y.unique().tolist() == list(range(classes))


def test_words_become_classes_and_numbers_stay_numbers(tmp_path):
    root = csv(tmp_path, "a,b,kind,price\n1,x,cat,1.5\n2,y,dog,2.5\n3,x,cat,3.5\n")
    words, numbers = table(root, target="kind"), table(root, target="price")
    assert words.classes == ("cat", "dog") and words.y.tolist() == [0, 1, 0]
    assert numbers.classes is None and numbers.y.tolist() == [1.5, 2.5, 3.5] and numbers.y.dtype == torch.float32
    assert list(words.x) == ["a", "b", "price"] and words.x["b"].tolist() == ["x", "y", "x"]
    assert words.x["a"].dtype == np.float64 and words.names.tolist() == ["row 0", "row 1", "row 2"]


def test_a_few_whole_numbers_are_classes_by_value_unless_numbers_are_asked_for(tmp_path):
    root = csv(tmp_path, "a,y\n" + "".join(f"{i},{(i % 3) * 5 + 5}\n" for i in range(9)))
    data = table(root, target="y")
    assert data.classes == ("5", "10", "15") and data.y.tolist() == [0, 1, 2] * 3
    assert table(root, target="y", kind="numbers").y.tolist() == [5, 10, 15] * 3
    many = csv(tmp_path, "a,y\n" + "".join(f"{i},{i}\n" for i in range(30)), "many.csv")
    assert table(many, target="y").classes is None and len(table(many, target="y", kind="classes").classes) == 30


def test_labels_are_text_as_they_stand_in_the_file(tmp_path):
    root = csv(tmp_path, "a,code\n1,NA\n2,DE\n3,NA\n4,null\n")
    assert table(root, target="code").classes == ("DE", "NA", "null")  # Namibia is a country
    flags = csv(tmp_path, "a,ok\n1,True\n2,False\n", "flags.csv")
    assert table(flags, target="ok").classes == ("False", "True")


def test_a_gap_among_numbers_to_be_learnt_is_a_gap(tmp_path):
    root = csv(tmp_path, "a,y\n1,0.5\n2,NA\n3,1.5\n")
    assert "1 of 3 samples have no target" in refused(root, target="y")
    assert table(root, target="y", unlabelled="drop").y.tolist() == [0.5, 1.5]


def test_missing_values_are_nan_in_numbers_and_none_in_text(tmp_path):
    data = table(csv(tmp_path, "a,b,y\n1,x,p\n,,q\nNA,null,p\n"), target="y")
    assert np.isnan(data.x["a"]).tolist() == [False, True, True] and data.x["b"].tolist() == ["x", None, None]


def test_columns_can_be_chosen_and_dropped_and_those_of_the_split_are_no_inputs(tmp_path):
    root = csv(tmp_path, "id,who,when,a,b,y\n1,p,2020-01-02,1,2,u\n2,q,2020-01-01,3,4,v\n")
    data = table(root, target="y", group="who", time="when", drop=["id"])
    assert list(data.x) == ["a", "b"] and data.groups.tolist() == ["p", "q"]
    assert data.times[0] > data.times[1]
    assert list(table(root, target="y", columns=["b"]).x) == ["b"]


def test_a_text_column_is_the_only_input_and_keeps_words_that_look_like_gaps(tmp_path):
    root = csv(tmp_path, "n,say,y\n1,null,a\n2,12,b\n3,NA,a\n")
    data = table(root, target="y", text="say")
    assert list(data.x) == ["say"] and data.x["say"].tolist() == ["null", "12", "NA"] and data.text == "say"


def test_parquet_is_the_same_table(tmp_path):
    day = pd.to_datetime(["1970-01-03 00:00", "1970-01-01 12:00"])
    frame = pd.DataFrame({"a": [1.0, np.nan], "b": ["x", None], "day": day, "y": ["p", "q"]})
    frame.to_parquet(tmp_path / "t.parquet")
    data = table(str(tmp_path / "t.parquet"), target="y")
    assert data.x["day"].tolist() == [2.0, 0.5] and data.x["b"].tolist() == ["x", None]
    assert np.isnan(data.x["a"]).tolist() == [False, True] and data.classes == ("p", "q")


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("a,y\n1,p\n", {"target": "z"}, "has no column 'z'. Known: a, y."),
        ("length,y\n1,p\n", {"target": "lenght"}, "Did you mean 'length'?"),
        ("a,y\n1,p\n", {}, "which column is to be learnt? Set data.target. Columns: a, y."),
        ("a,y\n1,p\n", {"target": "y", "drop": ["b"]}, "data.args.drop: "),
        ("a,y\n1,p\n", {"target": "y", "group": "b"}, "data.group: "),
        ("a,y\n" + "".join(f"1,n{i}\n" for i in range(30)), {"target": "y"}, "30 different words in 30 samples"),
        ("a,y\n1,p\n2,\n", {"target": "y"}, "1 of 2 samples have no target. Leave them out: data.args.unlabelled"),
        ("a,y\n1,p\n", {"target": "y", "kind": "numbers"}, "are to be numbers, but one is 'p'"),
        ("a,y\n", {"target": "y"}, "holds no rows"),
        ("", {"target": "y"}, "No columns to parse from file"),
        ("a,y\n1,p,3\n", {"target": "y"}, "Cannot read"),
        ("a,y\n1,p\n1,p,3\n", {"target": "y"}, "Expected 2 fields in line 3, saw 3"),
        ("a;y\n1;p\n", {"target": "y"}, "Set data.args.separator"),
        ('a,y\n1,"p\n2,q\n', {"target": "y"}, "data.args.quoting: none"),
        ("t,a,y\n03/04/2020,1,p\n", {"target": "y", "time": "t"}, "Write times as 2026-11-20"),
        ("g,a,y\n,1,p\nu,2,q\n", {"target": "y", "group": "g"}, "Column 'g' misses 1 values"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line_with_what_to_set(tmp_path, text, options, said):
    assert said in refused(csv(tmp_path, text), **options)


def test_files_that_are_not_there_or_no_text_are_told(tmp_path):
    assert "not there" in refused(str(tmp_path / "no.csv"), target="y")
    assert "is a folder without one train.csv" in refused(str(tmp_path), target="y")
    assert "needs data.root" in refused(target="y")
    (tmp_path / "latin.csv").write_bytes("a,y\n1,Zürich\n".encode("latin-1"))
    assert "data.args.encoding" in refused(str(tmp_path / "latin.csv"), target="y")
    assert table(str(tmp_path / "latin.csv"), target="y", encoding="latin-1").classes == ("Zürich",)
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 nothing more")
    assert "Cannot read" in refused(str(tmp_path / "broken.parquet"), target="y")


def test_files_of_parts_in_a_folder_are_kept_apart_and_share_their_classes(tmp_path):
    csv(tmp_path, "a,b,y\n1,u,p\n2,v,q\n3,u,\n", "train.csv")
    csv(tmp_path, "b,a,y,more\nv,4.5,q,9\n", "Test.csv")
    data = table(str(tmp_path), target="y", unlabelled="drop")
    train, val, test = as_divided(data)
    assert train.names.tolist() == ["train.csv row 0", "train.csv row 1"] and val is None
    assert test.names.tolist() == ["Test.csv row 0"] and test.y.tolist() == [1] and test.x["a"].tolist() == [4.5]
    csv(tmp_path, "a,b,y\nmany,u,p\n", "val.csv")
    assert "Column 'a' is numbers in one of" in refused(str(tmp_path), target="y", unlabelled="drop")
    csv(tmp_path, "a,y\n1,p\n", "val.csv")
    assert "val.csv has no column 'b', which train.csv has" in refused(str(tmp_path), target="y", unlabelled="drop")
    csv(tmp_path, "a,b\n1,p\n", "val.csv")
    assert "data.target: " in refused(str(tmp_path), target="y")


def test_the_answer_is_no_input(tmp_path):
    assert "the model would read the answer" in refused(csv(tmp_path, "a,y\n1,p\n"), target="y", columns=["a", "y"])


def test_rows_without_a_target_can_be_dropped_and_the_others_keep_their_names(tmp_path):
    data = table(csv(tmp_path, "a,y\n1,p\n2,\n3,q\n"), target="y", unlabelled="drop")
    assert data.names.tolist() == ["row 0", "row 2"] and data.y.tolist() == [0, 1]


def test_quotation_marks_that_swallow_rows_are_found(tmp_path):
    text = 'kind\tsay\nham\t"hi\nham\tthere\nspam\tbuy" now\nham\tbye\n'
    said = refused(csv(tmp_path, text, "t.tsv"), target="kind", text="say")
    assert "has 4 lines, but only 2 rows" in said and "quoting: none" in said
    data = table(str(tmp_path / "t.tsv"), target="kind", text="say", quoting="none")
    assert data.x["say"].tolist() == ['"hi', "there", 'buy" now', "bye"]
    assert len(table(str(tmp_path / "t.tsv"), target="kind", text="say", quoting="minimal")) == 2


def test_line_ends_inside_quoted_fields_are_no_lost_rows(tmp_path):
    data = table(csv(tmp_path, 'kind,say\nham,"one\ntwo"\nspam,"three, four"\n'), target="kind", text="say")
    assert data.x["say"].tolist() == ["one\ntwo", "three, four"]


def test_the_real_messages_lose_two_rows_by_default_and_none_when_told():
    root = there("text_sms_spam/sms.tsv")
    assert "5,574 lines, but only 5,572 rows" in refused(root, target="0", text="1", header=False)
    data = table(root, target="0", text="1", header=False, quoting="none")
    assert len(data) == 5574 and torch.bincount(data.y).tolist() == [4827, 747] and data.classes == ("ham", "spam")


def test_the_real_penguins_and_houses_are_read_whole():
    penguins = table(there("tabular_penguins/penguins.csv"), target="species")
    assert len(penguins) == 344 and torch.bincount(penguins.y).tolist() == [152, 68, 124]
    assert penguins.classes == ("Adelie", "Chinstrap", "Gentoo")
    houses = table(there("tabular_california_housing/housing.csv"), target="median_house_value")
    assert len(houses) == 20640 and houses.classes is None and np.isnan(houses.x["total_bedrooms"]).sum() == 207


def test_one_class_alone_is_refused_by_its_name(tmp_path):
    data = table(csv(tmp_path, "a,y\n1,p\n2,p\n"), target="y")
    with pytest.raises(BadParts, match="All 2 training targets are 'p'"):
        learnable(as_divided(data))


def test_the_target_is_no_input_and_what_holds_nothing_else_is_refused(tmp_path):
    root = csv(tmp_path, "a,y\n1,p\n2,q\n")
    with pytest.raises(BadParts, match=r"data\.text is the target, 'y'"):
        table(root, target="y", text="y")
    with pytest.raises(BadParts, match="no column is left to learn from"):
        table(root, target="y", drop=["a"])
