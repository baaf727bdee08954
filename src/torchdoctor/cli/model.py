"""`torchdoctor model -c RECIPE`: what each layer costs, what another structure would save, and whether it is sound."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from torchdoctor.cli.options import AsJson, Config, Overrides, load, print_json
from torchdoctor.cli.verb import verb

if TYPE_CHECKING:
    from torchdoctor.parts import Parts
    from torchdoctor.recipe.schema import Recipe


@verb
def model(
    config: Config,
    overrides: Overrides = [],  # noqa: B006 - typer copies it
    advice: Annotated[bool, typer.Option(help="Measure what other structures would save.")] = True,
    check: Annotated[
        bool, typer.Option("--check", help="Test gradients of your own layers, and shapes with unequal sizes.")
    ] = False,
    repeats: Annotated[int, typer.Option(min=1, help="Passes of which the median time is told.")] = 20,
    as_json: AsJson = False,
) -> int:
    """Show a recipe's model layer by layer. Shapes, parameters, FLOPs, memory, receptive field, time, and advice."""
    recipe = load(config, overrides)

    from torchdoctor.fixes.savings import savings
    from torchdoctor.fixes.surgery import first_batch
    from torchdoctor.models.costs import costs
    from torchdoctor.show.model_table import print_model, print_savings, sides
    from torchdoctor.train.device import threads

    parts = recipe.experiment().build(recipe.seed)
    inputs = first_batch(parts).inputs
    with threads(recipe.train.threads):
        found = costs(parts.model, inputs, repeats=repeats)
        saved, not_here = savings(parts, recipe.to_dict(), repeats=repeats) if advice else ([], {})
    wrong = faults(parts, recipe) if check else []
    if as_json:
        answer = {"model": recipe.model.name, "inputs": [list(x.shape) for x in inputs], **asdict(found)}
        answer["savings"] = [asdict(s) for s in saved]
        answer["not_applicable"] = not_here
        print_json({**answer, "faults": wrong} if check else answer)
        return int(bool(wrong))
    shapes = ", ".join(sides(x.shape[1:]) for x in inputs)
    print_model(f"{recipe.model.name} on {recipe.data.name}: {shapes}, batches of {found.samples}", found)
    if advice:
        print_savings(saved, not_here, found.samples)
    if check:
        print("\n" + ("\n".join(wrong) or "Gradients agree with finite differences, and no dimensions are mixed up."))
    return int(bool(wrong))


def faults(parts: Parts, recipe: Recipe) -> list[str]:
    """Wrong gradients and dimensions that are mixed up, a sentence each."""
    from torchdoctor.fixes.surgery import first_batch, trial
    from torchdoctor.models.gradient_check import check_gradients
    from torchdoctor.models.names import MODELS
    from torchdoctor.models.shape_check import check_batch, check_sides, unequal
    from torchdoctor.probes.bench import first_tensor
    from torchdoctor.recipe.imports import imported, takes
    from torchdoctor.recipe.makers.model import made_model

    batch = first_batch(parts)
    few = unequal(batch.inputs)
    wrong = [str(found) for found in check_gradients(parts.model, few)]
    wrong += check_batch(parts.model, few)
    shape = tuple(batch.inputs[0].shape[1:])
    if len(shape) == 3 and takes(imported(recipe.model.name, MODELS, "model.name"), "input_shape"):
        outputs = first_tensor(trial(parts.model, batch)).shape[1]
        known = {"outputs": outputs}
        wrong += check_sides(lambda asked: made_model(recipe, {**known, "input_shape": asked}), shape)
    return wrong
