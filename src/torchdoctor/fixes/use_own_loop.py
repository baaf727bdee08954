"""Train with torchdoctor's own loop, where the fault is in the user's."""

from __future__ import annotations

from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


def code() -> str:
    return (
        "for epoch in range(epochs):\n"
        "    model.train()\n"
        "    for inputs, target in train:\n"
        "        optimizer.zero_grad()                 # before backward, once for each step\n"
        "        loss = loss_fn(model(inputs), target)\n"
        "        loss.backward()                       # of the loss itself: no .item(), .detach() or new tensor\n"
        "        optimizer.step()\n"
        "    model.eval()                              # for evaluation only, under torch.no_grad()"
    )


@fix(code=code, own_loop=True)
def use_own_loop(parts: Parts) -> Parts:
    """Train the same parts with a loop that is known to be right.

    If that alone makes the difference, the fault is in the loop: gradients that are not cleared or cleared too late,
    training in eval mode, a detached loss.
    """
    return parts
