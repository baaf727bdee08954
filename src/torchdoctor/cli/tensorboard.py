"""`torchdoctor tensorboard RUN DIR`: write a recorded run for TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from torchdoctor.cli.options import AsJson, note, print_json
from torchdoctor.cli.verb import verb

if TYPE_CHECKING:
    from torchdoctor.parts import Parts


@verb
def tensorboard(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder that watch or train wrote.")],
    to: Annotated[Path, typer.Argument(metavar="DIR", help="Where TensorBoard will look.")],
    as_json: AsJson = False,
) -> None:
    """Write a run for TensorBoard. Scalars, histograms, the graph, pictures and the projector."""
    from torchdoctor.connect.tensorboard import exported

    parts, why_not = _rebuilt(run)
    done = exported(run, to, parts)
    if why_not:
        done.missing["graph, images, projector"] = why_not
    if as_json:
        print_json({"folder": str(to), "written": done.written, "missing": done.missing})
        return
    print(", ".join(f"{number:,} {what}" for what, number in done.written.items()))
    for what, why in done.missing.items():
        print(f"not written: {what} ({why})")
    note(f"Look at it: tensorboard --logdir {to}")


def _rebuilt(run: Path) -> tuple[Parts | None, str]:
    """The parts of the run's recipe with the best weights; or why there are none."""
    from torchdoctor.errors import TorchDoctorError
    from torchdoctor.recipe.schema import Recipe
    from torchdoctor.train import checkpoint

    if not (run / "recipe.yaml").is_file():
        return None, "the run has no recipe to build the model from"
    try:
        recipe = Recipe.load(run / "recipe.yaml")
        parts = recipe.experiment().build(recipe.seed)
        checkpoint.load_weights(run / "best", parts.model)
    except TorchDoctorError as error:
        return None, str(error)
    return parts, ""
