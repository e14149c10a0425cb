"""The ion channels of neurons of compartments."""

from __future__ import annotations

from typing import ClassVar

from pyNN.standardmodels import build_translations, ion_channels

DENSITY, REVERSAL = "conductance_density", "e_rev"


class IonChannel:
    """What channels have in common.

    Attributes:
        kind: of those of ``evsim.cable.model``.
        ion: by whose reversal potential it drives; where none is given, by ``e_rev`` (mV).
    """

    kind: ClassVar[str]
    ion: ClassVar[str] = ""
    e_rev: ClassVar[float] = 0.0
    translations = build_translations((DENSITY, DENSITY), (REVERSAL, REVERSAL))


class NaChannel(IonChannel, ion_channels.NaChannel):
    """The sodium channel of Hodgkin and Huxley (1952) at 6.3 degrees, with rest at -65 mV; the ion is ``"na"``."""

    kind, ion, e_rev = "sodium", "na", 50.0


class KdrChannel(IonChannel, ion_channels.KdrChannel):
    """The delayed rectifier of Hodgkin and Huxley (1952) at 6.3 degrees, with rest at -65 mV; the ion is ``"k"``."""

    kind, ion, e_rev = "potassium", "k", -77.0


class PassiveLeak(IonChannel, ion_channels.PassiveLeak):
    """A conductance that is always open."""

    kind = "leak"


class PassiveLeakHH(IonChannel, ion_channels.PassiveLeakHH):
    """The same, with the reversal potential of Hodgkin and Huxley."""

    kind = "leak"
