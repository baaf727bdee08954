"""How a run is judged: series, trace, finding, rule, report, judge. No torch."""
