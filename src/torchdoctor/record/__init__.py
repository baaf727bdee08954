"""How a run is written: signal, moment, watch, run folder, cost ceiling."""
