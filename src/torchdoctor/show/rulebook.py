"""The rules in a terminal: the list, and the page of one, from its docstring and its examples."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO, get_args

from rich.text import Text

from torchdoctor.judge.finding import Place
from torchdoctor.judge.likelihoods import LIKELIHOODS
from torchdoctor.judge.rule import SECTIONS, TRAINING, Rule
from torchdoctor.show.docstring import apart, gist, paragraphs
from torchdoctor.show.examples import drawn
from torchdoctor.show.text import COLOUR, STEP, console_for, put
from torchdoctor.show.words import count


def print_list(rules: Iterable[Rule], file: TextIO | None = None) -> None:
    """A line a rule, by place."""
    console, places = console_for(file), by_place(rules)
    width = max((len(rule.name) for group in places.values() for rule in group), default=0)
    for place, group in places.items():
        put(console, Text(place, "bold"))
        for rule in group:
            head = f"{rule.code} {rule.name:<{width}}  {rule.kind:<7}  "
            put(console, Text.assemble((head, COLOUR[rule.severity]), gist(rule.doc)), STEP, hang=len(head))
    put(console)
    put(console, Text(f"{count(sum(map(len, places.values())), 'rule')}. One in full: torchdoctor rules NAME", "dim"))


def print_page(rule: Rule, file: TextIO | None = None) -> None:
    """Everything about one rule."""
    console = console_for(file)
    before, sections = apart(rule.doc, SECTIONS)
    put(console, Text.assemble((rule.name, COLOUR[rule.severity]), f" · {facts_of(rule)}"))
    for text in paragraphs(before):
        put(console, text)
    for title, body in sections.items():
        put(console)
        put(console, Text(title, "bold"))
        for text in paragraphs(body):
            put(console, text, STEP)
    for title, lines in (("Needs", rule.needs), ("Explains", rule.explains)):
        if lines:
            put(console)
            put(console, Text(title, "bold"))
            put(console, ", ".join(line.replace("|", " or ") for line in lines), STEP)
    if said := on_benchmark(rule):
        put(console)
        put(console, Text("On the benchmark", "bold"))
        put(console, said, STEP)
    if rule.options:
        put(console)
        put(console, Text("Options", "bold"))
        put(console, ", ".join(f"{name} = {value}" for name, value in rule.options.items()), STEP)
    for title, kind in (("Fires on", "FIRES"), ("Stays quiet on", "QUIET")):
        put(console)
        put(console, Text(title, "bold"))
        for name, trace in rule.examples(kind).items():
            put(console, name, STEP)
            for line in drawn(trace):
                put(console, Text(line, "dim"), 2 * STEP)


def by_place(rules: Iterable[Rule]) -> dict[str, list[Rule]]:
    """In the order in which one looks for a fault: data, model, loss, step ..."""
    every = list(rules)
    groups = {place: [rule for rule in every if rule.place == place] for place in get_args(Place)}
    return {place: group for place, group in groups.items() if group}


def on_benchmark(rule: Rule) -> str:
    """How often it was right on programs whose faults are known; "" for symptoms, which are neither right nor wrong."""
    if rule.kind != "cause":
        return ""
    counts = ((LIKELIHOODS.alarms, "alarm", "named"), (LIKELIHOODS.hints, "hint", "hinted at"))
    told = [
        f"{count(right + wrong, what)}, of which {right} {verb} a fault of the program"
        for table, what, verb in counts
        for right, wrong in [table.get(rule.name, (0, 0))]
        if right + wrong
    ]
    return f"{'; '.join(told) or 'Never spoken there'}. See docs/benchmark.md."


def facts_of(rule: Rule) -> str:
    """D01 · a cause, in data · error · asked of training and data"""
    kind = "a cause" if rule.kind == "cause" else "a symptom"
    asked = "" if rule.stages == (TRAINING,) else f" · asked of {' and '.join(rule.stages)}"
    return f"{rule.code} · {kind}, in {rule.place} · {rule.severity}{' · preview' if rule.preview else ''}{asked}"
