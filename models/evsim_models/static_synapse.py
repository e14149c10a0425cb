"""StaticSynapse: a weight and a delay that do not change."""

from evsim.model import SynapseModel

MODEL = SynapseModel("StaticSynapse", frozenset({"ideal", "spinnaker1", "loihi1", "loihi2"}))
