"""StaticSynapse: a weight and a delay that never change; every rule set has it."""

from evsim.model import SynapseModel
from evsim.rulesets import RULE_SETS

MODEL = SynapseModel("StaticSynapse", frozenset(RULE_SETS))
