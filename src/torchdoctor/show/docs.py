"""Write the pages of docs/ that follow from the code: one per rule, fix and probe, one of all signals.

`python -m torchdoctor.show.docs` writes them; with --check it writes nothing and fails when one is not up to date.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from torchdoctor.discover import discover
from torchdoctor.examine.examination import Examination
from torchdoctor.fixes.fix import Fix, code_of
from torchdoctor.judge.finding import Remedy
from torchdoctor.judge.judge import judge
from torchdoctor.judge.rule import SECTIONS, Rule
from torchdoctor.probes.probe import Probe
from torchdoctor.record.signal import Signal
from torchdoctor.show.docstring import apart, gist, summary
from torchdoctor.show.examples import drawn
from torchdoctor.show.rulebook import by_place, facts_of, on_benchmark
from torchdoctor.show.words import count

FOLDERS = ("rules", "fixes", "probes")  # hold nothing but generated pages
NOTE = "<!-- Generated from the code by `make docs`; edit the docstring instead. -->\n\n"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m torchdoctor.show.docs", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("docs"))
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when a page is not up to date")
    given = parser.parse_args(argv)
    stale = stale_pages(given.folder)
    for path, text in () if given.check else stale.items():
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    for path in stale:
        print(f"{'stale' if given.check else 'written'}: {path}")
    if stale and given.check:
        print("Bring them up to date: make docs", file=sys.stderr)
    return int(given.check and bool(stale))


def stale_pages(folder: Path) -> Mapping[Path, str | None]:
    """{path: what it should hold} of every page that holds something else; None for one that should not be there."""
    wanted = {folder / name: NOTE + text for name, text in pages().items()}
    there = {path for name in FOLDERS for path in (folder / name).glob("*.md")}
    old: dict[Path, str | None] = dict.fromkeys(sorted(there - set(wanted)))
    return old | {path: text for path, text in wanted.items() if not path.is_file() or path.read_text("utf-8") != text}


def pages() -> Mapping[str, str]:
    """{path below docs/: Markdown} of all generated pages."""
    rules = sorted(discover("rules", Rule).values(), key=lambda rule: rule.code)
    fixes, probes = discover("fixes", Fix).values(), discover("probes", Probe).values()
    proposed = dict(_proposals(rules))
    return {
        "rules/index.md": _rules(rules),
        "fixes/index.md": _index(
            "Fixes", "What a finding proposes: as code, and as a deed that a race can test.", fixes
        ),
        "probes/index.md": _index("Probes", "The experiments of `check` and `cure`, on forked copies.", probes),
        "examinations.md": _examinations(
            sorted(discover("examine", Examination).values(), key=lambda each: each.order)
        ),
        "signals.md": _signals(discover("signals", Signal).values()),
        **{f"rules/{rule.name}.md": _rule(rule) for rule in rules},
        **{f"fixes/{fix.name}.md": _fix(fix, proposed.get(fix.name, {})) for fix in fixes},
        **{f"probes/{probe.name}.md": _probe(probe) for probe in probes},
    }


def _proposals(rules: Iterable[Rule]) -> Mapping[str, dict[str, Remedy]]:
    """{fix: {rule: the remedy it says}}, from what the rules say of the traces they fire on."""
    found: dict[str, dict[str, Remedy]] = {}
    for rule in rules:
        for trace in rule.examples("FIRES").values():
            for remedy in (r for finding in judge(trace, [rule]) for r in finding.fixes):
                found.setdefault(remedy.fix, {}).setdefault(rule.name, remedy)
    return found


def _rules(rules: Iterable[Rule]) -> str:
    blocks = ["# Rules", "What torchdoctor can find, by the place where the fault sits."]
    for place, group in by_place(rules).items():
        rows = ((r.code, f"[{r.name}]({r.name}.md)", r.kind, str(r.severity), gist(r.doc)) for r in group)
        blocks.append(f"## {place.capitalize()}\n\n" + _table(("code", "name", "kind", "severity", "says"), rows))
    return _page(blocks)


def _rule(rule: Rule) -> str:
    before, sections = apart(rule.doc, SECTIONS)
    blocks = [f"# {rule.name}", facts_of(rule), before]
    blocks += [f"## {title}\n\n{body}" for title, body in sections.items()]
    blocks.append("## Needs\n\n" + ", ".join(f"`{need}`".replace("|", "` or `") for need in rule.needs))
    if rule.explains:
        blocks.append("## Explains\n\n" + ", ".join(f"`{name}`" for name in rule.explains))
    if said := on_benchmark(rule):
        blocks.append(f"## On the benchmark\n\n{said.replace('docs/benchmark.md', '[benchmark](../benchmark.md)')}")
    blocks += _options(rule.options)
    for title, kind in (("Fires on", "FIRES"), ("Stays quiet on", "QUIET")):
        examples = [f"{name}:\n\n{_fenced('text', drawn(trace))}" for name, trace in rule.examples(kind).items()]
        blocks += [f"## {title}", *examples]
    return _page(blocks)


def _fix(fix: Fix, proposed: Mapping[str, Remedy]) -> str:
    """The code is that of a finding where a rule's example proposes the fix, for only then are its numbers real."""
    example = next(iter(proposed.values()), Remedy(fix.name, {}))
    blocks = [f"# {fix.name}", fix.doc, *_options(fix.options)]
    blocks.append("## As code\n\n" + _fenced("python", code_of(example).strip("\n").splitlines()))
    blocks.append("A recipe can say it." if fix.patch else "A recipe cannot say it; it works on live objects.")
    if fix.own_loop:
        blocks.append("It trains with torchdoctor's own loop.")
    if proposed:
        rules = ", ".join(f"[{name}](../rules/{name}.md)" for name in proposed)
        blocks.append(f"## Proposed by\n\n{rules}")
    return _page(blocks)


