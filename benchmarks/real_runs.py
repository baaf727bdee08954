"""Whole trainings on real data, and what they reach on samples they never saw, beside simple models on the same.

    python -m benchmarks.real_runs --data ../shared/data [--only mnist] [--out build/real-runs]

Each recipe of benchmarks/recipes is trained once as `torchdoctor train` would, and its best checkpoint evaluated on the
test part. The score is accuracy or R2 with its 95 % interval; wall seconds are of training, on this machine.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from time import perf_counter

from torchdoctor.errors import BadParts
from torchdoctor.evaluate.evaluate import evaluate
from torchdoctor.evaluate.evaluation import Evaluation
from torchdoctor.evaluate.opened import Opened
from torchdoctor.evaluate.options import EvaluateOptions
from torchdoctor.recipe.schema import Recipe
from torchdoctor.record.place import new_folder
from torchdoctor.train.run import train

RECIPES = Path(__file__).parent / "recipes"
BASELINES_ALONE = EvaluateOptions(robustness=False, bottlenecks=False, suspects=False)


def main() -> None:
    options = _arguments()
    for file in sorted(RECIPES.glob("*.yaml")):
        if options.only in file.stem:
            try:
                print(_line(file, options.data, options.out), flush=True)
            except BadParts as missing:  # the data are not here
                print(f"{file.stem}: left out. {missing}", flush=True)


def _line(file: Path, data: Path, out: Path) -> str:
    seconds, scores = measured(file, data, out)
    (out / f"{file.stem}.json").write_text(json.dumps({"seconds": seconds, "scores": scores}, indent=1), "utf-8")
    said = "".join(f"\n  {name:<24} {score}" for name, score in scores.items())
    return f"{file.stem}: trained in {seconds:.0f} s{said}"


def measured(file: Path, data: Path, out: Path) -> tuple[float, dict[str, str]]:
    """Seconds of training, and the score on the test part beside the baselines', with intervals."""
    plain = Recipe.load(file)
    recipe = plain.patched({"data.root": str(data / (plain.data.root or ""))})
    began = perf_counter()
    trained = train(recipe, new_folder(file.stem, out))
    seconds = perf_counter() - began
    opened = Opened.of(trained.folder, "best")
    found = evaluate(
        opened.model,
        opened.loader("test"),
        **opened.others("test"),
        classes=opened.naming.classes,
        options=BASELINES_ALONE,
    )
    return seconds, _scores(found)


def _scores(found: Evaluation) -> dict[str, str]:
    scores = {f"test {found.measure}": found.scores["test"].score, **{c.other: c.score for c in found.baselines}}
    return {name: str(score) for name, score in scores.items()}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with the data sets' folders")
    parser.add_argument("--out", type=Path, default=Path("build/real-runs"))
    parser.add_argument("--only", default="", help="recipes whose name holds this")
    return parser.parse_args()


if __name__ == "__main__":
    main()
