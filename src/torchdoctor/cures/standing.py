"""A cure while it goes: cure.json as it would be if it ended now, written anew with every arm, for who looks on.

Each writing is whole or none, so that a kill leaves one that can be read; what it says is then the last that was known.
May not: train, judge, print, choose what to try.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torchdoctor.cures.result import Cure, Scores
from torchdoctor.cures.shelf import RESULT, Shelf
from torchdoctor.cures.track import SEED, Track
from torchdoctor.errors import BadRun
from torchdoctor.judge.report import Report, jsonable

if TYPE_CHECKING:
    from torchdoctor.cures.search import Search

UNDER_WAY, STOPPED = "under way", "stopped"  # verdicts that only cure.json gives, and no Cure


@dataclass
class Standing:
    """What a cure has come to so far; whoever runs it fills in what is there. score: of the first, unchanged run."""

    track: Track
    shelf: Shelf
    report: Report = field(default_factory=lambda: Report(()))
    score: float = float("nan")
    search: Search | None = None

    def follow(self) -> None:
        """From now on, write it whenever something begins or has ended."""
        self.track.noted = self.write
        self.write()

    def write(self) -> None:
        """That it is under way, with what is being tried and why."""
        now = f"Now {self.track.what} ({self.track.why})." if self.track.what else "It has begun."
        purse = self.track.purse
        self._write(UNDER_WAY, f"{now} {purse.runs:.1f} training runs so far beside the first.")

    def stopped(self, why: str) -> None:
        """That it ended before there was a verdict, where it had begun to be written."""
        if self.track.noted is not None:
            with suppress(BadRun):  # it is what ended the cure, perhaps
                self._write(STOPPED, f"{why} What was run is kept: go on with resume.")

    def _write(self, verdict: str, reason: str) -> None:
        if self.shelf.folder is not None:
            told: dict[str, Any] = {**self._cure(reason).to_dict(), "verdict": verdict}
            text = json.dumps(jsonable(told), indent=2, ensure_ascii=False, allow_nan=False)
            self.shelf.write({RESULT: text})

    def _cure(self, reason: str) -> Cure:
        search, track = self.search, self.track
        return Cure(
            report=self.report,
            races=tuple(search.meeting.races) if search is not None else (),
            verdict="not proven",
            reason=reason,
            fix=(),
            before=Scores({SEED: self.score}),
            after=Scores({}),
            experiment=track.experiment,
            original=track.experiment,
            uncovered=search.uncovered if search is not None else (),
            useless=search.found.useless if search is not None else {},
            cost=track.purse.runs,
            seconds=track.purse.elapsed,
        )