def _probe(probe: Probe) -> str:
    rows = ((f"`{name}`", *_unit_and_meaning(what)) for name, what in probe.measures.items())
    passes = f"about {count(probe.passes, 'pass', 'passes')}" if probe.passes else "no pass"
    cost = f"Takes {passes} of a batch, forward and backward."
    return _page([f"# {probe.name}", probe.doc, cost, "## Measures", _table(("signal", "unit", "meaning"), rows)])


def _signals(signals: Iterable[Signal]) -> str:
    blocks = [
        "# Signals",
        "What a watched run records. Those of the experiments are on the pages of the [probes](probes/index.md).",
    ]
    moments = {
        "step": "Every step", "forward": "Sampled steps, after the forward pass",
        "backward": "Sampled steps, after backward and before any clipping",
        "update": "Sampled steps, after the optimizer's step",
        "logged": "Handed in: by a loop with `watch.log(...)`, or by an evaluation",
    }  # fmt: skip
    for at, title in moments.items():
        rows = [(f"`{s.name}`", s.unit, s.per, summary(s.doc)) for s in signals if s.at == at]
        if rows:
            blocks.append(f"## {title}\n\n" + _table(("signal", "unit", "per", "meaning"), rows))
    return _page(blocks)


def _examinations(examinations: Iterable[Examination]) -> str:
    blocks = ["# Examinations", "What `torchdoctor data` looks at and measures, before anything learns from the data."]
    for each in examinations:
        rows = ((f"`{name}`", *_unit_and_meaning(what)) for name, what in each.measures.items())
        blocks += [f"## {each.name}", each.doc, _table(("signal", "unit", "meaning"), rows)]
    return _page(blocks)


def _index(title: str, what: str, units: Iterable[Fix | Probe]) -> str:
    rows = ((f"[{unit.name}]({unit.name}.md)", gist(unit.doc)) for unit in units)
    return _page([f"# {title}", what, _table(("name", "does"), rows)])


def _options(options: Mapping[str, object]) -> list[str]:
    rows = ((f"`{k}`", "needed" if v is inspect.Parameter.empty else f"`{v!r}`") for k, v in options.items())
    return ["## Options", _table(("option", "default"), rows)] if options else []


def _unit_and_meaning(what: str) -> tuple[str, str]:
    unit, _, meaning = what.partition(":")
    return unit.strip(), meaning.strip()


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _fenced(language: str, lines: Iterable[str]) -> str:
    return f"```{language}\n" + "\n".join(lines) + "\n```"


def _page(blocks: Iterable[str]) -> str:
    return "\n\n".join(block for block in blocks if block) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
