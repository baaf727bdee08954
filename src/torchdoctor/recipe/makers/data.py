"""The data of a recipe, read, divided and prepared; and what a model must know of them."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from torchdoctor.data.batch import as_batch
from torchdoctor.data.names import CLASSES, DATA, STEPS
from torchdoctor.data.preparation import fitted
from torchdoctor.data.prepared import Prepared
from torchdoctor.data.samples import Divided, Samples, as_divided, divided, learnable, limited
from torchdoctor.data.splits import Splits, as_splits
from torchdoctor.data.steps.step import Step
from torchdoctor.data.steps.tokens import PADDING
from torchdoctor.data.suspects import without_suspects
from torchdoctor.data.targets import numbered
from torchdoctor.errors import BadParts, BadRecipe
from torchdoctor.models.names import MODELS
from torchdoctor.recipe.imports import called, imported, takes
from torchdoctor.recipe.makers.sets import Sets, are_sets, made_sets, must_be_plain
from torchdoctor.recipe.schema import Recipe
from torchdoctor.recipe.sections.data import Data
from torchdoctor.train.device import chosen
from torchdoctor.train.seed import seed_all

OFFERED = ("root", "download", "target", "text", "group", "time", "size", "channels")  # only to sources that take them
MOST_CLASSES = 10_000  # where there are fewer samples than classes
VOID = 255  # of pictures that are labelled pixel by pixel
PREPARING = ("features", "scale", "target_scale", "limit", "split_by", "suspects")  # nothing that a store lets us do


def made_data(recipe: Recipe) -> Prepared | Sets:
    """Divided, limited and prepared tensors on the device, with what is known of them; or data sets that give their
    samples one by one."""
    given = read_data(recipe)
    if isinstance(given, Prepared):
        return _on_device(given, recipe)
    return _prepared(given, recipe) if isinstance(given, Divided) else given


def read_data(recipe: Recipe) -> Divided | Prepared | Sets:
    """Divided and limited, but raw: pictures are bytes, tables columns. What is stored is prepared already."""
    asked = recipe.data
    function = imported(asked.name, DATA, "data.name")
    seed_all(recipe.seed)  # for functions that draw from the global generators
    given = called(function, "data.args", asked.args, offered={**_offered(asked, function), "seed": recipe.seed})
    if isinstance(given, Prepared):
        must_be_plain(asked, PREPARING, "is prepared data")
        return given
    if are_sets(given):
        return made_sets(given, asked, recipe.seed)
    given, classes = numbered(given)
    samples = given if isinstance(given, Samples) else as_splits(given, asked.name)
    by = asked.split_by or ("group" if asked.group else "time" if asked.time else "stratified")
    whole = as_divided(samples, classes or CLASSES.get(asked.name))
    cut = divided(whole, asked.split, recipe.seed, by)  # by time or group, one class may be left to train on
    few = limited(learnable(cut), asked.limit, recipe.seed)
    if asked.suspects is None:
        return few
    return few._replace(train=without_suspects(few.train, asked.suspects, relabel=asked.relabel))


def sizes_of(data: Prepared | Sets) -> dict[str, Any]:
    """What a model must know of the data: input_shape, outputs, and of token ids the vocabulary and the padding."""
    if not isinstance(data, Prepared):
        inputs, _ = as_batch(next(iter(data.loader(data.train, 1))))
        shape = tuple(inputs[0].shape[1:])
        return {"input_shape": shape} if data.classes is None else {"input_shape": shape, "outputs": len(data.classes)}
    splits, classes = data.splits, data.classes
    targets = [y for y in splits[1::2] if y is not None]
    sizes = {"input_shape": tuple(splits.train_x.shape[1:]), "outputs": len(classes) if classes else _outputs(targets)}
    if splits.train_x.is_floating_point():
        return sizes
    if (known := data.preparation.vocabulary) is not None:
        return {**sizes, "vocabulary": known, "padding": PADDING}
    return {**sizes, "vocabulary": 1 + max(int(part.max()) for part in splits[0::2] if part is not None)}


def made_steps(asked: Data) -> tuple[Step, ...] | None:
    """The steps of data.features, not yet fitted; None leaves it to the data. Raises BadRecipe naming the option."""
    if asked.features is None:
        return None
    described = [item for step in asked.features for item in step.items()]
    return tuple(_made_step(name, options, f"data.features[{i}].{name}") for i, (name, options) in enumerate(described))


def _made_step(name: str, options: dict[str, Any], key: str) -> Step:
    given = {option: tuple(value) if isinstance(value, list) else value for option, value in options.items()}
    try:
        step: Step = called(imported(name, STEPS, "data.features"), key, given)
    except TypeError as error:  # from text where a step compares numbers
        raise BadRecipe(f"{key} = {options}: {error}.") from None
    return step


def _prepared(data: Divided, recipe: Recipe) -> Prepared:
    """By what the training samples say, as float32 (token ids stay what they are), on the device."""
    asked = recipe.data
    if asked.target_scale != "none" and not data.train.y.is_floating_point():
        raise BadRecipe(f"data.target_scale = {asked.target_scale!r}: the targets are classes, not decimals.")
    preparation, train_x = fitted(data.train, made_steps(asked), asked.scale, asked.target_scale)
    held_out = [None if part is None else preparation(part.x) for part in data[1:]]
    targets = [None if part is None else (preparation.target or _same)(part.y) for part in data]
    pairs = zip((train_x, *held_out), targets)
    splits = Splits(*(tensor for pair in pairs for tensor in pair))  # type: ignore[arg-type]
    names = [None if part is None else part.names for part in data]
    made = Prepared(splits, preparation, (names[0], names[1], names[2]), data.train.skipped)
    return _on_device(made, recipe)


def _on_device(made: Prepared, recipe: Recipe) -> Prepared:
    """Decimals (N,) become (N, 1) for a model that is told how many outputs it needs, because that model gives (N, 1),
    and a loss would broadcast the two against each other."""
    device = chosen(recipe.train.device)
    splits = made.splits.mapped(lambda tensor: tensor.to(device))
    if splits.train_y.is_floating_point() and takes(imported(recipe.model.name, MODELS, "model.name"), "outputs"):
        splits = Splits(*(_as_rows(tensor) if i % 2 else tensor for i, tensor in enumerate(splits)))  # type: ignore[arg-type]
    return Prepared(splits, made.preparation, made.names, made.skipped)


def _as_rows(y: Tensor | None) -> Tensor | None:
    return y[:, None] if y is not None and y.ndim == 1 else y


def _same(tensor: Tensor) -> Tensor:
    return tensor


def _outputs(targets: list[Tensor]) -> int:
    """How many outputs fit the targets: one per class, of samples (N,) or of their pixels (N, H, W); or per column."""
    if targets[0].is_floating_point() or targets[0].ndim == 2:
        return 1 if targets[0].ndim == 1 else targets[0].shape[1]
    classes, samples = 1 + max(map(_largest, targets)), sum(map(len, targets))
    if classes > max(MOST_CLASSES, samples):
        raise BadParts(
            f"The targets are whole numbers up to {classes - 1:,}, which makes {classes:,} classes of {samples:,} "
            "samples. Count classes from 0; numbers to be predicted must be decimals."
        )
    return classes


def _largest(y: Tensor) -> int:
    """The largest class number; 255 means that a pixel has no label, unless 254 is there too."""
    labels = y[y != VOID] if y.ndim > 1 and not bool((y == VOID - 1).any()) else y
    return int(labels.max()) if labels.numel() else 0


def _offered(asked: Data, function: Any) -> dict[str, Any]:
    """What the recipe says to sources that take it. Raises BadRecipe for what is said to one that does not."""
    for name in OFFERED:
        value = getattr(asked, name)
        if value not in (None, False) and not takes(function, name):
            raise BadRecipe(f"data.{name} = {value!r}: data set {asked.name!r} takes no {name}; leave it out.")
    return {name: getattr(asked, name) for name in OFFERED}
