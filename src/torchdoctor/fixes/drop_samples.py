"""Training without certain samples: with wrong labels, seen before, or far from all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torchdoctor.errors import BadParts
from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code(rows: Sequence[int] = ()) -> str:
    some = f"{', '.join(map(str, rows[:5]))}{', ...' if len(rows) > 5 else ''}"
    return (
        f"wrong = {{{some or '...'}}}   # {len(rows) or 'the'} rows of the training set; look at them first\n"
        "train_set = torch.utils.data.Subset(train_set, [i for i in range(len(train_set)) if i not in wrong])"
    )


@fix(code=code)
def drop_samples(parts: Parts, *, rows: Sequence[int] = ()) -> Parts:
    """Leave out these rows of the training data, counted from 0 in the order in which the data set holds them.

    Validation data stay as they are, so that scores before and after can be compared. Raises BadParts where no row is
    named, where all are, and where the loader's samples have no numbers.
    """
    from torchdoctor.fixes.loaders import without

    if not rows:
        raise BadParts(
            "drop-samples needs the rows to leave out, for example Remedy('drop-samples', {'rows': (3, 5)})."
        )
    return replace(parts, train=without(parts.train, frozenset(rows)))
