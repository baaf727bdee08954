"""From counts to a probability: how likely a cause that a rule named is one that the run really has.

A person can do the sum on paper. The odds begin with how often this rule was right when it spoke, drawn towards how
often all rules were (KEEN); then every sign multiplies them by how much more often it was seen with right causes than
with wrong ones. The counts are in likelihoods.py, and docs/benchmark.md shows how far the result can be trusted.
May not: import torch, name any rule.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

Counts = tuple[int, int]  # right, wrong

# Best, or nearly so, when tried on families of programs that were left out (`python -m cases.likelihoods` prints the
# others; docs/benchmark.md the result). PRIOR: as how many findings the share of all rules together counts beside a
# rule's own. TRUST: the exponent of each sign's ratio; below 1 since signs are not independent, as multiplying them
# supposes.
PRIOR = 4.0
TRUST = 0.5
EDGES = (0.6, 0.8, 0.95)  # of a rule's own confidence: below the first, between, and from the last on
STRENGTHS = ("weak", "fair", "strong", "certain")


@dataclass(frozen=True)
class Sign:
    """What is known of a named cause beside its numbers.

    strength: the rule's own confidence, one of STRENGTHS. symptoms: whether "all" of the report's symptoms follow from
    it or "not all" (few causes are named beside symptoms that they do not explain, too few to count how many), or
    "unseen" when there are none. beside: "alone", or "explained" when another named cause accounts for it.
    """

    name: str
    alarm: bool
    severity: str
    strength: str
    symptoms: str
    beside: str


@dataclass(frozen=True)
class Likelihoods:
    """Counts over runs whose faults are known. alarms, hints: of each rule. The others: of alarms of all rules, by what
    was seen with them."""

    alarms: Mapping[str, Counts] = field(default_factory=dict)
    hints: Mapping[str, Counts] = field(default_factory=dict)
    severity: Mapping[str, Counts] = field(default_factory=dict)
    strength: Mapping[str, Counts] = field(default_factory=dict)
    symptoms: Mapping[str, Counts] = field(default_factory=dict)
    beside: Mapping[str, Counts] = field(default_factory=dict)
    prior: float = PRIOR
    trust: float = TRUST

    def log_odds(self, sign: Sign) -> float:
        """Natural logarithm of right over wrong."""
        rules = self.alarms if sign.alarm else self.hints
        odds = _logit(_drawn(rules.get(sign.name, (0, 0)), _all(rules), self.prior))
        if sign.alarm:
            for counts, seen in self._signs(sign):
                odds += self.trust * _log_ratio(counts, seen, self.prior)
        return odds

    def chance(self, sign: Sign) -> float:
        """0..1: of findings given this number, about that share is right."""
        return 1 / (1 + math.exp(-self.log_odds(sign)))

    def _signs(self, sign: Sign) -> tuple[tuple[Mapping[str, Counts], str], ...]:
        return (
            (self.severity, sign.severity),
            (self.strength, sign.strength),
            (self.symptoms, sign.symptoms),
            (self.beside, sign.beside),
        )


def strength(confidence: float) -> str:
    """The rule's own confidence as one of STRENGTHS."""
    return STRENGTHS[sum(confidence >= edge for edge in EDGES)]


def _all(table: Mapping[str, Counts]) -> float:
    """Share right over all together, with one of each kind added (Laplace), so that it is never 0 or 1."""
    right, wrong = (sum(counts[i] for counts in table.values()) for i in (0, 1))
    return (right + 1) / (right + wrong + 2)


def _drawn(counts: Counts, pool: float, prior: float) -> float:
    return (counts[0] + prior * pool) / (sum(counts) + prior)


def _log_ratio(counts: Mapping[str, Counts], seen: str, prior: float) -> float:
    """ln of P(seen | right) / P(seen | wrong), as the odds where it was seen over those everywhere: with few counts it
    is drawn towards 0, which is what a sign that was never counted says."""
    pool = _all(counts)
    return _logit(_drawn(counts.get(seen, (0, 0)), pool, prior)) - _logit(pool)


def _logit(share: float) -> float:
    return math.log(share / (1 - share))
