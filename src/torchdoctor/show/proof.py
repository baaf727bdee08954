"""A cure in a terminal: the findings, the races that were run, the verdict, before and after, and what to change.

May not: judge, train, compute statistics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from torchdoctor.show.remedy import call
from torchdoctor.show.text import STEP, console_for, put, put_code, put_report
from torchdoctor.show.texts import Texts, spoken, texts
from torchdoctor.show.words import number, printable, sentence

if TYPE_CHECKING:
    from torchdoctor.cures.race import Race
    from torchdoctor.cures.result import Cure
    from torchdoctor.judge.finding import Finding

COLOUR = {"cured": "bold green", "healthy": "bold green", "not proven": "bold yellow", "refused": "bold red"}


def print_cure(cure: Cure, file: TextIO | None = None, lang: str = "en") -> None:
    """All of it, to `file` (default: standard output). Raises BadRecipe for a language that is not spoken here."""
    console, t = console_for(file), spoken(lang)
    put_report(console, cure.report, t)
    put(console)
    if cure.races:
        _put_races(console, cure, t)
    verdict = t.word(f"verdict.{cure.verdict}") + (t("interrupted") if cure.interrupted else "")
    put(console, Text.assemble((f"{verdict}{t('colon')}", COLOUR[cure.verdict]), printable(cure.reason)))
    for finding, why in cure.useless.items():
        put(console, f"{finding}: {printable(why)}", STEP, hang=STEP)
    for f in brought_to_light(cure):
        put(console, f"{t('then_also')}{f.name}{t('colon')}{printable(f.message)}", STEP, hang=STEP)
    if cure.after.by_seed:
        put(console)
        _put_scores(console, cure, t)
    if cure.fix:
        put(console)
        put(console, Text(t("what_to_change"), "bold"))
        for line in cure.diff.splitlines():
            put_code(console, line, STEP, colour_of(line))
        for line in cure.source.diff.splitlines():
            put_code(console, line, STEP, colour_of(line))
        for fix, place in cure.source.places.items():
            put(console, Text(f"{fix}: {printable(place)}", "dim"), STEP)
        for line in cure.by_hand.splitlines():
            put_code(console, line, STEP, "green")
    if cure.unproven:
        put(console)
        put(console, Text(t("left_open"), "bold"))
    for left in cure.unproven:
        put(console, Text.assemble((left.what, "bold"), f": {printable(left.why)}"), STEP, hang=STEP)
        if left.look:
            put(console, Text(printable(left.look), "dim"), STEP + 2)


def score_pair(race: Race) -> tuple[float, float]:
    """Mean score without and with what the race is about; NaN where a run failed."""
    means = [sum(scores.values()) / max(1, len(scores)) for scores in (race.without, race.with_it)]
    return means[0], means[1]


def effect_of(race: Race, t: Texts | None = None) -> str:
    """+0.42 [+0.31, +0.53] on 3 seeds, 25 % of a run"""
    t, effect = t or texts("en"), race.effect
    interval = f" [{effect.low:+.3f}, {effect.high:+.3f}]" if effect.seeds > 1 else ""
    length = t("whole_runs") if race.share >= 1 else t("of_a_run", share=race.share)
    return t("effect_of", effect=f"{effect.mean:+.3f}{interval}", seeds=t.count("seed", effect.seeds), length=length)


def brought_to_light(cure: Cure) -> list[Finding]:
    """Causes that showed only when the first remedies were in place, and that the first report does not have."""
    known = {f.name for f in cure.report}
    return [f for f in cure.uncovered if f.kind == "cause" and f.alarm and f.name not in known]


def colour_of(line: str) -> str:
    """Of a line of a unified diff."""
    return "green" if line.startswith("+") else "red" if line.startswith("-") else "dim"


def told(cure: Cure) -> tuple[list[Race], list[Race]]:
    """(races that say something, quick trials on one seed that only chose what to race)."""
    quick = [race for race in cure.races if race.effect.seeds == 1 and race.share < 1]
    return [race for race in cure.races if race not in quick], quick


def _put_races(console: Console, cure: Cure, t: Texts) -> None:
    put(console, Text(t("races_line"), "bold"))
    races, quick = told(cure)
    word = f"{t('proven')} "
    width = cell_len(word)
    for race in races:
        before, after = score_pair(race)
        mark = (word, "green") if race.proven else (" " * width, "")
        name = Text(" + ".join(call(remedy) for remedy in race.changed), "bold")
        put(console, Text.assemble(mark, name, f"  {number(before)} → {number(after)}"), STEP, hang=width)
        beside = t("beside_line", others=", ".join(r.fix for r in race.on_top_of)) if race.on_top_of else ""
        put(console, Text(f"{effect_of(race, t)}{beside}{t('stop')}{sentence(race.why)}", "dim"), STEP + width)
        for error in race.errors:
            put(console, Text(f"{t('failed')}{t('colon')}{printable(error)}", "red"), STEP + width)
    trials = t("trials_line", trials=t.count("trial", len(quick))) if quick else ""
    spent = t("spent_line", runs=number(round(cure.cost, 1)), seconds=cure.seconds)
    put(console, Text(f"{trials}{spent}", "dim"), STEP)
    put(console)


def _put_scores(console: Console, cure: Cure, t: Texts) -> None:
    """A row a seed, and their mean where there are several."""
    rows = [(f"{t('seed')} {s}", score, cure.after.by_seed.get(s)) for s, score in cure.before.by_seed.items()]
    if len(rows) > 1:
        rows.append((t("mean"), cure.before.mean, cure.after.mean))
    head = f"{set_cell_size(t('signal.val_score'), 18)}{_right(t('before'), 8)}{_right(t('after'), 9)}"
    put(console, Text(head, "bold"))
    for name, before, after in rows:
        cells = (_right("" if value is None else f"{value:.3f}", width) for value, width in ((before, 6), (after, 9)))
        put(console, f"{set_cell_size(name, 18)}{''.join(cells)}", STEP)


def _right(text: str, width: int) -> str:
    """At the right of so many columns; a Chinese character takes two."""
    return " " * (width - cell_len(text)) + text
