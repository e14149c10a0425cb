"""Populations that only emit spikes; ``evsim.sources`` draws their trains."""

from evsim.model import SourceModel

MODELS = (
    SourceModel("SpikeSourceArray", {"spike_times": "ms"}, draw="given"),
    SourceModel(
        "SpikeSourcePoisson",
        {"rate": "Hz", "start": "ms", "duration": "ms"},
        draw="poisson",
        not_negative=frozenset({"rate", "duration"}),
    ),
)
