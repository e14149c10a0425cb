"""PyNN's synapses that release a changing or random part of their weight; ``evsim.release`` says by which rules."""

from __future__ import annotations

from evsim.errors import Problem
from evsim.model import SynapseModel
from evsim.network import Network, Projection

# synapse -> its rule; that of Fuhrmann et al. (2002) has a single site
RULES = {
    "TsodyksMarkramSynapse": "TsodyksMarkram",
    "StochasticTsodyksMarkramSynapse": "MultiQuantal",
    "MultiQuantalSynapse": "MultiQuantal",
    "SimpleStochasticSynapse": "Bernoulli",
}


def problems(network: Network, projection: Projection, rules: str) -> list[Problem]:
    """What cannot be about the parameters of a releasing projection."""
    where, wanted, release = f"projection {projection.label!r}", RULES[projection.synapse], projection.release
    if release is None or release.rule != wanted:
        what = "no rule of release" if release is None else f"the rule {release.rule}"
        return [Problem(where, what, f"{projection.synapse} releases by the rule {wanted}", "Give its parameters.")]
    return [Problem(where, what, limit, "Correct it.") for what, limit in release.faults()]


MODELS = tuple(SynapseModel(name, frozenset({"ideal"}), problems=problems) for name in RULES)
