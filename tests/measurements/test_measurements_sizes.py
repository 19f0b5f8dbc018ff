"""Sizes are reduced without losing an object, in bins that all members share."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from measured_volumes import make_measured, make_member

from napari_sashiko.errors import SettingsError
from napari_sashiko.measurements import QUANTITIES, Sizes, read_objects
from napari_sashiko.measurements.sizes import bin_edge, equivalent_diameter

VOLUMES = st.lists(st.floats(1e-9, 1e12), min_size=1, max_size=50)


@given(VOLUMES)
def test_every_object_is_in_one_bin_and_that_bin_holds_it(values):
    sizes = Sizes.of(np.array(values))
    assert sum(sizes.counts) == len(values)
    assert sizes.counts[0] > 0
    assert sizes.counts[-1] > 0
    numbers = range(sizes.first, sizes.first + len(sizes.counts))
    edges = [bin_edge(number) for number in (*numbers, numbers.stop)]
    nearly = 1 + 1e-6
    for number, count in enumerate(sizes.counts):
        low, high = edges[number] / nearly, edges[number + 1] * nearly
        assert count <= sum(low <= value <= high for value in values)


@pytest.mark.parametrize("power", range(-6, 7))
def test_powers_of_ten_begin_a_bin(power):
    sizes = Sizes.of(np.array([10.0**power]))
    assert sizes.first == 40 * power
    assert bin_edge(sizes.first) == pytest.approx(10.0**power)


@given(VOLUMES)
def test_statistics_are_those_of_the_objects(values):
    sizes, array = Sizes.of(np.array(values)), np.array(values)
    assert sizes.statistic("mean") == pytest.approx(array.mean())
    assert sizes.statistic("median") == pytest.approx(np.median(array))
    assert sizes.statistic("p10") == pytest.approx(np.quantile(array, 0.1))
    assert sizes.statistic("p90") == pytest.approx(np.quantile(array, 0.9))


def test_the_diameter_is_that_of_a_ball_or_a_disc():
    ball, disc = 4 / 3 * math.pi * 3**3, math.pi * 3**2
    assert equivalent_diameter(np.array([ball]), flat=False) == pytest.approx(6)
    assert equivalent_diameter(np.array([disc]), flat=True) == pytest.approx(6)


def test_a_table_is_read_as_it_is_written(tmp_path):
    rows = {
        "label": [1, 2, 3],
        "volume": [64.0, 27.0, 8.0],
        "length": [9.0, 4.0, 2.0],
        "touches_border": [True, False, True],
    }
    pd.DataFrame(rows).to_csv(tmp_path / "t.csv", index=False)
    sizes, count, at_border = read_objects(tmp_path / "t.csv", flat=False)
    assert set(sizes) == set(QUANTITIES)
    assert (count, at_border) == (3, 2)
    assert sizes["volume"].statistic("median") == 27
    assert sizes["length"].statistic("mean") == 5
    assert sizes["diameter"].statistic("median") == pytest.approx(
        (6 * 27 / math.pi) ** (1 / 3)
    )


def test_a_table_without_objects_has_no_sizes(tmp_path):
    (tmp_path / "t.csv").write_text("label,volume,length,touches_border\n")
    assert read_objects(tmp_path / "t.csv", flat=False) == ({}, 0, 0)


def test_bins_are_common_to_members_whatever_they_found():
    few, many = make_member(0, sizes=(100.0,)), make_member(1, sizes=(1.0, 5.0, 900.0))
    none = make_member(2, sizes=())
    found = make_measured(few, many, none).distribution("volume")
    assert [sum(each) for each in found.counts] == [1, 3, 0]
    assert len({len(each) for each in found.counts}) == 1
    assert len(found.edges) == len(found.spreads) + 1
    assert found.edges[0] == pytest.approx(1)
    assert found.edges[-2] <= 900 < found.edges[-1]
    steps = np.diff(np.log10(found.edges))
    np.testing.assert_allclose(steps, 1 / 40)
    assert sum(each.mean for each in found.spreads) == pytest.approx(4 / 3)
    (bin_of_100,) = [
        spread
        for spread, low, high in zip(
            found.spreads, found.edges, found.edges[1:], strict=False
        )
        if low <= 100 * (1 + 1e-9) < high
    ]
    assert bin_of_100.mean == pytest.approx(1 / 3)
    assert bin_of_100.std == pytest.approx(math.sqrt(2) / 3)


def test_a_distribution_of_nothing_has_no_bins():
    found = make_measured(make_member(0, sizes=())).distribution("length")
    assert found.edges == found.spreads == ()


def test_unknown_names_are_answered_with_those_that_there_are():
    measured = make_measured(make_member(0))
    with pytest.raises(SettingsError, match="volume, diameter, length"):
        measured.size("weight")
    with pytest.raises(SettingsError, match="median"):
        measured.size("volume", "mode")
    with pytest.raises(SettingsError, match=r"1 \(matrix\), 4 \(fibre\)"):
        measured.fraction("void")
