"""What people repeat about networks, tried: each claim a paired experiment with several seeds, and its verdict.

    python -m benchmarks.claims --data ../shared/data/fashion_mnist [--only depth] [--write docs/claims.md]

All nets learn the same 4,000 pictures of Fashion-MNIST and are scored on the same 2,000 others. Every arm gets the best
of a grid of learning rates, chosen with a seed that is not used again, so no arm is shown at a rate that suits another.
A difference counts when its 95 % t-interval over the seeds leaves out zero; "equal" means that it lies within 0.01.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from time import perf_counter

import torch

from benchmarks.claims.arms import read
from benchmarks.claims.tried import CLAIMS, Verdict


def written(verdicts: Sequence[Verdict], command: str) -> str:
    """The page of docs."""
    lines = ["# Claims, tried", "", __doc__.split("\n\n")[2].replace("\n", " ").strip(), "", f"    {command}", ""]
    lines += ["| claim | verdict |", "|---|---|", *(f"| {v.claim} | {v.verdict} |" for v in verdicts), ""]
    for v in verdicts:
        lines += [f"## {v.claim}", "", v.verdict, "", *(f"- {said}" for said in v.measured), ""]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with Fashion-MNIST's four files")
    parser.add_argument("--only", default="", help="claims whose name holds this")
    parser.add_argument("--kept", type=Path, default=Path("build/claims"), help="verdicts, one file each")
    parser.add_argument("--write", type=Path, help="also write the page, of all verdicts that are kept")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    data = read(options.data)
    options.kept.mkdir(parents=True, exist_ok=True)
    for name, test in CLAIMS.items():
        if options.only in name:
            began = perf_counter()
            found = test(data)
            (options.kept / f"{name}.json").write_text(json.dumps(asdict(found), indent=1), "utf-8")
            said = "\n  ".join([*found.measured, found.verdict])
            print(f"{name} ({perf_counter() - began:.0f} s)\n  {said}", flush=True)
    if options.write:
        files = [file for name in CLAIMS if (file := options.kept / f"{name}.json").exists()]
        verdicts = [Verdict(**json.loads(file.read_text("utf-8"))) for file in files]
        command = "python -m benchmarks.claims --data path/to/fashion_mnist --write docs/claims.md"
        options.write.write_text(written(verdicts, command), "utf-8")


if __name__ == "__main__":
    main()
