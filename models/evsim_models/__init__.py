"""The models that come with evsim: one file a model, with one implementation for each rule set that can hold it."""

from evsim_models import (
    eif_isfa_ista,
    hh_cond_exp,
    if_cond_alpha,
    if_cond_exp,
    if_cond_exp_gsfa_grr,
    if_curr_alpha,
    if_curr_delta,
    if_curr_dual_exp,
    if_curr_exp,
    if_curr_exp_ca2_adaptive,
    if_facets_hardware1,
    izhikevich,
    lif_reset,
    point_neuron,
    releasing_synapses,
    sigma_delta,
    sources,
    static_synapse,
    stdp,
    ternary_lif,
)

MODELS = (
    if_curr_exp.MODEL,
    if_curr_alpha.MODEL,
    if_cond_exp.MODEL,
    if_cond_alpha.MODEL,
    if_cond_exp_gsfa_grr.MODEL,
    *eif_isfa_ista.MODELS,
    if_facets_hardware1.MODEL,
    hh_cond_exp.MODEL,
    if_curr_delta.MODEL,
    if_curr_dual_exp.MODEL,
    if_curr_exp_ca2_adaptive.MODEL,
    izhikevich.MODEL,
    lif_reset.MODEL,
    ternary_lif.MODEL,
    sigma_delta.MODEL,
    *sources.MODELS,
    static_synapse.MODEL,
    stdp.MODEL,
    *releasing_synapses.MODELS,
)

FAMILIES = {point_neuron.FAMILY: point_neuron.point_neuron}
EXAMPLES = {point_neuron.FAMILY: point_neuron.EXAMPLE}
