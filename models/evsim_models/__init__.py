"""The models that come with evsim: one file a model, with one implementation for each rule set that can hold it."""

from evsim_models import if_cond_exp, if_curr_delta, if_curr_exp, izhikevich, sources, static_synapse, stdp

MODELS = (
    if_curr_exp.MODEL,
    if_cond_exp.MODEL,
    if_curr_delta.MODEL,
    izhikevich.MODEL,
    *sources.MODELS,
    static_synapse.MODEL,
    stdp.MODEL,
)
