"""Where within a step a cell spikes, for functions whose crossings and peaks are known."""

from __future__ import annotations

import math

import pytest

from evsim.variable.locate import first_peak, first_reaching


@pytest.mark.parametrize("level", [-0.5, 0.0, 0.3, 0.999999])
def test_the_first_way_up_is_found(level: float):
    """Of a sine that crosses each level many times in the step."""
    found = first_reaching(lambda t: math.sin(t - 2.0), 0.5, 3.9, level)
    assert found == pytest.approx(2.0 + math.asin(level), abs=1e-12)


@pytest.mark.parametrize("where", [0.13, 0.5, 0.99])
@pytest.mark.parametrize("above", [1e-9, -1e-9])
def test_a_peak_between_the_times_looked_at(where: float, above: float):
    """A parabola that just reaches the level, or just does not."""
    found = first_reaching(lambda t: above - (t - where) ** 2, 0.0, 1.0, 0.0)
    if above < 0:
        assert found is None
    else:
        assert found == pytest.approx(where - math.sqrt(above), abs=1e-8)


def test_peaks_below_the_level_do_not_count():
    def v(t: float) -> float:
        return (1.0 + t) * math.sin(t)

    def slope(t: float) -> float:
        return math.sin(t) + (1.0 + t) * math.cos(t)

    found = first_peak(v, slope, 0.0, 12.0, 5.0)
    assert found is not None and 7.8 < found < 8.1 and slope(found) == pytest.approx(0.0, abs=1e-10)
    assert first_peak(v, slope, 0.0, 3.0, 5.0) is None
